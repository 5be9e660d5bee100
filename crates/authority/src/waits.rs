//! Waits: since when somebody waits for the nodes, and for how long at most.

use std::time::Duration;

use crate::timers::{Instant, timeout};

/// A fence that somebody waits for, counted for as long as this exists.
pub(crate) struct Counted(());

const WAITING: &str = "rescind_fences_waiting";

impl Counted {
    pub(crate) fn begin() -> Self {
        metrics::gauge!(WAITING).increment(1.0);
        Self(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(WAITING).decrement(1.0);
    }
}

/// A caller's wait for the nodes. It bounds what is waited for, never what is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait {
    /// When the act began.
    pub(crate) began: Instant,
    /// How long after that the caller wants an answer, whatever is known by then.
    patience: Option<Duration>,
}

impl Wait {
    /// A wait that begins now and may take `patience`.
    pub(crate) fn begin(patience: Option<Duration>) -> Self {
        Self {
            began: Instant::now(),
            patience,
        }
    }

    /// A wait that begins now and goes on until all is known: a term and a little at the longest.
    pub(crate) fn to_the_end() -> Self {
        Self::begin(None)
    }

    /// The same wait, without an end before all is known.
    pub(crate) fn to_its_end(self) -> Self {
        Self {
            patience: None,
            ..self
        }
    }

    /// Runs `work`, or as much of it as there is time for.
    pub(crate) async fn bound<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.patience {
            None => Some(work.await),
            // What is ready at once is had without any patience, too.
            Some(patience) => timeout(patience.saturating_sub(self.began.elapsed()), work)
                .await
                .ok(),
        }
    }
}
