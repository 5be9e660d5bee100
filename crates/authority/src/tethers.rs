//! Tethers: what ties running work to the token that started it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// Cut once, for good. Most work only asks [`Leash::is_cut`] before its effect; work that can be caught half-way (a
/// stream, a slow upload) waits on [`Leash::cut`], and only then does a signal come to exist.
#[derive(Debug, Default)]
pub(crate) struct Leash {
    is_cut: AtomicBool,
    signal: OnceLock<CancellationToken>,
}

impl Leash {
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::SeqCst)
    }

    /// Cuts: everything that waits is woken before this returns.
    pub(crate) fn cut_now(&self) {
        // The flag is set before the signal is looked for, and a waiter makes its signal before it looks at the flag:
        // whichever comes second sees the other.
        self.is_cut.store(true, Ordering::SeqCst);
        if let Some(signal) = self.signal.get() {
            signal.cancel();
        }
    }

    /// Returns once the tether is cut.
    pub(crate) async fn cut(&self) {
        let signal = self.signal.get_or_init(CancellationToken::new);
        if !self.is_cut() {
            signal.cancelled().await;
        }
    }
}
