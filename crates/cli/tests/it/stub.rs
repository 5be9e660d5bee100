//! A server that answers what a test says, and the process under test.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) const ACCOUNT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const CLUSTER: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const MANAGEMENT_SECRET: &str = "M.V1.managementsecret";
pub(crate) const DATABASE_SECRET: &str = "apiv1_databasesecret";

/// What a request said.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    }
}

/// What it is answered.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, "application/json", body)
    }

    pub(crate) fn new(status: u16, kind: &str, body: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self::json(status, format!(r#"{{"code":{status},"message":"{message}"}}"#))
    }

    pub(crate) fn done() -> Self {
        Self::bare(204)
            .with("Rescind-Revision", "42")
            .with("Rescind-Nodes", "1/1")
            .with("Rescind-Effective-Ms", "3")
    }

    /// No answer: the connection is closed.
    pub(crate) fn none() -> Self {
        Self::bare(0)
    }

    /// A status and nothing more.
    pub(crate) fn bare(status: u16) -> Self {
        Self {
            status,
            headers: vec![],
            body: String::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A server in a thread; it goes with the test's process.
pub(crate) struct Stub {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    pub(crate) fn serve(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || serve_connection(stream, &log, &*answer));
            }
        });
        Self { port, asked }
    }

    /// Every request so far as `METHOD target`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |asked: &Asked| format!("{} {}", asked.method, asked.target);
        self.asked().iter().map(line).collect()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn serve_connection(stream: TcpStream, log: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Answer) {
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read_request(&mut reader) {
        let Answer {
            status,
            headers,
            body,
        } = answer(&asked);
        log.lock().expect("no panic").push(asked);
        if status == 0 {
            return;
        }
        let mut head = format!("HTTP/1.1 {status} X\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if status != 204 {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        if write!(writer, "{head}\r\n{body}").is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut asked = Asked {
        method,
        target,
        headers,
        body: vec![],
    };
    let length = asked.header("content-length").and_then(|text| text.parse().ok());
    asked.body.resize(length.unwrap_or(0), 0);
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// All of it, for snapshots.
    pub(crate) fn text(&self) -> String {
        let Self { code, stdout, stderr } = self;
        format!("exit {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// A directory with a configuration file, and the command run with it.
pub(crate) struct Ctl {
    directory: tempfile::TempDir,
    port: u16,
    variables: Vec<(String, String)>,
}

impl Ctl {
    /// With a profile for a server on this port, over plain HTTP.
    pub(crate) fn new(port: u16) -> Self {
        let profile = |name: &str, product: &str, ids: &str| {
            format!(
                "[[profile]]\nname = \"{name}\"\nproduct = \"{product}\"\nhost = \"127.0.0.1\"\nport = \"{port}\"\n\
                 {ids}mgmt_token = \"{MANAGEMENT_SECRET}\"\ndatabase = \"home\"\ntoken = \"{DATABASE_SECRET}\"\n\
                 [profile.tls]\ndisable = true\n\n"
            )
        };
        let ids = format!("account_id = \"{ACCOUNT}\"\ncluster_id = \"{CLUSTER}\"\n");
        let text = profile("default", "dedicated", &ids) + &profile("own", "clustered", "");
        Self::with_config(port, &text)
    }

    pub(crate) fn with_config(port: u16, text: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("config.toml"), text).expect("written");
        Self {
            directory,
            port,
            variables: vec![],
        }
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What is below this name in the directory that it runs in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    /// What runs, with pipes for its streams.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_influxctl"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("INFLUXCTL_CONFIG", "config.toml")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs with this text on stdin.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).spawn().expect("starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_owned();
        // A command that does not read stdin closes it, which is no failure of the test.
        let feeder = thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("ends");
        let _ = feeder.join().expect("no panic");
        let clean = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .expect("UTF-8")
                .replace(&format!("127.0.0.1:{}", self.port), "127.0.0.1:PORT")
        };
        Ended {
            code: output.status.code().expect("an exit code"),
            stdout: clean(output.stdout),
            stderr: clean(output.stderr),
        }
    }
}

/// The path of the profile's cluster with this suffix.
pub(crate) fn cluster_path(suffix: &str) -> String {
    format!("/api/v0/accounts/{ACCOUNT}/clusters/{CLUSTER}{suffix}")
}

/// The path of the profile's account with this suffix.
pub(crate) fn account_path(suffix: &str) -> String {
    format!("/api/v0/accounts/{ACCOUNT}{suffix}")
}
