//! Tethers: what ties running work to the token that started it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock};

use std::time::Duration;

use rescind_domain::{Clock, Tether, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::grants::Entry;

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
        fence(Ordering::SeqCst);
        if let Some(signal) = self.signal.get() {
            signal.cancel();
        }
    }

    /// Returns once the tether is cut.
    pub(crate) async fn cut(&self) {
        let signal = self.signal.get_or_init(CancellationToken::new);
        fence(Ordering::SeqCst);
        if !self.is_cut() {
            signal.cancelled().await;
        }
    }
}

/// The tether of a token that expires: cut with the token, and at its end.
#[derive(Clone)]
pub(crate) struct Expiring {
    pub(crate) entry: Arc<Entry>,
    pub(crate) end: Timestamp,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The wall clock may be set while work waits for its end: it is looked at this often.
const LOOK: Duration = Duration::from_secs(1);

impl Expiring {
    /// Returns once the token is cut or has expired.
    pub(crate) async fn cut(&self) {
        tokio::select! {
            () = self.entry.cut() => {}
            () = self.ended() => {}
        }
    }

    async fn ended(&self) {
        loop {
            let left = self.end.micros().saturating_sub(self.clock.now().micros());
            match u64::try_from(left) {
                Ok(left) if left > 0 => tokio::time::sleep(Duration::from_micros(left).min(LOOK)).await,
                _ => return,
            }
        }
    }
}

impl Tether for Expiring {
    fn is_cut(&self) -> bool {
        self.entry.is_cut() || self.clock.now() >= self.end
    }
}

impl fmt::Debug for Expiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} until {}", self.entry, self.end)
    }
}
