//! Interruptions: what Ctrl-C leaves behind where a server may have done already what it was asked.

use crate::log::Log;

/// Runs `work`. A signal that ends this command meanwhile still does, but `words` are said first.
#[cfg(unix)]
pub(crate) fn explained<T>(log: Log, words: &'static str, work: impl FnOnce() -> T) -> T {
    use nix::sys::signal::{Signal, raise};

    let signals = Signal::SIGINT | Signal::SIGTERM;
    // Threads inherit it: from here on the one below is the only one that hears of them.
    if signals.thread_block().is_err() {
        return work();
    }
    let listener = std::thread::Builder::new().spawn(move || {
        if let Ok(signal) = signals.wait() {
            log.warn(words);
            // By the signal itself, so that a shell ends the loop that this command may be in.
            let _ = signals.thread_unblock().and_then(|()| raise(signal));
        }
    });
    if listener.is_err() {
        let _ = signals.thread_unblock();
        return work();
    }
    let done = work();
    let _ = signals.thread_unblock();
    done
}

/// Runs `work`.
#[cfg(not(unix))]
pub(crate) fn explained<T>(_: Log, _: &'static str, work: impl FnOnce() -> T) -> T {
    work()
}
