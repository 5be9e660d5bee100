//! The real `rescind serve`, started for one test and stopped with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::binaries::binary;
use crate::http::Http;
use crate::influxctl::Influxctl;
use crate::leaks::{files, find_in_text};
use crate::output::Printed;
use crate::profiles::Profile;

/// How long a start may take on a busy machine before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(120);
/// What it writes into its data directory for `influxctl`.
const PROFILE: &str = "influxctl.toml";

/// What a server is started with.
#[derive(Default)]
pub struct ServerSetup {
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    data_dir: Option<PathBuf>,
    profile: Option<PathBuf>,
}

impl ServerSetup {
    /// Adds one argument to `serve`.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets one environment variable. No variable of the test's own environment reaches the server.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Uses this data directory and leaves it behind, instead of a temporary one.
    #[must_use]
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// Keeps the catalog in this PostgreSQL database, such as [`crate::Postgres::url`] gives.
    #[must_use]
    pub fn catalog(self, url: &str) -> Self {
        self.env("RESCIND_CATALOG", url)
    }

    /// Gives the server the profile of the node that made the installation, which points it to itself.
    #[must_use]
    pub fn joining(mut self, first: &TestServer) -> Self {
        self.profile = Some(first.data_dir.join(PROFILE));
        self
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Panics
    /// When it ends or stays silent instead; the message holds all that it printed.
    pub fn start(self) -> TestServer {
        let temporary = tempfile::tempdir().expect("a temporary directory can be made");
        let data_dir = self
            .data_dir
            .clone()
            .unwrap_or_else(|| temporary.path().join("data"));
        if let Some(profile) = &self.profile {
            fs::create_dir_all(&data_dir).expect("the data directory can be made");
            fs::copy(profile, data_dir.join(PROFILE)).expect("the profile can be copied");
        }
        let printed = Printed::default();
        let (child, url) = launch(&self, &data_dir, "127.0.0.1:0", &printed);
        TestServer {
            child: Some(child),
            url,
            printed,
            profile: Profile::read_if_there(&data_dir.join(PROFILE)),
            data_dir,
            setup: self,
            _temporary: temporary,
        }
    }
}

/// A running `rescind serve`; dropping it kills it.
pub struct TestServer {
    child: Option<Child>,
    url: String,
    printed: Printed,
    profile: Option<Profile>,
    data_dir: PathBuf,
    setup: ServerSetup,
    _temporary: TempDir,
}

impl TestServer {
    /// Starts a server with nothing but a temporary data directory. Panics as [`ServerSetup::start`] does.
    pub fn start() -> Self {
        ServerSetup::default().start()
    }

    /// Its address, such as `http://127.0.0.1:40123`; the same after a restart.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The directory that holds everything it remembers.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The profile that its first start wrote, or that it was given.
    ///
    /// # Panics
    /// When it joined an installation without one.
    pub fn profile(&self) -> &Profile {
        self.profile.as_ref().expect("a profile in its data directory")
    }

    /// The account that its first start made.
    pub fn account_id(&self) -> &str {
        &self.profile().account_id
    }

    /// The cluster that its first start made.
    pub fn cluster_id(&self) -> &str {
        &self.profile().cluster_id
    }

    /// The secret of its first management token.
    pub fn management_token(&self) -> &str {
        &self.profile().mgmt_token
    }

    /// The prefix of the cluster's resources: `/api/v0/accounts/{a}/clusters/{c}`.
    pub fn cluster_path(&self) -> String {
        format!(
            "/api/v0/accounts/{}/clusters/{}",
            self.account_id(),
            self.cluster_id()
        )
    }

    /// A client without credentials.
    pub fn http(&self) -> Http {
        Http::new(self.url.clone())
    }

    /// A client with the first management token.
    pub fn management(&self) -> Http {
        self.http().bearer(self.management_token())
    }

    /// `influxctl` with the profile that the first start wrote.
    pub fn influxctl(&self) -> Influxctl {
        Influxctl::new(self.data_dir.join(PROFILE))
    }

    /// All that it printed so far, in all its lives: for the search for secrets.
    pub fn printed(&self) -> String {
        self.printed.text()
    }

    /// Where any of these secrets stands in what it printed or keeps: one line per place, which shows no secret. The
    /// first management token may stand in `influxctl.toml`, whose purpose that is.
    pub fn leaks(&self, secrets: &[String]) -> Vec<String> {
        let mut places = find_in_text("what the server printed", self.printed().as_bytes(), secrets);
        let first = self.profile.as_ref().map(|profile| &profile.mgmt_token);
        for (path, bytes) in files(&self.data_dir) {
            let others: Vec<String> = secrets
                .iter()
                .filter(|secret| first != Some(secret))
                .cloned()
                .collect();
            let wanted = if path.ends_with(PROFILE) {
                others
            } else {
                secrets.to_vec()
            };
            places.extend(find_in_text(&path.display().to_string(), &bytes, &wanted));
        }
        places
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// Sends a signal, such as `Signal::STOP` and `Signal::CONT`.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("the server runs");
        kill_process(Pid::from_child(child), signal).expect("a child can be signalled");
    }

    /// Ends it without warning (SIGKILL), as a power cut does. Does nothing when it does not run.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed");
            child.wait().expect("a child can be waited for");
        }
    }

    /// Asks it to end (SIGTERM) and waits.
    ///
    /// # Panics
    /// When it does not exit with 0.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        let mut child = self.child.take().expect("the server runs");
        let status = child.wait().expect("a child can be waited for");
        assert_clean(status, &self.printed);
    }

    /// Waits until it has ended by itself and gives its exit code; `None` if a signal ended it.
    ///
    /// # Panics
    /// When it does not end.
    pub fn wait(&mut self) -> Option<i32> {
        let mut child = self.child.take().expect("the server runs");
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                return status.code();
            }
            if began.elapsed() > PATIENCE {
                let _ = child.kill();
                panic!("rescind serve goes on; it printed:\n{}", self.printed.text());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again with the same data directory, arguments and port. Kills it first if it runs.
    pub fn restart(&mut self) {
        self.kill();
        let address = self
            .url
            .split("://")
            .last()
            .expect("a split has a last part")
            .to_owned();
        let (child, url) = launch(&self.setup, &self.data_dir, &address, &self.printed);
        (self.child, self.url) = (Some(child), url);
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A test that already panics must not panic again.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn launch(setup: &ServerSetup, data_dir: &Path, listen: &str, printed: &Printed) -> (Child, String) {
    let mut child = Command::new(binary("rescind"))
        .arg("serve")
        .arg("--data-dir")
        .arg(data_dir)
        .args(["--listen", listen])
        .args(&setup.arguments)
        .env_clear()
        .envs(setup.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rescind starts");
    printed.collect(child.stderr.take().expect("stderr is a pipe"));
    let lines = printed.lines(child.stdout.take().expect("stdout is a pipe"));
    while let Ok(line) = lines.recv_timeout(PATIENCE) {
        if let Some(url) = line.strip_prefix("ready ") {
            return (child, url.to_owned());
        }
    }
    // Either way the test fails: a child that hangs must not outlive it.
    let _ = child.kill();
    let status = child.wait().expect("a child can be waited for");
    panic!(
        "rescind serve was not ready ({status}); it printed:\n{}",
        printed.text()
    );
}

fn assert_clean(status: ExitStatus, printed: &Printed) {
    assert!(
        status.success(),
        "rescind serve ended with {status} after SIGTERM; it printed:\n{}",
        printed.text()
    );
}
