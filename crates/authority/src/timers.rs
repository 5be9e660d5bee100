//! Timers: how this process waits and measures.

pub(crate) use std::time::Instant;
pub(crate) use tokio::time::{sleep, timeout};
