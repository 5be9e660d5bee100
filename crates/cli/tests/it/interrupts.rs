//! What is told to whoever does not wait for the end of a revocation.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::stub::{Ctl, Stub};

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a command ends that is sent this signal while a server thinks about what it was asked.
fn interrupted(arguments: &[&str], signal: Signal) -> Output {
    let (asked, asking) = channel();
    let asked = Mutex::new(asked);
    let stub = Stub::serve(move |_| {
        asked.lock().expect("no panic").send(()).expect("somebody waits");
        loop {
            thread::park();
        }
    });
    let ctl = Ctl::new(stub.port);
    let child = ctl.command(arguments).spawn().expect("starts");
    asking.recv_timeout(PATIENCE).expect("it asks");
    let id = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(id, signal).expect("a child can be signalled");
    child.wait_with_output().expect("ends")
}

const ID: &str = "33333333-3333-4333-8333-333333333333";

#[test]
fn whoever_interrupts_a_revocation_is_told_that_it_may_be_done() {
    for kind in ["token", "management"] {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let ended = interrupted(&[kind, "revoke", "--force", ID], signal);
            // A shell says 130 or 143.
            assert_eq!(ended.status.signal(), Some(signal as i32), "{ended:?}");
            insta::assert_snapshot!("interrupted", String::from_utf8_lossy(&ended.stderr));
        }
    }
}

#[test]
fn whoever_interrupts_a_read_is_told_nothing() {
    let ended = interrupted(&["token", "list"], Signal::SIGINT);
    assert_eq!(ended.status.signal(), Some(Signal::SIGINT as i32), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}
