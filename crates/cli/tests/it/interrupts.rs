//! What is told to whoever does not wait for the end of a revocation.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::stub::{Ctl, Stub};

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a command ends that is sent these signals while a server thinks about what it was asked.
fn interrupted(arguments: &[&str], signals: &[Signal], start: fn(Command) -> Command) -> Output {
    let (asked, asking) = channel();
    let asked = Mutex::new(asked);
    let stub = Stub::serve(move |_| {
        asked.lock().expect("no panic").send(()).expect("somebody waits");
        loop {
            thread::park();
        }
    });
    let ctl = Ctl::new(stub.port);
    let child = start(ctl.command(arguments)).spawn().expect("starts");
    asking.recv_timeout(PATIENCE).expect("it asks");
    let id = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    for signal in signals {
        kill(id, *signal).expect("a child can be signalled");
    }
    let (end, ending) = channel();
    thread::spawn(move || end.send(child.wait_with_output()));
    ending
        .recv_timeout(PATIENCE)
        .expect("it ends")
        .expect("is waited for")
}

/// As a shell starts what shall not be interrupted.
fn without_interrupts(command: Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "trap '' INT; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(command.get_current_dir().expect("set"))
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    shell
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    shell
}

const ID: &str = "33333333-3333-4333-8333-333333333333";

#[test]
fn whoever_interrupts_a_revocation_is_told_that_it_may_be_done() {
    for kind in ["token", "management"] {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let ended = interrupted(&[kind, "revoke", "--force", ID], &[signal], |command| command);
            // A shell says 130 or 143.
            assert_eq!(ended.status.signal(), Some(signal as i32), "{ended:?}");
            insta::assert_snapshot!("interrupted", String::from_utf8_lossy(&ended.stderr));
        }
    }
}

#[test]
fn a_signal_that_is_ignored_interrupts_nothing() {
    let signals = [Signal::SIGINT, Signal::SIGTERM];
    let ended = interrupted(&["token", "revoke", "--force", ID], &signals, without_interrupts);
    assert_eq!(ended.status.signal(), Some(Signal::SIGTERM as i32), "{ended:?}");
    insta::assert_snapshot!("interrupted", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn whoever_interrupts_a_read_is_told_nothing() {
    let ended = interrupted(&["token", "list"], &[Signal::SIGINT], |command| command);
    assert_eq!(ended.status.signal(), Some(Signal::SIGINT as i32), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}
