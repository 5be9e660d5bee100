//! The upstream: whatever stores the points and answers the queries that the gateway admits.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use rescind_authority::Admission;
use rescind_domain::{DatabaseView, redact};

use crate::{Format, Precision};

/// Stores points and answers queries. Implementations check `admission.permit()` once more just before an effect: a
/// token may have been cut since the gateway asked (promise G2).
#[async_trait]
pub trait Upstream: Send + Sync {
    /// Stores line protocol. `Ok` means that every line is on disk.
    ///
    /// # Errors
    /// Every [`UpstreamError`]; with `accept_partial`, [`UpstreamError::LinesRejected`] says what was stored anyway.
    async fn write(
        &self,
        admission: &Admission,
        database: Arc<DatabaseView>,
        request: WriteRequest,
    ) -> Result<(), UpstreamError>;

    /// Answers a SQL query. Dropping the answer's body ends the query.
    ///
    /// # Errors
    /// Every [`UpstreamError`] but those about lines, either at once or as the body's last item.
    async fn query_sql(
        &self,
        admission: &Admission,
        database: Arc<DatabaseView>,
        request: SqlRequest,
    ) -> Result<Answer, UpstreamError>;
}

/// Points to store.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    /// Line protocol, not empty, not yet checked to be UTF-8.
    pub lines: Bytes,
    /// What its timestamps count.
    pub precision: Precision,
    /// Whether good lines are stored though others are not.
    pub accept_partial: bool,
}

/// A query in SQL.
#[derive(Debug, Clone)]
pub struct SqlRequest {
    /// The text of one statement.
    pub sql: String,
    /// Values of its `$name` placeholders. May hold names that the text does not.
    pub params: BTreeMap<String, SqlValue>,
    /// How to write the answer.
    pub format: Format,
}

/// The value of a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number that fits in 64 bits with sign.
    Integer(i64),
    /// A whole number above that.
    Unsigned(u64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
}

/// The answer to a query.
pub struct Answer {
    /// What the body is; [`Format::content_type`] of the format asked for.
    pub content_type: &'static str,
    /// The body, made as it is read. An error ends it.
    pub body: BoxStream<'static, Result<Bytes, UpstreamError>>,
}

/// One line that was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// Its number in the request, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
    /// The line, or its beginning.
    pub original: String,
}

/// Why an upstream did not do, or not do all, what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Some lines were not stored: syntax, types, table and column limits, or age.
    #[error("{total_rejected} lines were rejected")]
    LinesRejected {
        /// The first of them, in order.
        lines: Vec<LineError>,
        /// How many there are.
        total_rejected: usize,
        /// How many other lines were stored.
        stored: usize,
    },
    /// Nothing was stored because every line is older than the database keeps points.
    #[error("every line is older than the retention period")]
    OutsideRetention {
        /// The first of them, in order.
        lines: Vec<LineError>,
        /// How many there are.
        total_rejected: usize,
    },
    /// The request makes no sense; the text says why.
    #[error("{0}")]
    Invalid(String),
    /// A statement that this upstream does not support.
    #[error("not implemented: {0}")]
    NotImplemented(String),
    /// Too much is going on: try again.
    #[error("too many requests at the moment: try again")]
    Overloaded {
        /// When it may make sense to try again.
        retry_after: Duration,
    },
    /// The request is larger than the upstream takes at once; the text says how large one may be.
    #[error("{0}")]
    TooLarge(String),
    /// The query needs more memory than it may use; the text says how much.
    #[error("{0}")]
    OutOfMemory(String),
    /// The permit was cut before anything was done.
    #[error("the permit was cut")]
    Cut,
    /// The upstream cannot be reached, cannot store, or is shutting down; the text is fit for clients.
    #[error("{0}")]
    Unavailable(String),
    /// A defect, a full disk, damaged data.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl UpstreamError {
    /// The error and what caused it, for the log: it may repeat a query, and does so without secrets (promise G6).
    pub(crate) fn causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        redact(&text).into_owned()
    }
}
