//! The machine's clock, and the only place that waits: tests bring their own.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rescind_domain::Timestamp;

/// What time it is, how long it has been, and waiting.
pub(crate) trait Clock {
    /// The date and time; may be set forth and back.
    fn now(&self) -> Timestamp;

    /// Time since some moment; never goes back.
    fn elapsed(&self) -> Duration;

    /// Returns after `duration`.
    fn wait(&self, duration: Duration);
}

/// The machine's.
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else takes"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn wait(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}
