//! What goes to stderr besides questions: `level<TAB>message` (contract, influxctl section 1).

use std::fmt::Display;
use std::io::{self, Write};

use crate::output::tables::printable;
use crate::secrets::masked;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Results, warnings and errors.
    Normal,
    /// Also which requests are made.
    Debug,
    /// Also their headers and those of the answers, without secrets.
    Trace,
}

/// Writes log lines to stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    verbosity: Verbosity,
}

impl Log {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        Self { verbosity }
    }

    pub(crate) fn error(self, message: impl Display) {
        self.line("error", message);
    }

    pub(crate) fn warn(self, message: impl Display) {
        self.line("warn", message);
    }

    pub(crate) fn info(self, message: impl Display) {
        self.line("info", message);
    }

    pub(crate) fn debug(self, message: impl Display) {
        if self.verbosity >= Verbosity::Debug {
            self.line("debug", message);
        }
    }

    pub(crate) fn trace(self, message: impl Display) {
        if self.verbosity >= Verbosity::Trace {
            self.line("trace", message);
        }
    }

    fn line(self, level: &str, message: impl Display) {
        let message = message.to_string();
        // Only this command breaks lines on purpose, and then in its own words.
        let lines: Vec<String> = message.split('\n').map(printable).collect();
        let lines = lines.join("\n");
        // Nothing is left to tell it to when stderr is gone.
        let _ = writeln!(io::stderr().lock(), "{level}\t{}", masked(&lines));
    }
}
