//! Terms: until when this node may admit without hearing from the catalog.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rescind_domain::Stopwatch;

use crate::timers::sleep;

/// How far the rate of a machine's clock may be off, as the part of a term by which nodes stop earlier and fences wait
/// longer: one in a hundred. Crystals are off by less than one in ten thousand, and slewing adds five.
const DRIFT: u32 = 100;

/// The end of this node's present term, on its own stopwatch.
pub(crate) struct Term {
    /// Nanoseconds; [`ENDLESS`] where one process is all there is.
    until: AtomicU64,
    stopwatch: Arc<dyn Stopwatch>,
}

const ENDLESS: u64 = u64::MAX;

impl Term {
    /// A term without end: nobody else acts on the catalog.
    pub(crate) const fn endless(stopwatch: Arc<dyn Stopwatch>) -> Self {
        Self {
            until: AtomicU64::new(ENDLESS),
            stopwatch,
        }
    }

    /// A term that is over before it began: a lease must be had first.
    pub(crate) const fn over(stopwatch: Arc<dyn Stopwatch>) -> Self {
        Self {
            until: AtomicU64::new(0),
            stopwatch,
        }
    }

    /// Whether the node may admit at this moment.
    pub(crate) fn holds(&self) -> bool {
        match self.until.load(Ordering::Acquire) {
            ENDLESS => true,
            until => nanos(self.stopwatch.elapsed()) < until,
        }
    }

    /// How much of it is left; `None` if it has no end.
    pub(crate) fn left(&self) -> Option<Duration> {
        match self.until.load(Ordering::Acquire) {
            ENDLESS => None,
            until => Some(Duration::from_nanos(
                until.saturating_sub(nanos(self.stopwatch.elapsed())),
            )),
        }
    }

    /// Lets the term last until `ttl` after `asked`, less the drift: the moment before the renewal was sent, because the
    /// others count from when it arrived at the latest.
    pub(crate) fn extend(&self, asked: Duration, ttl: Duration) {
        self.until
            .fetch_max(nanos(asked + (ttl - ttl / DRIFT)), Ordering::AcqRel);
    }

    /// Ends the term at once.
    pub(crate) fn end(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// Returns once the term is over. Not for long: it may be extended meanwhile.
    pub(crate) async fn ended(&self) {
        loop {
            let until = match self.until.load(Ordering::Acquire) {
                ENDLESS => return std::future::pending().await,
                until => until,
            };
            let left = until.saturating_sub(nanos(self.stopwatch.elapsed()));
            if left == 0 {
                return;
            }
            sleep(Duration::from_nanos(left)).await;
        }
    }
}

/// How long others must wait until a term of `ttl` that may just have begun is over.
pub(crate) fn outlasting(ttl: Duration) -> Duration {
    ttl + ttl / DRIFT
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(ENDLESS - 1)
}
