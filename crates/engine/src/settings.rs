//! What the engine may use.

use std::path::PathBuf;
use std::time::Duration;

/// Where the engine keeps its data and what it may use. Every bound has a default that suits a laptop.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory that the engine alone writes.
    pub dir: PathBuf,
    /// Buffered points beyond this many bytes go to Parquet.
    pub buffer_bytes: usize,
    /// Writes that would take the buffer beyond this many bytes are refused. At most 1 GiB is used.
    pub buffer_limit_bytes: usize,
    /// The longest body of one write, in bytes.
    pub max_write_bytes: usize,
    /// The longest line of line protocol, in bytes.
    pub max_line_bytes: usize,
    /// Buffered points go to Parquet at least this often.
    pub persist_interval: Duration,
    /// Memory for all queries together, in bytes; each may use its share, so that one fails alone.
    pub query_memory_bytes: usize,
    /// Disk space for what queries spill, in bytes.
    pub query_spill_bytes: u64,
    /// How many queries run at a time.
    pub max_queries: usize,
    /// How long a query waits for its turn.
    pub query_queue_timeout: Duration,
    /// How long a query may run.
    pub query_timeout: Duration,
    /// The longest text of a query, in bytes.
    pub max_query_bytes: usize,
    /// Threads that run queries, apart from those that serve requests.
    pub query_threads: usize,
    /// Whether a thread of the engine persists and compacts by itself; tests call [`crate::Engine::persist`].
    pub background: bool,
}

impl Settings {
    /// The defaults, for data in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            buffer_bytes: 128 << 20,
            buffer_limit_bytes: 512 << 20,
            max_write_bytes: 256 << 20,
            max_line_bytes: 8 << 20,
            persist_interval: Duration::from_secs(600),
            query_memory_bytes: 512 << 20,
            query_spill_bytes: 4 << 30,
            max_queries: 8,
            query_queue_timeout: Duration::from_secs(10),
            query_timeout: Duration::from_secs(300),
            max_query_bytes: 1 << 20,
            query_threads: 2,
            background: true,
        }
    }

    pub(crate) fn buffer_limit(&self) -> usize {
        self.buffer_limit_bytes.min(1 << 30)
    }

    pub(crate) fn log_dir(&self) -> PathBuf {
        self.dir.join("log")
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(crate) fn spill_dir(&self) -> PathBuf {
        self.dir.join("spill")
    }
}
