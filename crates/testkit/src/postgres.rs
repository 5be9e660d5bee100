//! A PostgreSQL server of its own for a test, gone with it.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::chown;
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
    child: Child,
    port: u16,
    // Removed after the server has stopped: fields are dropped after `drop`.
    _dir: TempDir,
}

impl Postgres {
    /// Starts a server on a free loopback port.
    ///
    /// # Errors
    /// A reason that a test can print when the machine has no PostgreSQL or it does not start.
    pub fn start() -> Result<Self, String> {
        let bin = newest_installation(Path::new("/usr/lib/postgresql"))
            .ok_or("PostgreSQL is not installed: apt-get install postgresql")?;
        let owner = Owner::find()?;
        let dir = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        owner
            .take(dir.path())
            .map_err(|error| format!("chown to postgres: {error}"))?;
        let data = dir.path().join("data");
        let init = owner
            .command(&bin.join("initdb"), dir.path())
            .args([
                "--auth=trust",
                "--username=postgres",
                "--no-sync",
                "--encoding=UTF8",
                "--pgdata",
            ])
            .arg(&data)
            .output()
            .map_err(|error| format!("initdb: {error}"))?;
        if !init.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&init.stderr)));
        }
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let log = fs::File::create(dir.path().join("log")).map_err(|error| format!("log: {error}"))?;
        let child = owner
            .command(&bin.join("postgres"), dir.path())
            .arg("-D")
            .arg(&data)
            .args([
                "-p",
                &port.to_string(),
                "-k",
                "",
                "-c",
                "listen_addresses=127.0.0.1",
            ])
            .args(["-c", "max_connections=200"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("postgres: {error}"))?;
        let mut server = Self {
            child,
            port,
            _dir: dir,
        };
        server.await_ready(&bin)?;
        server.query(&bin, "CREATE DATABASE rescind")?;
        Ok(server)
    }

    /// The address of its database, such as `postgres://postgres@127.0.0.1:40123/rescind`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/rescind", self.port)
    }

    fn await_ready(&mut self, bin: &Path) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("postgres ended with {status}"));
            }
            let asked = Command::new(bin.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status();
            if asked.is_ok_and(|status| status.success()) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(format!("postgres was not ready after {PATIENCE:?}"))
    }

    fn query(&self, bin: &Path, sql: &str) -> Result<(), String> {
        let asked = Command::new(bin.join("psql"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-U", "postgres", "-d", "postgres", "-X", "-c", sql])
            .output()
            .map_err(|error| format!("psql: {error}"))?;
        if asked.status.success() {
            Ok(())
        } else {
            Err(format!("psql: {}", String::from_utf8_lossy(&asked.stderr)))
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT is PostgreSQL's immediate shutdown: it takes its own children along, as SIGKILL would not.
        let _ = kill_process(Pid::from_child(&self.child), Signal::QUIT);
        let _ = self.child.wait();
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
        let server = match Postgres::start() {
            Ok(server) => server,
            Err(reason) => {
                eprintln!("not tried: {reason}");
                return;
            }
        };
        let port = server.port;
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        drop(server);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
