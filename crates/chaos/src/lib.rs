//! For tests only: real nodes, a real PostgreSQL, real faults, and a checker of what clients saw.
pub mod checker;
pub mod histories;
