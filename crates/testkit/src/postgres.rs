//! A PostgreSQL server of its own for a test, gone with it.

use std::fs;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

/// How long initialisation and start may take together on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running PostgreSQL with one empty database `rescind`; dropping it stops it and removes its files.
pub struct Postgres {
    child: Option<Child>,
    port: u16,
    bin: PathBuf,
    owner: Owner,
    place: PathBuf,
    settings: Vec<String>,
    // Removed after the server has stopped: fields are dropped after `drop`.
    _dir: Option<TempDir>,
}

/// How a server that runs is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Connections are closed and everything is written (SIGINT).
    Fast,
    /// Nothing is written: the next start recovers from the log (SIGQUIT).
    Immediate,
    /// `kill -9` of the first process; the others notice that it is gone.
    Killed,
}

impl Postgres {
    /// Starts a server on a free loopback port.
    ///
    /// # Errors
    /// A reason that a test can print when the machine has no PostgreSQL or it does not start.
    pub fn start() -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let mut server = Self::start_in(dir.path(), &[])?;
        server._dir = Some(dir);
        Ok(server)
    }

    /// Starts a server that has TLS, with this certificate and its key as PEM.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with_tls(certificate: &str, key: &str) -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let owner = Owner::find()?;
        let (certificate_file, key_file) = (dir.path().join("server.crt"), dir.path().join("server.key"));
        for (file, text) in [(&certificate_file, certificate), (&key_file, key)] {
            let written = owner.keep(file, text);
            written.map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let settings = [
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", certificate_file.display()),
            format!("ssl_key_file={}", key_file.display()),
        ];
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        let mut server = Self::start_in(dir.path(), &settings)?;
        server._dir = Some(dir);
        Ok(server)
    }

    /// Starts a server that keeps everything in this empty directory, which stays behind, with more settings such as
    /// `fsync=off`.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_in(place: &Path, settings: &[&str]) -> Result<Self, String> {
        let bin = newest_installation(Path::new("/usr/lib/postgresql"))
            .ok_or("PostgreSQL is not installed: apt-get install postgresql")?;
        let owner = Owner::find()?;
        owner
            .take(place)
            .map_err(|error| format!("chown to postgres: {error}"))?;
        let init = owner
            .command(&bin.join("initdb"), place)
            .args([
                "--auth=trust",
                "--username=postgres",
                "--no-sync",
                "--encoding=UTF8",
                "--pgdata",
            ])
            .arg(place.join("data"))
            .output()
            .map_err(|error| format!("initdb: {error}"))?;
        if !init.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&init.stderr)));
        }
        let mut server = Self {
            child: None,
            port: free_port().map_err(|error| format!("no free port: {error}"))?,
            bin,
            owner,
            place: place.to_owned(),
            settings: settings.iter().map(|setting| (*setting).to_owned()).collect(),
            _dir: None,
        };
        server.start_again()?;
        server.query("CREATE DATABASE rescind")?;
        Ok(server)
    }

    /// The address of its database, such as `postgres://postgres@127.0.0.1:40123/rescind`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/rescind", self.port)
    }

    /// The loopback port that it listens on, in all its lives.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The log of all its lives.
    pub fn log(&self) -> PathBuf {
        self.place.join("log")
    }

    /// Whether its first process runs.
    pub fn is_running(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Ends it and waits until it is gone. Does nothing when it does not run.
    pub fn end(&mut self, ending: Ending) {
        self.go_on();
        if let Some(mut child) = self.child.take() {
            let signal = match ending {
                Ending::Fast => Signal::INT,
                Ending::Immediate => Signal::QUIT,
                Ending::Killed => Signal::KILL,
            };
            let _ = kill_process(Pid::from_child(&child), signal);
            let _ = child.wait();
        }
    }

    /// Kills one of its processes (SIGKILL): it ends all others that serve clients and recovers from its log. `false` when
    /// it has none.
    pub fn kill_one(&self, which: u64) -> bool {
        let children = self.children();
        let chosen = usize::try_from(which).unwrap_or(0) % children.len().max(1);
        let pid = children.get(chosen);
        pid.is_some_and(|pid| kill_process(*pid, Signal::KILL).is_ok())
    }

    /// Stops all its processes (SIGSTOP): connections stay, and nothing is answered any more. It goes on when it is ended,
    /// or by [`Self::go_on`].
    pub fn stand_still(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets it go on after [`Self::stand_still`].
    pub fn go_on(&self) {
        self.signal_all(Signal::CONT);
    }

    fn signal_all(&self, signal: Signal) {
        // The first process first: it starts no others then.
        let first = self.child.as_ref().map(Pid::from_child);
        for pid in first.into_iter().chain(self.children()) {
            let _ = kill_process(pid, signal);
        }
    }

    fn children(&self) -> Vec<Pid> {
        let children = self.child.as_ref().map(|child| {
            let id = child.id();
            fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default()
        });
        let children = children.unwrap_or_default();
        let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
        ids.filter_map(Pid::from_raw).collect()
    }

    /// Starts it again where it ended, on the same port, and waits until it answers.
    ///
    /// # Errors
    /// A reason that a test can print.
    pub fn start_again(&mut self) -> Result<(), String> {
        self.launch()?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if !self.is_running() {
                // After SIGKILL the children of its former life may hold its memory for a moment yet.
                thread::sleep(Duration::from_millis(100));
                self.launch()?;
            } else if self.is_ready() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(5).collect();
        Err(format!("postgres was not ready after {PATIENCE:?}: {lines:?}"))
    }

    /// Starts it without waiting until it answers; it may end at once, where its disk is full.
    ///
    /// # Errors
    /// A reason that a test can print when there is nothing to start.
    pub fn launch(&mut self) -> Result<(), String> {
        if self.is_running() {
            return Ok(());
        }
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .map_err(|error| format!("log: {error}"))?;
        let child = self
            .owner
            .command(&self.bin.join("postgres"), &self.place)
            .arg("-D")
            .arg(self.place.join("data"))
            .args(["-p", &self.port.to_string(), "-k", ""])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"])
            .args(self.settings.iter().flat_map(|setting| ["-c", setting]))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("postgres: {error}"))?;
        self.child = Some(child);
        Ok(())
    }

    /// Whether it takes connections.
    pub fn is_ready(&self) -> bool {
        let asked = Command::new(self.bin.join("pg_isready"))
            .args([
                "-q",
                "-U",
                "postgres",
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
            ])
            .status();
        asked.is_ok_and(|status| status.success())
    }

    /// Runs statements in its database, past whoever else uses it; what they return, one line each, columns by `|`.
    ///
    /// # Errors
    /// What psql says.
    pub fn ask(&self, sql: &str) -> Result<String, String> {
        self.query_in("rescind", sql)
    }

    fn query(&self, sql: &str) -> Result<(), String> {
        self.query_in("postgres", sql).map(drop)
    }

    fn query_in(&self, database: &str, sql: &str) -> Result<String, String> {
        let asked = Command::new(self.bin.join("psql"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-U", "postgres", "-d", database, "-X", "-q", "-A", "-t"])
            .args(["-v", "ON_ERROR_STOP=1", "-c", sql])
            .output()
            .map_err(|error| format!("psql: {error}"))?;
        if asked.status.success() {
            Ok(String::from_utf8_lossy(&asked.stdout).trim_end().to_owned())
        } else {
            Err(format!("psql: {}", String::from_utf8_lossy(&asked.stderr)))
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT takes its own children along, as SIGKILL would not.
        self.end(Ending::Immediate);
    }
}

/// Who runs the server: PostgreSQL refuses to run as root.
enum Owner {
    Myself,
    Postgres { uid: u32, gid: u32 },
}

impl Owner {
    fn find() -> Result<Self, String> {
        if !getuid().is_root() {
            return Ok(Self::Myself);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
        postgres_user(&users)
            .map(|(uid, gid)| Self::Postgres { uid, gid })
            .ok_or_else(|| "there is no user postgres to run PostgreSQL as".to_owned())
    }

    fn take(&self, directory: &Path) -> io::Result<()> {
        match *self {
            Self::Myself => Ok(()),
            Self::Postgres { uid, gid } => chown(directory, Some(uid), Some(gid)),
        }
    }

    /// Writes a file that nobody else may read.
    fn keep(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes())?;
        self.take(path)
    }

    fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env_clear().env("LC_ALL", "C");
        if let Self::Postgres { uid, gid } = *self {
            command.uid(uid).gid(gid);
        }
        command
    }
}

/// User and group number of `postgres` in the text of `/etc/passwd`.
fn postgres_user(users: &str) -> Option<(u32, u32)> {
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// The directory of the programs of the highest installed version.
fn newest_installation(root: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(root).ok()?.flatten().filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let bin = entry.path().join("bin");
        bin.join("initdb").is_file().then_some((version, bin))
    });
    versions.max().map(|(_, bin)| bin)
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_installation_wins_as_a_number() {
        let root = tempfile::tempdir().expect("a directory");
        for version in ["9", "15", "common"] {
            let bin = root.path().join(version).join("bin");
            fs::create_dir_all(&bin).expect("made");
            fs::write(bin.join("initdb"), "").expect("written");
        }
        assert_eq!(newest_installation(root.path()), Some(root.path().join("15/bin")));
        assert_eq!(newest_installation(&root.path().join("none")), None);
    }

    #[test]
    fn the_user_is_found_by_its_whole_name() {
        let users = "postgresql:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(postgres_user(users), Some((101, 104)));
        assert_eq!(postgres_user("root:x:0:0::/root:/bin/sh\n"), None);
    }

    #[test]
    fn starts_and_stops_where_it_is_installed() {
        let server = Postgres::start().expect("a PostgreSQL server");
        let port = server.port;
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        drop(server);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }

    #[test]
    fn what_it_knew_outlives_every_ending() {
        let mut server = Postgres::start().expect("a PostgreSQL server");
        for (number, ending) in [Ending::Killed, Ending::Immediate, Ending::Fast]
            .into_iter()
            .enumerate()
        {
            server
                .query(&format!("CREATE TABLE kept_{number} ()"))
                .expect("made");
            server.end(ending);
            assert!(!server.is_running() && !server.is_ready());
            server.start_again().expect("started again");
            server
                .query(&format!("DROP TABLE kept_{number}"))
                .expect("still there");
        }
        assert!(server.kill_one(0));
        let start = Instant::now();
        while server.query("SELECT 1").is_err() {
            assert!(start.elapsed() < PATIENCE, "it did not recover");
            thread::sleep(Duration::from_millis(50));
        }
    }
}
