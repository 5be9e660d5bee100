//! How far a long write has come, on stderr when that is a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use super::batches::Batch;

/// Shorter writes are over before anyone wonders.
const QUIET: Duration = Duration::from_millis(500);
/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(100);

/// Counts what was written.
pub(super) struct Progress {
    started: Instant,
    drawn: Option<Instant>,
    is_shown: bool,
    lines: u64,
    bytes: u64,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            drawn: None,
            is_shown: io::stderr().is_terminal(),
            lines: 0,
            bytes: 0,
        }
    }

    /// Lines of the input that were written.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Counts a batch that was written.
    pub(super) fn add(&mut self, batch: &Batch) {
        self.lines = batch.last_line;
        self.bytes += batch.bytes.len() as u64;
        let is_due = self
            .drawn
            .map_or(self.started.elapsed() > QUIET, |at| at.elapsed() > EVERY);
        if self.is_shown && is_due {
            self.drawn = Some(Instant::now());
            let _ = write!(io::stderr(), "\r{}", self.summary());
        }
    }

    /// Leaves the last line standing.
    pub(super) fn finish(&self) {
        if self.drawn.is_some() {
            let _ = writeln!(io::stderr(), "\r{}", self.summary());
        }
    }

    fn summary(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
        let (megabytes, rate) = (self.bytes as f64 / 1e6, self.lines as f64 / seconds);
        format!("{} lines, {megabytes:.1} MB, {rate:.0} lines/s   ", self.lines)
    }
}
