//! Lets threads pause, and ends them in the middle of a pause.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Beats until it is stopped.
#[derive(Default)]
pub(crate) struct Pulse {
    is_stopped: Mutex<bool>,
    changed: Condvar,
}

impl Pulse {
    /// Waits so long, or until it is stopped. Whether to go on.
    pub(crate) fn wait(&self, pause: Duration) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), pause, |is_stopped| !*is_stopped);
        let (is_stopped, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !*is_stopped
    }

    /// Whether it beats.
    pub(crate) fn beats(&self) -> bool {
        !*self.lock()
    }

    /// Ends every pause, now and from now on.
    pub(crate) fn stop(&self) {
        *self.lock() = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn stopping_ends_a_pause() {
        let pulse = Arc::new(Pulse::default());
        assert!(pulse.wait(Duration::ZERO) && pulse.beats());
        let waiting = std::thread::spawn({
            let pulse = Arc::clone(&pulse);
            move || pulse.wait(Duration::from_secs(3_600))
        });
        pulse.stop();
        assert!(!waiting.join().expect("no panic"));
        assert!(!pulse.beats());
    }
}
