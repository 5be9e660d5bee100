//! How the command ends: exit codes, and the errors that lead to them.

use std::process::ExitCode;

use crate::api::ApiError;
use crate::login::LoginError;

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments make no sense together.
    #[error("{0}")]
    Usage(String),
    /// Something went wrong.
    #[error("{0}")]
    Failed(String),
    /// Some of several things went wrong, and each was told when it happened.
    #[error("not everything was done")]
    Told,
    /// The question was not answered with yes.
    #[error("not confirmed: nothing was changed")]
    Declined,
    /// Whoever read the output stopped reading it, as `head` does.
    #[error("the output was closed")]
    Closed,
}

impl Failure {
    /// The exit code: 0 done, 1 failed, 2 usage, 3 not confirmed.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Closed => 0,
            Self::Failed(_) | Self::Told => 1,
            Self::Usage(_) => 2,
            Self::Declined => 3,
        })
    }

    /// For `map_err`: `what: error`.
    pub(crate) fn because<E: std::fmt::Display>(what: impl std::fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self::Failed(format!("{what}: {error}"))
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        Self::Failed(error.to_string())
    }
}
