//! What the world supplies: the time and randomness. Passed in everywhere, so that tests freeze both.

use crate::Timestamp;

/// Tells the wall-clock time, for what people read and for expiry; never for leases.
pub trait Clock: Send + Sync {
    /// The current time in UTC.
    fn now(&self) -> Timestamp;
}

/// Supplies randomness fit for secrets.
pub trait Rng: Send + Sync {
    /// Fills the whole of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Measures time that passes, for leases: steadily, while the machine is suspended too, and whatever is done to the
/// wall clock.
pub trait Stopwatch: Send + Sync {
    /// Time since some fixed moment, the same for all calls in this process.
    fn elapsed(&self) -> std::time::Duration;
}
