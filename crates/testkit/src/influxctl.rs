//! Runs the real `influxctl` and keeps what it said.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::binaries::binary;

/// Runs `influxctl` with one configuration file, in a home directory of its own.
pub struct Influxctl {
    config: Option<PathBuf>,
    variables: Vec<(String, String)>,
    home: TempDir,
}

/// How a run of a program ended.
#[derive(Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code; -1 when a signal ended the program.
    pub code: i32,
    /// What it printed on stdout.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
}

impl Influxctl {
    /// `influxctl --config CONFIG …`.
    pub fn new(config: impl Into<PathBuf>) -> Self {
        Self {
            config: Some(config.into()),
            ..Self::bare()
        }
    }

    /// `influxctl …` without `--config`, in an empty home directory.
    pub fn bare() -> Self {
        Self {
            config: None,
            variables: Vec::new(),
            home: tempfile::tempdir().expect("a temporary directory can be made"),
        }
    }

    /// The same, with this environment variable in every run.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs with these arguments and an empty stdin.
    pub fn run<A: AsRef<str>>(&self, arguments: &[A]) -> Outcome {
        self.run_with_stdin(arguments, "")
    }

    /// Runs with these arguments and feeds `stdin`, then closes it.
    pub fn run_with_stdin<A: AsRef<str>>(&self, arguments: &[A], stdin: impl AsRef<[u8]>) -> Outcome {
        let mut command = self.command();
        command.args(arguments.iter().map(AsRef::as_ref));
        Outcome::of(&mut command, stdin.as_ref())
    }

    /// The command with configuration and environment set, for tests that want to drive it themselves.
    /// No variable of the test's own environment reaches it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary("influxctl"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("COLUMNS", "110")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path());
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command
    }
}

impl Outcome {
    /// Runs any program to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn of(command: &mut Command, stdin: &[u8]) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", command.get_program().display()));
        let mut pipe = child.stdin.take().expect("stdin is a pipe");
        let output = thread::scope(|scope| {
            // A program may end without reading its input: a broken pipe is no failure.
            scope.spawn(move || pipe.write_all(stdin));
            child.wait_with_output().expect("a child can be waited for")
        });
        Self::from(output)
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Exit code and both streams, as a snapshot shows them.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit code: {}", self.code)?;
        writeln!(f, "--- stdout\n{}", self.stdout.trim_end_matches('\n'))?;
        writeln!(f, "--- stderr\n{}", self.stderr.trim_end_matches('\n'))
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_code_and_both_streams_and_feeds_stdin() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "cat; echo oops >&2; exit 3"]);
        let outcome = Outcome::of(&mut shell, b"hello\n");
        assert_eq!(
            outcome.to_string(),
            "exit code: 3\n--- stdout\nhello\n--- stderr\noops\n"
        );
    }

    #[test]
    fn a_program_that_reads_nothing_is_no_failure() {
        let outcome = Outcome::of(&mut Command::new("true"), &vec![b'x'; 1 << 20]);
        assert_eq!(outcome.code, 0);
    }
}
