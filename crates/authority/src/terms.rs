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
    /// Nanoseconds; [`ENDLESS`] where one process is all there is, [`OVER`] until it is extended, [`ENDED`] for good.
    until: AtomicU64,
    stopwatch: Arc<dyn Stopwatch>,
}

const ENDLESS: u64 = u64::MAX;
/// No moment is before it.
const OVER: u64 = 1;
const ENDED: u64 = 0;

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
            until: AtomicU64::new(OVER),
            stopwatch,
        }
    }

    /// Whether the node may admit at this moment.
    pub(crate) fn holds(&self) -> bool {
        if self.until.load(Ordering::Acquire) == ENDLESS {
            return true;
        }
        // The clock first: whoever is held up before he has read it must not go by an end that has been moved to the present
        // meanwhile. Nobody waits for a node that gave its lease up.
        let now = nanos(self.stopwatch.elapsed());
        now < self.until.load(Ordering::Acquire)
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
        let end = nanos(asked + (ttl - ttl / DRIFT));
        self.move_end(|until| until.max(end));
    }

    /// Ends the term at once.
    pub(crate) fn end(&self) {
        self.move_end(|_| OVER);
    }

    /// Ends the term at once, an endless one too, and whatever comes of a renewal that is under way.
    pub(crate) fn end_for_good(&self) {
        self.until.store(ENDED, Ordering::Release);
    }

    /// Unless it has ended for good.
    fn move_end(&self, to: impl Fn(u64) -> u64) {
        let moved = |until| (until != ENDED).then(|| to(until));
        // The error is that it has.
        let _ended = self
            .until
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, moved);
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
    u64::try_from(duration.as_nanos()).map_or(ENDLESS - 1, |nanos| nanos.max(OVER))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use rescind_testkit::FrozenStopwatch;

    use super::*;

    const TTL: Duration = Duration::from_secs(5);
    /// A term less the drift.
    const LASTS: Duration = Duration::from_millis(4_950);

    fn term() -> (Arc<FrozenStopwatch>, Term) {
        let stopwatch = Arc::new(FrozenStopwatch::default());
        stopwatch.advance(Duration::from_secs(100));
        (Arc::clone(&stopwatch), Term::over(stopwatch))
    }

    #[test]
    fn a_term_lasts_from_before_its_renewal_was_sent_to_the_drift_before_its_end() {
        let (stopwatch, term) = term();
        assert!(!term.holds(), "a lease must be had first");
        let asked = stopwatch.elapsed();
        stopwatch.advance(Duration::from_secs(2));
        term.extend(asked, TTL);
        assert_eq!(term.left(), Some(LASTS - Duration::from_secs(2)));
        stopwatch.advance(LASTS - Duration::from_secs(2) - Duration::from_nanos(1));
        assert!(term.holds());
        stopwatch.advance(Duration::from_nanos(1));
        assert!(!term.holds());
    }

    #[test]
    fn an_earlier_renewal_that_is_answered_later_shortens_nothing() {
        let (stopwatch, term) = term();
        let asked = stopwatch.elapsed();
        term.extend(asked + Duration::from_secs(1), TTL);
        term.extend(asked, TTL);
        assert_eq!(term.left(), Some(LASTS + Duration::from_secs(1)));
    }

    #[test]
    fn a_term_that_was_ended_is_over_at_once_until_it_is_renewed() {
        let (stopwatch, term) = term();
        term.extend(stopwatch.elapsed(), TTL);
        term.end();
        assert!(!term.holds());
        term.extend(stopwatch.elapsed(), TTL);
        assert!(term.holds());
    }

    #[test]
    fn a_term_that_was_ended_for_good_is_not_renewed() {
        let (stopwatch, term) = term();
        for term in [term, Term::endless(Arc::clone(&stopwatch) as _)] {
            term.extend(stopwatch.elapsed(), TTL);
            assert!(term.holds());
            term.end_for_good();
            term.extend(stopwatch.elapsed(), TTL);
            assert!(!term.holds());
            term.end();
            term.extend(stopwatch.elapsed(), TTL);
            assert!(!term.holds());
            assert!(term.ended().now_or_never().is_some());
        }
    }

    /// A thread that is held up while it looks at the clock.
    #[derive(Default)]
    struct Slow(std::sync::OnceLock<std::sync::Weak<Term>>);

    impl Stopwatch for Slow {
        fn elapsed(&self) -> Duration {
            if let Some(term) = self.0.get().and_then(std::sync::Weak::upgrade) {
                term.end();
            }
            Duration::from_secs(1)
        }
    }

    #[test]
    fn a_term_that_is_ended_while_somebody_looks_at_the_clock_holds_no_more() {
        let stopwatch = Arc::new(Slow::default());
        let term = Arc::new(Term::over(Arc::clone(&stopwatch) as _));
        term.extend(stopwatch.elapsed(), TTL);
        assert!(term.holds());
        stopwatch.0.set(Arc::downgrade(&term)).expect("once");
        assert!(!term.holds());
    }

    #[test]
    fn whoever_waits_for_the_end_learns_of_it() {
        let (stopwatch, term) = term();
        assert!(term.ended().now_or_never().is_some());
        term.extend(stopwatch.elapsed(), TTL);
        stopwatch.advance(LASTS);
        assert!(term.ended().now_or_never().is_some());
        let endless = Term::endless(stopwatch);
        assert!(endless.holds());
        assert!(endless.ended().now_or_never().is_none());
    }

    /// The assumption of the whole protocol, in figures: the slowest clock that is allowed for ends its term before the
    /// fastest has outlasted it.
    #[test]
    fn the_fastest_clock_outlasts_the_slowest() {
        for millis in (1_000..=60_000).step_by(7) {
            let ttl = Duration::from_millis(millis);
            let (stopwatch, term) = term();
            term.extend(stopwatch.elapsed(), ttl);
            let lasts = term.left().expect("an end").as_secs_f64() / 0.990_001;
            let waits = outlasting(ttl).as_secs_f64() / 1.009_999;
            assert!(lasts <= waits, "{ttl:?}: {lasts} > {waits}");
        }
    }
}
