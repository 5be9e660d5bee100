//! The authority through its use cases, on a real catalog file.

mod admission;
mod away;
mod bulk;
mod clocks;
mod databases;
mod devices;
mod hardening;
mod house;
mod invitations;
mod passwords;
mod promises;
mod races;
mod receipts;
mod restores;
mod revocations;
mod rights;
mod secrets;
mod sessions;
mod sharing;
mod token_index;
mod usage;
mod users;
