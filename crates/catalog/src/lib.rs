//! What is remembered: accounts, clusters, databases, tables, tokens, users, sessions, the revision counter, the feed of
//! changes and the audit log, on SQLite or PostgreSQL.
//!
//! This crate does not know who may do what, what a secret looks like in clear, how long a term lasts, what time it is, or
//! that HTTP exists. It keeps nothing in memory between calls. It is the only crate that names sqlx; callers never see a
//! row, a statement or a driver's error.
//!
//! Everything that acts goes through one [`Transaction`], which locks the ledger first: transactions therefore commit
//! in the order of their revisions, and a reader of the feed never sees revision 6 before revision 5.

mod accounts;
mod audit;
mod catalog;
mod changes;
mod connections;
mod databases;
mod devices;
mod directory;
mod errors;
mod faults;
mod grants;
mod indexes;
mod invitations;
mod listings;
mod locations;
mod migrations;
mod nodes;
mod pages;
mod places;
mod pools;
mod purges;
mod reads;
mod revocations;
mod rows;
mod seam;
mod sessions;
mod signals;
mod stored;
mod tables;
mod tokens;
mod transactions;
mod upgrades;
mod usage;
mod users;

pub use audit::{AuditFault, AuditQuery, AuditVerdict};
pub use catalog::Catalog;
pub use changes::{Change, ChangeKind, Feed};
pub use databases::{DatabaseFilter, DatabaseQuery, DatabaseSort, NewDatabase};
pub use directory::{Directory, DirectoryEntry};
pub use errors::Error;
pub use faults::ServerFault;
pub use grants::{Grant, LoadedGrant};
pub use locations::{Exposure, Location, LocationError};
pub use nodes::{NodeInfo, NodeLease};
pub use pages::{Cursor, Page, Paged};
pub use places::{AuditPlace, FeedPlace};
pub use revocations::Revocable;
pub use signals::{Signal, Signals};
pub use tables::{NewTable, TableQuery};
pub use tokens::{TokenQuery, TokenSort};
pub use transactions::{Committed, Entry, Transaction};
pub use usage::Use;
