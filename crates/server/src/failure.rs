//! Why a command of `rescind` ended without doing what it was asked, and what its exit code says about it.

use std::error::Error;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use rescind_domain::Chain;

/// Told to whoever started the process, on stderr.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: u8,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Exit code 1: it was tried and failed.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            exit: 1,
            message: message.into(),
            source: None,
        }
    }

    /// Exit code 1, with the reason beneath.
    pub(crate) fn because(
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            exit: 1,
            message: message.into(),
            source: Some(source.into()),
        }
    }

    /// The same with exit code 2: what was asked for cannot be.
    pub(crate) fn into_usage(mut self) -> Self {
        self.exit = 2;
        self
    }

    /// Says it on stderr, with everything beneath it, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(std::io::stderr().lock(), "error: {}", Chain(self));
        ExitCode::from(self.exit)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

impl From<rescind_authority::Error> for Failure {
    fn from(error: rescind_authority::Error) -> Self {
        use rescind_authority::Error::{Internal, Unavailable};
        match error {
            Unavailable(source) => Self::because("the catalog is unavailable", source),
            Internal(source) => Self::because("the catalog or rescind itself is defective", source),
            other => Self::new(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_beneath_is_said_once() {
        let inner = Failure::because("the file is gone", std::io::Error::other("no such inode"));
        let outer = Failure::because("cannot start", inner);
        assert_eq!(
            Chain(&outer).to_string(),
            "cannot start: the file is gone: no such inode"
        );
    }
}
