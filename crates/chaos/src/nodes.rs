//! One node: a real `rescind serve`, in all its lives.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rescind_testkit::{Signal, binary};
use rustix::process::{Pid, kill_process};

/// A node's process, its data directory and its port, which stay the same from life to life.
pub(crate) struct Node {
    name: String,
    place: PathBuf,
    port: u16,
    arguments: Vec<String>,
    child: Option<Child>,
    /// When it was last launched.
    launched: Instant,
    wanted: Wanted,
}

/// What ought to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Up,
    Down,
    /// Asked to leave at that time.
    Leaving(Instant),
}

/// How long a node that did not start is left alone.
const RETRY: Duration = Duration::from_millis(500);
/// How long a node may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(30);

impl Node {
    /// A node that keeps everything below `place`, not yet started.
    ///
    /// # Errors
    /// No port is free, or nothing can be written there.
    pub(crate) fn new(name: &str, place: &Path, arguments: Vec<String>) -> io::Result<Self> {
        fs::create_dir_all(place)?;
        Ok(Self {
            name: name.to_owned(),
            place: place.to_owned(),
            port: TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(),
            arguments,
            child: None,
            launched: Instant::now(),
            wanted: Wanted::Down,
        })
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything that it remembers.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.place.join(format!("{}-data", self.name))
    }

    /// What it logged in all its lives.
    pub(crate) fn log(&self) -> PathBuf {
        self.place.join(format!("{}.log", self.name))
    }

    /// Whether it has said that it serves, in its present life.
    pub(crate) fn is_ready(&self) -> bool {
        self.child.is_some() && fs::read_to_string(self.out()).is_ok_and(|text| text.starts_with("ready "))
    }

    /// Starts it, or lets it be if it runs.
    ///
    /// # Errors
    /// The program cannot be started at all.
    pub(crate) fn start(&mut self) -> io::Result<()> {
        self.wanted = Wanted::Up;
        if self.child.is_none() {
            self.launch()?;
        }
        Ok(())
    }

    /// Stops its time (SIGSTOP).
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets its time go on (SIGCONT).
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it without warning (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.wanted = Wanted::Down;
        if let Some(mut child) = self.child.take() {
            // A child can be killed and waited for, unless it is gone, which is all that is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to leave (SIGTERM).
    pub(crate) fn leave(&mut self) {
        self.wanted = Wanted::Leaving(Instant::now());
        self.signal(Signal::TERM);
    }

    /// Whether it is still about to leave.
    pub(crate) const fn is_leaving(&self) -> bool {
        self.child.is_some() && matches!(self.wanted, Wanted::Leaving(_))
    }

    /// How it ended, if it did, without looking after it.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child
            .as_mut()
            .and_then(|child| child.try_wait().ok().flatten())
    }

    /// Looks after it: starts it again where it should run, and says what nobody asked for.
    ///
    /// # Errors
    /// The program cannot be started at all.
    pub(crate) fn tend(&mut self) -> io::Result<Option<String>> {
        let Some(child) = &mut self.child else {
            if self.wanted == Wanted::Up && self.launched.elapsed() > RETRY {
                self.launch()?;
            }
            return Ok(None);
        };
        match (child.try_wait()?, self.wanted) {
            (Some(status), wanted) => {
                let was_ready = self.is_ready();
                self.child = None;
                Ok(self.judge(status, wanted, was_ready))
            }
            (None, Wanted::Leaving(since)) if since.elapsed() > FAREWELL => {
                self.kill();
                Ok(Some(format!(
                    "{} did not end within {FAREWELL:?} of SIGTERM",
                    self.name
                )))
            }
            (None, _) => Ok(None),
        }
    }

    /// A node may fail to start while the catalog is away; once it serves, it has no reason to end by itself.
    fn judge(&self, status: ExitStatus, wanted: Wanted, was_ready: bool) -> Option<String> {
        match wanted {
            // Before it serves it may not have got so far as to listen to signals.
            Wanted::Leaving(_) if was_ready && !status.success() => {
                Some(format!("{} ended with {status} after SIGTERM", self.name))
            }
            Wanted::Up if was_ready => Some(format!("{} ended by itself with {status}", self.name)),
            _ => None,
        }
    }

    fn launch(&mut self) -> io::Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let out = File::create(self.out())?;
        let child = Command::new(binary("rescind"))
            .arg("serve")
            .arg("--data-dir")
            .arg(self.data_dir())
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .args(["--node-name", &self.name])
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(log)
            .spawn()?;
        self.child = Some(child);
        self.launched = Instant::now();
        Ok(())
    }

    fn out(&self) -> PathBuf {
        self.place.join(format!("{}.out", self.name))
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            // One that has just ended hears nothing, and is looked after in a moment.
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
