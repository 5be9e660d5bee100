//! Why a request of the data plane was not served. One enum; [`crate::responses`] turns it into HTTP.

use rescind_authority::Refusal;
use rescind_domain::Action;

use crate::bodies::BodyError;
use crate::credentials::NoCredential;
use crate::{LineError, UpstreamError};

/// Why a request was not served. `Display` is fit for clients.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    NoCredential(#[from] NoCredential),
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// As [`Refusal::Forbidden`], for a name that no database can have.
    #[error("the token has no permission to {action} database {database:?}")]
    Forbidden { action: Action, database: String },
    /// The token was changed while the request ran, and still covers it.
    #[error("the token's permissions were changed while the request ran: send it again")]
    Interrupted,
    #[error("database {0:?} not found")]
    DatabaseNotFound(String),
    /// A parameter or field; the text names it.
    #[error("{0}")]
    Invalid(String),
    #[error("incoming write was empty")]
    EmptyWrite,
    #[error("unsupported Content-Encoding: send gzip, identity or none")]
    UnsupportedEncoding,
    #[error(
        "no format fits the Accept header: accept application/json, application/jsonl, text/csv, text/plain or application/vnd.apache.parquet, or name one in `format`"
    )]
    NotAcceptable,
    #[error("this method is not allowed here")]
    MethodNotAllowed,
    #[error(transparent)]
    Body(#[from] BodyError),
    /// A batch that was to be stored whole or not at all.
    #[error("{total} lines were rejected")]
    BatchRejected { lines: Vec<LineError>, total: usize },
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl Failure {
    /// The word that counters and logs have for a request that was not admitted; `None` for any other failure.
    pub(crate) fn refusal_reason(&self) -> Option<&'static str> {
        match self {
            Self::NoCredential(NoCredential::Missing) => Some(Refusal::Missing.reason()),
            Self::NoCredential(NoCredential::Malformed) => Some("malformed"),
            Self::Refused(refusal) => Some(refusal.reason()),
            Self::Forbidden { .. } => Some("forbidden"),
            _ => None,
        }
    }

    /// Whether the request's body is of no use any more, not even to be read and forgotten.
    pub(crate) const fn ends_connection(&self) -> bool {
        matches!(self, Self::Body(BodyError::Stalled(_) | BodyError::Broken))
    }
}
