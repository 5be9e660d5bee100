//! Interruptions: what Ctrl-C leaves behind where a server may have done already what it was asked.

use crate::log::Log;

/// Runs `work`. A signal that ends this command meanwhile still does, but `words` are said first.
#[cfg(unix)]
pub(crate) fn explained<T>(log: Log, words: &'static str, work: impl FnOnce() -> T) -> T {
    use nix::sys::signal::{Signal, raise};

    let mut signals = Signal::SIGINT | Signal::SIGTERM;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        if is_ignored(signal) {
            signals.remove(signal);
        }
    }
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

/// Whether whoever started this command had it ignore the signal, as `nohup` and `&` in a script do: waiting would hear it
/// all the same. Told by Linux alone (proc(5), `SigIgn`).
#[cfg(unix)]
fn is_ignored(signal: nix::sys::signal::Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal as i32 - 1) & 1 == 1)
}

/// Runs `work`.
#[cfg(not(unix))]
pub(crate) fn explained<T>(_: Log, _: &'static str, work: impl FnOnce() -> T) -> T {
    work()
}
