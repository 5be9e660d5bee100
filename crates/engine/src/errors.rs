//! What can go wrong: opening, writing, querying.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Why the engine could not open, persist or remove.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("cannot {doing} {path}", path = path.display())]
    Io {
        /// What was attempted: "read", "create".
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file holds what the engine never wrote.
    #[error("{path} is damaged at byte {offset}: {what}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it, in bytes from its start.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// Arrow or Parquet refused.
    #[error("cannot {doing} table data")]
    Data {
        /// What was attempted.
        doing: &'static str,
        /// What the library said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A thread of the engine is gone, or the log failed: nothing can be made durable until a restart.
    #[error("the engine has stopped: {0}")]
    Stopped(String),
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    pub(crate) fn data<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Data {
            doing,
            source: source.into(),
        }
    }
}

/// Why a write stored nothing, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The permit is for reading, or for another database than the view: a bug of the caller.
    #[error("the permit does not cover a write to this database")]
    Misdirected,
    /// Nothing but blank lines and comments.
    #[error("incoming write was empty")]
    Empty,
    /// Lines were rejected; `stored_lines` of them says whether others were stored.
    #[error("{0}")]
    Rejected(LineErrors),
    /// Every line is older than the retention period; nothing was stored.
    #[error("{0}")]
    Retention(LineErrors),
    /// The write needs more tables than the database may have; nothing was stored.
    #[error(
        "the database would have more than its limit of {max} tables; raise it or write to existing tables"
    )]
    TooManyTables {
        /// The limit.
        max: i32,
    },
    /// The body is longer than one write may be; nothing was stored.
    #[error("a write may have at most {max} bytes, this one has {got}; split it")]
    TooLarge {
        /// The limit in bytes.
        max: usize,
        /// The length in bytes.
        got: usize,
    },
    /// The buffer is full until data has gone to disk; nothing was stored.
    #[error("the write buffer is full; retry in {} s", retry_after.as_secs())]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The token was revoked while the write was under way; nothing was stored.
    #[error("the permission to write was taken away")]
    Cut,
    /// The write could not be made durable; it may or may not be stored, and can be repeated.
    #[error("the write could not be stored: {0}")]
    Unavailable(String),
}

/// One rejected line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// Its number, counted from 1, blank lines and comments included.
    pub line_number: usize,
    /// What is wrong with it.
    pub message: String,
    /// Its first bytes, at most [`LineError::ORIGINAL_BYTES`].
    pub original: String,
}

impl LineError {
    /// How much of a rejected line is repeated, in bytes.
    pub const ORIGINAL_BYTES: usize = 256;
    /// How long a message may be, in bytes.
    pub const MESSAGE_BYTES: usize = 512;
}

impl fmt::Display for LineError {
    /// The documented form (contract, data-plane section 3.2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "error parsing line {} (1-based): {}",
            self.line_number, self.message
        )
    }
}

/// The rejected lines of one write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineErrors {
    /// The first of them, at most [`LineErrors::MAX`] (contract, data-plane section 3).
    pub first: Vec<LineError>,
    /// How many there are.
    pub total: usize,
    /// How many other lines were stored: 0 when partial writes were not accepted.
    pub stored_lines: usize,
}

impl LineErrors {
    /// How many rejected lines are told apart.
    pub const MAX: usize = 100;
}

impl fmt::Display for LineErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.first.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            line.fmt(f)?;
        }
        Ok(())
    }
}

/// Why a query gave no result, or only a part of one.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueryError {
    /// The permit is for writing, or for another database than the view: a bug of the caller.
    #[error("the permit does not cover a query of this database")]
    Misdirected,
    /// The text does not plan: syntax, unknown names, types, more than one statement. The client's to fix.
    #[error("{0}")]
    Invalid(String),
    /// A kind of statement that the data plane does not offer: it reads only.
    #[error("{0}")]
    NotImplemented(String),
    /// The query failed on the data it met, such as a division by zero.
    #[error("{0}")]
    Failed(String),
    /// The query needs more memory than one query may take.
    #[error("the query needs more memory than one query may use: {0}")]
    OutOfMemory(String),
    /// As many queries as may run do run, and waiting did not help.
    #[error("too many queries are running; retry in {} s", retry_after.as_secs())]
    TooManyQueries {
        /// When to try again.
        retry_after: Duration,
    },
    /// The query ran longer than a query may.
    #[error("the query ran longer than {} s", limit.as_secs())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The token was revoked while the query ran.
    #[error("the permission to read was taken away")]
    Cut,
    /// The engine's fault.
    #[error("the query failed inside the engine: {0}")]
    Internal(String),
}
