//! The engine's housekeeping thread: persists when the buffer is full or old, then compacts.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::engine::Inner;
use crate::errors::Error;
use crate::manifest::Manifest;

/// Wakes and ends the thread, and keeps rounds one after the other.
#[derive(Debug)]
pub(crate) struct Maintenance {
    signal: Arc<Signal>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Held while files and manifest change.
    pub(crate) round: Mutex<Round>,
}

/// What rounds leave to one another.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) first_segment: u64,
    pub(crate) next_file: u64,
}

#[derive(Debug, Default)]
struct Signal {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_woken: bool,
    is_closed: bool,
}

impl Maintenance {
    pub(crate) fn new(manifest: &Manifest) -> Self {
        Self {
            signal: Arc::default(),
            thread: Mutex::default(),
            round: Mutex::new(Round {
                first_segment: manifest.first_segment,
                next_file: manifest.next_file,
            }),
        }
    }

    pub(crate) fn start(inner: &Arc<Inner>) -> Result<(), Error> {
        let weak = Arc::downgrade(inner);
        let signal = Arc::clone(&inner.maintenance.signal);
        let interval = inner.settings.persist_interval;
        let run = move || {
            loop {
                let deadline = Instant::now() + interval;
                let mut state = signal.state.lock();
                while !state.is_woken && !state.is_closed {
                    if signal.wake.wait_until(&mut state, deadline).timed_out() {
                        break;
                    }
                }
                if state.is_closed {
                    return;
                }
                state.is_woken = false;
                drop(state);
                let Some(inner) = weak.upgrade() else { return };
                if let Err(error) = inner.maintain() {
                    let source = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, source, "cannot persist or compact; the log keeps the points");
                }
            }
        };
        let thread = thread::Builder::new()
            .name("rescind-files".to_owned())
            .spawn(run)
            .map_err(|error| Error::Stopped(format!("cannot start a thread: {error}")))?;
        *inner.maintenance.thread.lock() = Some(thread);
        Ok(())
    }

    /// Has the thread begin a round soon.
    pub(crate) fn wake(&self) {
        self.signal.state.lock().is_woken = true;
        self.signal.wake.notify_one();
    }

    /// Ends the thread after the round that it is in.
    pub(crate) fn close(&self) {
        self.signal.state.lock().is_closed = true;
        self.signal.wake.notify_one();
        let Some(handle) = self.thread.lock().take() else {
            return;
        };
        // The last reference to the engine may be this thread's own.
        if handle.thread().id() != thread::current().id() && handle.join().is_err() {
            tracing::error!("the housekeeping thread panicked");
        }
    }
}

impl Inner {
    fn maintain(self: &Arc<Self>) -> Result<(), Error> {
        self.persist_now()?;
        self.compact_now()
    }
}
