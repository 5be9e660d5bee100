//! The Management API, in process: a real authority on a temporary SQLite file, a frozen clock, a seeded generator, so
//! that even a minted token snapshots exactly.

mod bad_input;
mod contract;
mod device_flow;
mod lists;
mod openapi;
mod people;
mod policy;
mod receipts;
mod stories;
mod world;
