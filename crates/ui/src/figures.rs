//! What only the composition root can tell: sizes from the engine, counters, and the process itself.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use rescind_domain::{DatabaseId, TableId, Timestamp};

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds, in a word: `tag`, `time`, `f64`, `i64`, `u64`, `string`, `boolean`.
    pub kind: String,
}

/// What was counted since the process started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests to the data plane that were admitted.
    pub admitted: u64,
    /// Requests that were refused, by reason in one word ([`rescind_authority::Refusal::reason`]).
    pub refused: BTreeMap<&'static str, u64>,
    /// Writes that were acknowledged.
    pub writes: u64,
    /// Queries that were answered.
    pub queries: u64,
    /// Bytes of line protocol in those writes.
    pub bytes_written: u64,
}

impl Counters {
    /// Refusals of every reason.
    pub fn refused_in_all(&self) -> u64 {
        self.refused.values().sum()
    }
}

/// How long something took, many times: how many took at most each bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Upper bounds, ascending, each with how many were above the bound before and not above this one.
    pub buckets: Vec<(Duration, u64)>,
    /// How many were above the last bound.
    pub beyond: u64,
}

/// What this process uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    /// Seconds of CPU time since it started, of all threads.
    pub cpu_seconds: f64,
    /// Bytes of memory that are resident.
    pub resident_bytes: u64,
}

/// Counters and use at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When it was taken.
    pub at: Timestamp,
    /// What had been counted.
    pub counters: Counters,
    /// What was used.
    pub process: Process,
}

/// What a node tells about the program that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeInfo {
    /// The version of the program.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// Where it listens.
    pub listens_on: String,
    /// How many CPUs it may use.
    pub cpus: usize,
}

/// Tells figures. Reading them must be cheap: pages ask for them again and again.
#[async_trait]
pub trait Figures: Send + Sync {
    /// The columns of a table, `time` first, then by name; empty while nothing was written to it.
    async fn columns(&self, database: DatabaseId, table: TableId) -> Vec<Column>;
    /// How many bytes the tables of a database occupy; those without an entry occupy none.
    async fn table_bytes(&self, database: DatabaseId) -> BTreeMap<TableId, u64>;
    /// How many bytes databases occupy; those without an entry occupy none.
    async fn database_bytes(&self) -> BTreeMap<DatabaseId, u64>;
    /// What was counted until now.
    fn counters(&self) -> Counters;
    /// Samples of the last hour, oldest first, at even distances.
    fn history(&self) -> Vec<Sample>;
    /// How long revocations took, from request to receipt.
    fn revocations(&self) -> Distribution;
    /// What the process uses now.
    fn process(&self) -> Process;
    /// What this node runs.
    fn node(&self) -> NodeInfo;
}
