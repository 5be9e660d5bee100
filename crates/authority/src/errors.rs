//! Why an act was not done. Transport-free: each face maps these to its own codes, in one place.

use rescind_domain::{DatabaseToken, Forbidden, SecretError, SecretKind};

/// Why a use case did not do what it was asked. Nothing was changed, except as [`Error::Unavailable`] and
/// [`Error::Partly`] say.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do this, on this account.
    #[error("{0}")]
    Forbidden(String),
    /// What the request names does not exist, as far as the caller may know.
    #[error("{what} {name} not found")]
    NotFound {
        /// What kind of thing: "database token".
        what: &'static str,
        /// What the request called it.
        name: String,
    },
    /// The caller's token ended before its act began.
    #[error(transparent)]
    Refused(Refusal),
    /// The state of things does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// The token is not what the caller last saw of it.
    #[error("the token was changed in the meantime: look at it as it is now, then decide again")]
    Changed(Box<DatabaseToken>),
    /// The request contradicts itself or a rule.
    #[error("{field}: {message}")]
    Invalid {
        /// The request's field.
        field: &'static str,
        /// What is wrong with it and what would be right.
        message: String,
    },
    /// The catalog cannot be reached, or a change that was made could not be applied yet. The act may or may not have
    /// been done; repeating it is safe.
    #[error("the catalog is unavailable, so nothing can be said for certain: try again")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An act that goes piece by piece failed after the first, for this reason. What is done stays.
    #[error("{0} (part of it may be done: repeating the call is safe, and waits for that part, too)")]
    Partly(Box<Error>),
    /// A defect or damaged data.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn not_found(what: &'static str, name: impl ToString) -> Self {
        Self::NotFound {
            what,
            name: name.to_string(),
        }
    }

    /// The same, for somebody else whom it befell, too.
    pub(crate) fn befell_all(&self) -> Self {
        let told = || self.to_string().into();
        match self {
            Self::Unavailable(_) => Self::Unavailable(told()),
            _ => Self::Internal(told()),
        }
    }

    pub(crate) fn invalid(field: &'static str, reason: impl ToString) -> Self {
        Self::Invalid {
            field,
            message: reason.to_string(),
        }
    }
}

impl From<rescind_catalog::Error> for Error {
    fn from(error: rescind_catalog::Error) -> Self {
        match error {
            rescind_catalog::Error::Conflict { .. } => Self::Conflict(error.to_string()),
            rescind_catalog::Error::Cursor => Self::invalid("cursor", error),
            rescind_catalog::Error::Unavailable(_)
            | rescind_catalog::Error::Uncertain(_)
            | rescind_catalog::Error::Rewound { .. }
            | rescind_catalog::Error::NewerSchema { .. } => Self::Unavailable(Box::new(error)),
            other => Self::Internal(Box::new(other)),
        }
    }
}

/// Why a request was not admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It carries no token.
    #[error("no token was given")]
    Missing,
    /// What it carries cannot be a token.
    #[error(transparent)]
    Malformed(#[from] SecretError),
    /// No such token was ever made here.
    #[error("the token is unknown")]
    Unknown,
    /// The token was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// A token of the other kind.
    #[error("{} {presented} does not work here, a {wanted} is needed", article(*presented))]
    WrongKind {
        /// The kind given.
        presented: SecretKind,
        /// The kind needed.
        wanted: SecretKind,
    },
    /// The token is good, but not for this.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// This node cannot know whether the token still holds (promise G3).
    #[error("this node cannot tell at the moment whether the token holds: try again")]
    Unavailable,
    /// The same for good, whatever this node waits for: the catalog went back, or is a newer release's by now.
    #[error("this node is closed for good: it must be started anew")]
    Closed,
}

/// Before the name of this kind.
const fn article(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::Access | SecretKind::Invitation => "an",
        SecretKind::Database | SecretKind::Management | SecretKind::Session | SecretKind::Device => "a",
    }
}

impl Refusal {
    /// One word for counters and logs.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed(_) => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::WrongKind { .. } => "wrong_kind",
            Self::Forbidden(_) => "forbidden",
            Self::Unavailable | Self::Closed => "unavailable",
        }
    }
}
