//! Why a command stopped.

use std::fmt;
use std::process::{ExitCode, ExitStatus};

/// A command's result.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a command stopped, and with which exit code the process ends.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Something did not hold.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 2,
        }
    }

    /// A program that was started ended badly: its exit code becomes ours.
    pub(crate) fn ended(what: &str, status: ExitStatus) -> Self {
        Self {
            message: format!("{what}: {status}"),
            code: status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1),
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
