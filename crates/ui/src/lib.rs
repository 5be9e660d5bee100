//! The Admin UI.
