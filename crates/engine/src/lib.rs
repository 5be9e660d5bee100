//! What is computed: the embedded database. Line protocol in, SQL out; a write-ahead log and Parquet files below.
//!
//! This crate knows no HTTP, no token, no name of a database beyond the view that comes with a request, and no life
//! of databases and tables: it keeps points by [`rescind_domain::DatabaseId`] and [`rescind_domain::TableId`], and
//! the catalog above says which names reach which ids. It accepts nothing without a [`rescind_domain::Permit`], and
//! asks it last thing before an effect.
//!
//! * A write is acknowledged once it is in the log (one `fdatasync` for all that wait) and visible to queries.
//! * Points of the same table, tags and time are one point: the union of their fields, the last value of each. That
//!   holds across buffer, files and restarts.
//! * Everything is bounded: the buffer, the queue to the log, the memory and the number of queries.

mod bounds;
mod budget;
mod catalogs;
mod chunks;
mod columns;
mod committer;
mod compaction;
mod complexity;
mod concatenation;
mod deduplication;
mod duplicates;
mod engine;
mod errors;
mod files;
mod formats;
mod functions;
mod lateness;
mod lengths;
mod lines;
mod log;
mod maintenance;
mod manifest;
mod persist;
mod picks;
mod plain;
mod points;
mod precision;
mod queries;
mod records;
mod replay;
mod retention;
mod rows;
mod runs;
mod scans;
mod schema;
mod sessions;
mod settings;
mod tables;
mod turns;
mod typed;
mod writes;

pub use engine::{Engine, Stats};
pub use errors::{Error, LineError, LineErrors, QueryError, WriteError};
pub use formats::{ByteStream, Format, FormatError};
pub use precision::{Precision, PrecisionError};
pub use queries::{Param, Query, QueryResult};
pub use schema::{Column, ColumnKind};
pub use settings::Settings;
pub use writes::{TableMaker, TableMakerError, Write, Written};
