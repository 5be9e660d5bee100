//! How far a long write has come, in one line that is drawn over itself when someone watches.

use std::io::Write;
use std::time::Duration;

use super::batches::Batch;

/// Shorter writes are over before anyone wonders.
const QUIET: Duration = Duration::from_millis(500);
/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(100);

/// Counts what was written. All times are since the write began.
pub(super) struct Progress<W> {
    /// A terminal, if there is one.
    screen: Option<W>,
    drawn: Option<Duration>,
    lines: u64,
    bytes: u64,
}

impl<W: Write> Progress<W> {
    /// Draws on `screen`; nowhere when there is none.
    pub(super) fn new(screen: Option<W>) -> Self {
        Self {
            screen,
            drawn: None,
            lines: 0,
            bytes: 0,
        }
    }

    /// Lines of the input that were written.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Counts a batch that was written by now.
    pub(super) fn add(&mut self, batch: &Batch, now: Duration) {
        self.lines = batch.last_line;
        self.bytes += batch.bytes.len() as u64;
        let next = self.drawn.map_or(QUIET, |last| last + EVERY);
        if now > next {
            self.draw(now, "");
        }
    }

    /// Leaves the last line standing, if one was drawn.
    pub(super) fn finish(&mut self, now: Duration) {
        if self.drawn.is_some() {
            self.draw(now, "\n");
        }
    }

    fn draw(&mut self, now: Duration, end: &str) {
        let summary = summary(self.lines, self.bytes, now);
        if let Some(screen) = &mut self.screen {
            self.drawn = Some(now);
            // A screen that is gone is no reason to stop writing.
            let _ = write!(screen, "\r{summary}{end}").and_then(|()| screen.flush());
        }
    }
}

/// The spaces at its end cover what is left of a longer line before it.
fn summary(lines: u64, bytes: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
    let (megabytes, rate) = (bytes as f64 / 1e6, lines as f64 / seconds);
    format!("{lines} lines, {megabytes:.1} MB, {rate:.0} lines/s   ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(number: u64) -> Batch {
        Batch {
            number,
            bytes: vec![b'x'; 150_000],
            points: 10_000,
            first_line: (number - 1) * 10_000 + 1,
            last_line: number * 10_000,
        }
    }

    /// What is on the screen after batches that were written by these milliseconds.
    fn drawn(moments: &[u64]) -> String {
        let mut screen = Vec::new();
        let mut progress = Progress::new(Some(&mut screen));
        let mut last = Duration::ZERO;
        for (number, moment) in (1..).zip(moments) {
            last = Duration::from_millis(*moment);
            progress.add(&batch(number), last);
        }
        progress.finish(last);
        String::from_utf8(screen).expect("text")
    }

    #[test]
    fn a_short_write_draws_nothing() {
        assert_eq!(drawn(&[100, 500]), "");
    }

    #[test]
    fn a_long_write_draws_now_and_then_and_ends_its_line() {
        assert_eq!(
            drawn(&[250, 1_000, 1_100, 2_000]),
            "\r20000 lines, 0.3 MB, 20000 lines/s   \r40000 lines, 0.6 MB, 20000 lines/s   \
             \r40000 lines, 0.6 MB, 20000 lines/s   \n"
        );
    }

    #[test]
    fn without_a_terminal_lines_are_counted_only() {
        let mut progress = Progress::new(None::<Vec<u8>>);
        progress.add(&batch(1), Duration::from_secs(9));
        progress.finish(Duration::from_secs(9));
        assert_eq!((progress.lines(), progress.drawn), (10_000, None));
    }

    #[test]
    fn the_first_moment_has_a_rate() {
        assert_eq!(summary(3, 40, Duration::ZERO), "3 lines, 0.0 MB, 3000 lines/s   ");
    }
}
