//! The authority through its use cases, on a real catalog file.

mod admission;
mod databases;
mod house;
mod promises;
mod races;
mod users;
