//! How the process starts, what it leaves on disk, and how it ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rescind_testkit::{Http, Profile, ServerSetup, Signal, TestServer, binary};
use rustix::process::{Pid, kill_process};

use crate::house::{assert_scrubbed, make_database, make_token, printed_with, rescind};

fn mode(path: &Path) -> u32 {
    let metadata = path
        .metadata()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o777
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn the_first_start_writes_a_profile_that_works_and_nobody_else_can_read() {
    let server = TestServer::start();
    let dir = server.data_dir();
    assert_eq!(mode(dir), 0o700);
    for file in ["influxctl.toml", "catalog.sqlite", "lock"] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
    assert!(!dir.join("influxctl.toml.new").exists());
    let profile = fs::read_to_string(dir.join("influxctl.toml")).expect("readable");
    assert_scrubbed!(
        "first_start_profile",
        profile.replace(&server.profile().port.to_string(), "[PORT]")
    );
    let listed = server.influxctl().run(&["token", "list"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (0, ""), "{listed}");
    let printed = server.printed();
    assert!(
        printed.contains(&format!("ready {}\n", server.url())),
        "{printed}"
    );
    assert_eq!(printed.matches("ready http").count(), 1, "{printed}");
    let leaks = server.leaks(&[server.management_token().to_owned()]);
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn a_second_process_is_refused_and_the_first_goes_on() {
    let server = TestServer::start();
    let dir = utf8(server.data_dir());
    let second = rescind(&["serve", "--data-dir", dir, "--listen", "127.0.0.1:0"]);
    assert_eq!((second.code, second.stdout.as_str()), (1, ""), "{second}");
    assert!(
        second.stderr.contains("in use") && second.stderr.contains(dir),
        "{second}"
    );
    let user = rescind(&["user", "disable", "--data-dir", dir, "admin@localhost"]);
    assert_eq!(user.code, 1, "{user}");
    assert!(
        user.stderr
            .contains("in use by a running rescind serve; stop it first"),
        "{user}"
    );
    // Nor is the catalog shared by two data directories: one would not learn of the other's revocations (promise G1).
    let elsewhere = tempfile::tempdir().expect("a directory");
    let catalog = format!("sqlite:{dir}/catalog.sqlite");
    let other = utf8(elsewhere.path());
    let flags = [
        "serve",
        "--data-dir",
        other,
        "--catalog",
        &catalog,
        "--listen",
        "127.0.0.1:0",
    ];
    let third = rescind(&flags);
    assert_eq!((third.code, third.stdout.as_str()), (1, ""), "{third}");
    assert!(
        third
            .stderr
            .contains("catalog.sqlite is in use by another running"),
        "{third}"
    );
    assert_eq!(server.http().get("/health").status, 200);
}

#[test]
fn a_restart_keeps_everything() {
    let mut server = TestServer::start();
    make_database(&server);
    let (kept, revoked) = (make_token(&server, "Kept"), make_token(&server, "Revoked"));
    assert_eq!(kept.write(&server).status, 204);
    let path = format!("{}/tokens/{}", server.cluster_path(), revoked.id);
    assert_eq!(server.management().delete(&path).status, 204);
    let before = fs::read(server.data_dir().join("influxctl.toml")).expect("readable");

    server.stop();
    server.restart();
    assert_eq!(kept.query(&server).text(), "n\n1\n");
    assert_eq!(revoked.write(&server).status, 401);
    assert_eq!(server.influxctl().run(&["database", "list"]).code, 0);
    assert_eq!(
        fs::read(server.data_dir().join("influxctl.toml")).expect("readable"),
        before
    );
}

#[test]
fn the_profile_follows_the_port() {
    let directory = tempfile::tempdir().expect("a directory");
    let start = || {
        ServerSetup::default()
            .data_dir(directory.path().join("data"))
            .start()
    };
    let mut first = start();
    let file = first.data_dir().join("influxctl.toml");
    let edited = fs::read_to_string(&file).expect("readable") + "# a note of the operator's\n";
    fs::write(&file, edited).expect("writable");
    first.stop();
    let second = start();
    let profile = Profile::read(&file);
    assert!(
        second.url().ends_with(&format!(":{}", profile.port)),
        "{} and {}",
        second.url(),
        profile.port
    );
    assert_eq!(profile.mgmt_token, first.management_token());
    let port = format!("port = \"{}\"\n", profile.port);
    let text = fs::read_to_string(&file).expect("readable");
    assert_eq!(text.matches(&port).count(), 2, "both profiles: {text}");
    assert_eq!(second.influxctl().run(&["token", "list"]).code, 0);
    assert!(
        fs::read_to_string(&file)
            .expect("readable")
            .ends_with("# a note of the operator's\n")
    );
    assert_eq!(mode(&file), 0o600);
}

/// The process died after the catalog was founded and before the profile was in place.
#[test]
fn an_interrupted_first_start_is_finished_by_the_next() {
    let mut server = TestServer::start();
    server.stop();
    let file = server.data_dir().join("influxctl.toml");
    fs::rename(&file, file.with_extension("toml.new")).expect("renamed");
    server.restart();
    assert!(!file.with_extension("toml.new").exists());
    assert_eq!(server.influxctl().run(&["management", "list"]).code, 0);
}

/// What `serve` says when it does not start.
fn refused(data: &Path, catalog: Option<&Path>) -> String {
    let mut arguments = vec![
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--log",
        "off",
        "--data-dir",
        utf8(data),
    ];
    let catalog = catalog.map(|path| format!("sqlite:{}", utf8(path)));
    if let Some(catalog) = &catalog {
        arguments.extend(["--catalog", catalog]);
    }
    let outcome = rescind(&arguments);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""), "{outcome}");
    outcome.stderr
}

/// Points are found by the numbers of databases, and every catalog counts from one.
#[test]
fn another_catalog_never_gets_to_the_points_or_over_the_profile() {
    let mut server = TestServer::start();
    make_database(&server);
    let token = make_token(&server, "Kept");
    assert_eq!(token.write(&server).status, 204);
    server.stop();
    let profile = server.data_dir().join("influxctl.toml");
    let before = fs::read(&profile).expect("readable");
    let elsewhere = tempfile::tempdir().expect("a directory");

    let new = refused(server.data_dir(), Some(&elsewhere.path().join("new.sqlite")));
    let holds = format!("holds the points of account {}, ", server.account_id());
    assert!(
        new.contains(&holds) && new.contains("the catalog is new: give the --catalog"),
        "{new}"
    );

    let mut other = TestServer::start();
    other.stop();
    let founded = refused(server.data_dir(), Some(&other.data_dir().join("catalog.sqlite")));
    let advice = format!(
        "the catalog is that of account {}: start with",
        other.account_id()
    );
    assert!(founded.contains(&holds) && founded.contains(&advice), "{founded}");

    assert_eq!(fs::read(&profile).expect("readable"), before);
    server.restart();
    assert_eq!(token.query(&server).text(), "n\n1\n");
}

#[test]
fn a_first_start_spares_the_profile_of_another_account() {
    let mut server = TestServer::start();
    server.stop();
    let dir = server.data_dir();
    let before = fs::read(dir.join("influxctl.toml")).expect("readable");
    fs::remove_dir_all(dir.join("engine")).expect("removed");
    let refusal = refused(dir, Some(&dir.join("other.sqlite")));
    let owner = format!(
        "influxctl.toml exists and belongs to account {}: ",
        server.account_id()
    );
    assert!(
        refusal.contains(&owner) && refusal.contains("move it away or give another --data-dir"),
        "{refusal}"
    );
    assert_eq!(fs::read(dir.join("influxctl.toml")).expect("readable"), before);
    // Moved away, it is in nobody's way.
    fs::rename(dir.join("influxctl.toml"), dir.join("mine.toml")).expect("renamed");
    let catalog = format!("sqlite:{}", utf8(&dir.join("other.sqlite")));
    let new = ServerSetup::default()
        .data_dir(dir)
        .arg("--catalog")
        .arg(catalog)
        .start();
    assert_ne!(new.account_id(), server.account_id());
}

/// The process died after the catalog was founded and before the embedded database had an owner.
#[test]
fn an_empty_engine_is_taken_by_the_next_start() {
    let mut server = TestServer::start();
    server.stop();
    fs::remove_dir_all(server.data_dir().join("engine")).expect("removed");
    server.restart();
    let owner = fs::read_to_string(server.data_dir().join("engine/owner")).expect("readable");
    assert_eq!(owner.trim_end(), server.account_id());
}

#[test]
fn a_catalog_that_is_none_is_named_and_nothing_else_is_said() {
    let mut server = TestServer::start();
    server.stop();
    let file = server.data_dir().join("catalog.sqlite");
    fs::write(&file, "Dear diary, ".repeat(1_000)).expect("writable");
    let refusal = refused(server.data_dir(), None);
    let file = utf8(&file);
    let said =
        format!("error: sqlite:{file} cannot be opened: {file} is not a SQLite database, or a damaged one: ");
    assert!(refusal.starts_with(&said), "{refusal}");
    assert_eq!(refusal.lines().count(), 1, "{refusal}");
}

/// As in `rescind serve 2> >(head)`: whoever read the log has gone.
#[test]
fn a_log_that_nobody_reads_ends_nothing() {
    let mut process = Process::start_telling(Stdio::piped());
    drop(process.child.stderr.take());
    let stranger = Http::new(format!("http://{}", process.address)).header("authorization", "Token apiv1_x");
    for _ in 0..3 {
        let reply = stranger.post("/api/v2/write?bucket=a", "m f=1");
        assert_eq!(reply.status, 401, "{reply}");
    }
    process.signal(Signal::TERM);
    process.assert_ends_well();
}

/// A server that the test waits for itself.
struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
    directory: tempfile::TempDir,
}

impl Process {
    fn start() -> Self {
        Self::start_telling(Stdio::null())
    }

    fn start_telling(log: Stdio) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        let mut child = Command::new(binary("rescind"))
            .env_clear()
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", utf8(&data)])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("rescind starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut ready = String::new();
        stdout.read_line(&mut ready).expect("a line");
        let address = ready
            .trim_end()
            .strip_prefix("ready http://")
            .expect("the ready line")
            .to_owned();
        Self {
            child,
            stdout,
            address,
            directory,
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a child can be signalled");
    }

    fn assert_ends_well(mut self) {
        assert!(self.child.wait().expect("a child can be waited for").success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, "", "the ready line is not alone on stdout");
    }
}

#[test]
fn an_interrupt_ends_it_as_well() {
    let process = Process::start();
    process.signal(Signal::INT);
    process.assert_ends_well();
}

#[test]
fn a_request_in_progress_may_end_and_a_new_one_is_not_taken() {
    let process = Process::start();
    let token = Profile::read(&process.directory.path().join("data/influxctl.toml")).mgmt_token;
    let mut stream = TcpStream::connect(&process.address).expect("connected");
    let body = r#"{"name":"weather"}"#;
    let head = format!(
        "POST /api/v0/databases HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    // Only a handler that waits for the body has this said.
    let mut waiting = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut waiting).expect("an answer");
    assert_eq!(waiting, *b"HTTP/1.1 100 Continue\r\n\r\n");
    process.signal(Signal::TERM);
    while TcpStream::connect(&process.address).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(body.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    process.assert_ends_well();
}

/// A connection that says nothing does not hold up the end.
#[test]
fn idle_connections_do_not_hold_up_the_end() {
    let mut server = TestServer::start();
    let address = server.url().trim_start_matches("http://").to_owned();
    let silent = TcpStream::connect(&address).expect("connected");
    let idle = server.http();
    assert_eq!(idle.get("/ping").status, 204);
    server.stop();
    drop((silent, idle));
}

#[test]
fn bad_flags_explain_themselves() {
    for (name, arguments) in [
        ("listen", &["serve", "--listen", "8181"] as &[_]),
        ("lease_long", &["serve", "--lease-ttl", "61s"]),
        ("lease_form", &["serve", "--lease-ttl", "5"]),
        ("catalog", &["serve", "--catalog", "catalog.db"]),
        ("size", &["serve", "--max-body-bytes", "many"]),
        ("buffer_limit", &["serve", "--buffer-limit-bytes", "2GiB"]),
        ("buffer", &["serve", "--buffer-bytes", "513MiB"]),
        ("body_memory", &["serve", "--max-body-bytes", "257MiB"]),
        ("log_format", &["serve", "--log-format", "xml"]),
        ("log_filter", &["serve", "--log", "rescind=loud"]),
        ("half_of_tls", &["serve", "--tls-cert", "cert.pem"]),
        ("node_name", &["serve", "--node-name", "a b"]),
        ("email", &["serve", "--admin-email", "nobody"]),
        ("upstream", &["serve", "--upstream", "http://localhost:8086"]),
        (
            "role",
            &[
                "user",
                "add",
                "a@b",
                "--first-name",
                "A",
                "--last-name",
                "B",
                "--role",
                "king",
            ],
        ),
        ("public_url", &["serve", "--public-url", "rescind.example.com"]),
        ("session_span", &["serve", "--session-idle", "2"]),
        ("session_short", &["serve", "--session-idle", "59s"]),
        ("session_order", &["serve", "--session-idle", "13h"]),
        ("session_long", &["serve", "--session-lifetime", "366d"]),
        (
            "smtp_url",
            &["serve", "--smtp-url", "hush@mail", "--smtp-from", "a@b.example"],
        ),
        (
            "smtp_from",
            &["serve", "--smtp-url", "smtps://a:hush@mail.example"],
        ),
        ("smtp_alone", &["serve", "--smtp-from", "a@b.example"]),
        (
            "smtp_file",
            &[
                "serve",
                "--smtp-url-file",
                "no-such-file",
                "--smtp-from",
                "a@b.example",
            ],
        ),
        (
            "smtp_both",
            &["serve", "--smtp-url", "smtp://hush", "--smtp-url-file", "f"],
        ),
        ("nothing", &[]),
    ] {
        let outcome = rescind(arguments);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (2, ""),
            "{name}: {outcome}"
        );
        assert!(!outcome.stderr.contains("hush"), "{outcome}");
        insta::assert_snapshot!(format!("bad_flag_{name}"), outcome.stderr);
    }
}

#[test]
fn a_taken_port_is_named() {
    let server = TestServer::start();
    let address = server.url().trim_start_matches("http://");
    let directory = tempfile::tempdir().expect("a directory");
    let second = rescind(&[
        "serve",
        "--data-dir",
        utf8(&directory.path().join("d")),
        "--listen",
        address,
    ]);
    assert_eq!((second.code, second.stdout.as_str()), (1, ""), "{second}");
    assert!(
        second
            .stderr
            .contains(&format!("error: cannot listen on {address}: ")),
        "{second}"
    );
}

#[test]
fn every_flag_has_a_variable() {
    let help = rescind(&["serve", "--help"]);
    assert_eq!(help.code, 0, "{help}");
    let flags: Vec<&str> = help
        .stdout
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .collect();
    assert!(flags.len() > 10, "{help}");
    for flag in flags.iter().filter(|flag| **flag != "--help") {
        let variable = format!(
            "RESCIND_{}",
            flag.trim_start_matches("--").to_uppercase().replace('-', "_")
        );
        assert!(
            help.stdout.contains(&variable),
            "{flag} has no {variable}: {help}"
        );
    }
    insta::assert_snapshot!("serve_help", help.stdout);
}

#[test]
fn variables_are_read_and_flags_win() {
    let server = ServerSetup::default()
        .env("RESCIND_LOG_FORMAT", "json")
        .env("RESCIND_NODE_NAME", "variable")
        .start();
    let nodes = server.management().get("/api/v0/nodes");
    assert!(nodes.text().contains(r#""variable""#), "{nodes}");
    let printed = printed_with(&server, r#""message":"serving""#);
    let logged: Vec<&str> = printed.lines().filter(|line| line.starts_with('{')).collect();
    assert!(
        logged.iter().any(|line| line.contains(r#""message":"serving""#)),
        "{printed}"
    );
    let flag = ServerSetup::default()
        .env("RESCIND_NODE_NAME", "variable")
        .arg("--node-name")
        .arg("flag")
        .start();
    assert!(
        flag.management()
            .get("/api/v0/nodes")
            .text()
            .contains(r#""flag""#)
    );
}

#[test]
fn every_act_is_one_line_of_the_log() {
    let server = TestServer::start();
    make_database(&server);
    let token = make_token(&server, "Logged");
    let path = format!("{}/tokens/{}", server.cluster_path(), token.id);
    assert_eq!(server.management().delete(&path).status, 204);
    let printed = printed_with(&server, "act=database_token.revoke ");
    for act in [
        "management_token.create",
        "database.create",
        "database_token.create",
        "database_token.revoke",
    ] {
        let lines: Vec<&str> = printed
            .lines()
            .filter(|line| line.contains(&format!("act={act} ")))
            .collect();
        assert_eq!(lines.len(), 1, "{act} in {printed}");
        let fields = ["actor=", "subject=", "revision=", "ms="];
        assert!(
            fields.iter().all(|field| lines[0].contains(field)),
            "{}",
            lines[0]
        );
    }
    assert!(
        printed
            .lines()
            .any(|line| line.contains("database_token.revoke") && line.contains(&token.id))
    );
}
