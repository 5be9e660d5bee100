//! Timers: how this process waits and measures. Under simulation they are the simulation's, and nothing else differs.

#[cfg(not(test))]
pub(crate) use std::time::Instant;
#[cfg(not(test))]
pub(crate) use tokio::time::{sleep, timeout};

#[cfg(test)]
pub(crate) use crate::simulation::timers::{Instant, sleep, timeout};
