//! The world's time and randomness, held still.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rescind_domain::{Clock, Rng, Stopwatch, Timestamp};

/// A clock that moves only when a test moves it.
#[derive(Debug)]
pub struct FrozenClock(AtomicI64);

impl FrozenClock {
    /// The moment at which [`FrozenClock::default`] stands: 2026-01-02T03:04:05Z.
    pub const START: Timestamp = Timestamp::from_micros(1_767_323_045_000_000);

    /// A clock that stands at `moment`.
    pub const fn at(moment: Timestamp) -> Self {
        Self(AtomicI64::new(moment.micros()))
    }

    /// Moves the clock to `moment`, backwards too: wall clocks step.
    pub fn set(&self, moment: Timestamp) {
        self.0.store(moment.micros(), Ordering::SeqCst);
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a test advances by less than 292,000 years");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Default for FrozenClock {
    fn default() -> Self {
        Self::at(Self::START)
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A stopwatch that moves only when a test moves it.
#[derive(Debug, Default)]
pub struct FrozenStopwatch(AtomicU64);

impl FrozenStopwatch {
    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).expect("a test advances by less than 584 years");
        self.0.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Stopwatch for FrozenStopwatch {
    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// A generator that gives the same bytes for the same seed (SplitMix64). Fit for tests, never for secrets.
#[derive(Debug)]
pub struct SeededRng(AtomicU64);

impl SeededRng {
    /// A generator that starts from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number.
    pub fn next_u64(&self) -> u64 {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0.fetch_add(GOLDEN, Ordering::SeqCst).wrapping_add(GOLDEN);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; `bound` must not be 0. Slightly uneven for huge bounds, which no test notices.
    pub fn below(&self, bound: u64) -> u64 {
        self.next_u64() % bound
    }
}

impl Default for SeededRng {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_only_when_told() {
        let clock = FrozenClock::default();
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clock.now(), FrozenClock::START.plus_micros(1_500_000));
        clock.set(FrozenClock::START);
        assert_eq!(clock.now(), FrozenClock::START);
    }

    #[test]
    fn the_generator_repeats_itself_by_seed() {
        // The first outputs of the reference implementation for the seed 1234567.
        let rng = SeededRng::new(1_234_567);
        assert_eq!(
            [rng.next_u64(), rng.next_u64()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
        let (mut one, mut other) = ([0; 13], [0; 13]);
        SeededRng::new(1).fill(&mut one);
        SeededRng::new(1).fill(&mut other);
        assert_eq!(one, other);
        SeededRng::new(2).fill(&mut other);
        assert_ne!(one, other);
    }
}
