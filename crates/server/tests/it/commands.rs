//! `rescind user`, `rescind openapi` and `rescind audit verify`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rescind_testkit::{Outcome, TestServer, binary};
use serde_json::Value;

use crate::house::{assert_scrubbed, make_database, rescind, rescind_with_stdin};

fn stopped() -> (TestServer, String) {
    let mut server = TestServer::start();
    make_database(&server);
    server.stop();
    let directory = server.data_dir().to_str().expect("UTF-8").to_owned();
    (server, directory)
}

fn user(directory: &str, arguments: &[&str], stdin: &str) -> Outcome {
    let mut all = vec!["user", arguments[0], "--data-dir", directory];
    all.extend(&arguments[1..]);
    rescind_with_stdin(&all, stdin)
}

#[test]
fn users_are_added_given_a_password_and_disabled() {
    let (mut server, directory) = stopped();
    let ada = [
        "ada@example.com",
        "--first-name",
        "Ada",
        "--last-name",
        "Lovelace",
        "--role",
        "member",
    ];
    let add: Vec<&str> = std::iter::once("add").chain(ada).collect();
    let password = "correct horse battery staple";
    assert_scrubbed!("user_1_add", user(&directory, &add, ""));
    assert_scrubbed!("user_2_add_again", user(&directory, &add, ""));
    let passwd = ["passwd", "ada@example.com"];
    assert_scrubbed!("user_3_short_password", user(&directory, &passwd, "short\n"));
    assert_scrubbed!("user_4_no_password", user(&directory, &passwd, ""));
    assert_scrubbed!(
        "user_5_passwd",
        user(&directory, &passwd, &format!("{password}\n"))
    );
    assert_scrubbed!(
        "user_6_disable",
        user(&directory, &["disable", "Ada@Example.com"], "")
    );
    assert_scrubbed!(
        "user_7_unknown",
        user(&directory, &["disable", "nobody@example.com"], "")
    );
    assert_scrubbed!("user_8_list", user(&directory, &["list"], ""));
    assert_scrubbed!(
        "user_9_enable",
        user(&directory, &["enable", "ada@example.com"], "")
    );
    assert_scrubbed!(
        "user_10_delete",
        user(&directory, &["delete", "ada@example.com"], "")
    );
    assert_scrubbed!("user_11_list", user(&directory, &["list"], ""));
    server.restart();
    let events = server
        .management()
        .get(&format!("/api/v0/accounts/{}/audit-events", server.account_id()))
        .text();
    for act in [
        "user.create",
        "user.password",
        "user.disable",
        "user.enable",
        "user.delete",
    ] {
        assert!(events.contains(act), "no {act} in {events}");
    }
    let leaks = server.leaks(&[password.to_owned(), "short\n".to_owned()]);
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn commands_make_nothing_where_nothing_is() {
    let parent = tempfile::tempdir().expect("a directory");
    let typo = parent.path().join("typo");
    let directory = typo.to_str().expect("UTF-8");
    for outcome in [
        user(directory, &["disable", "a@b"], ""),
        rescind(&["audit", "verify", "--data-dir", directory]),
    ] {
        assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""), "{outcome}");
        assert!(outcome.stderr.contains("typo/catalog.sqlite"), "{outcome}");
        assert!(!typo.exists());
    }
}

#[test]
fn the_printed_document_is_the_served_one() {
    let server = TestServer::start();
    let printed = rescind(&["openapi"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""), "{printed}");
    let printed: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    let served = server.http().get("/api/v0/openapi.json");
    assert_eq!(served.status, 200, "{served}");
    let served: Value = serde_json::from_slice(&served.bytes).expect("JSON");
    assert!(
        printed == served,
        "rescind openapi and /api/v0/openapi.json differ"
    );
    assert!(
        printed["paths"]
            .as_object()
            .is_some_and(|paths| !paths.is_empty())
    );
}

/// As `head` does.
#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let mut child = Command::new(binary("rescind"))
        .env_clear()
        .arg("openapi")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rescind starts");
    // The document is longer than what a pipe holds: the rest finds nobody.
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("a child can be waited for");
    assert_eq!(
        (
            ended.status.code(),
            String::from_utf8_lossy(&ended.stderr).as_ref()
        ),
        (Some(0), "")
    );
}

#[test]
fn the_audit_log_verifies_beside_a_running_server_and_shows_tampering() {
    let mut server = TestServer::start();
    make_database(&server);
    let directory = server.data_dir().to_str().expect("UTF-8").to_owned();
    let verify = || rescind(&["audit", "verify", "--data-dir", &directory]);
    let intact = verify();
    assert_eq!(intact.code, 0, "{intact}");
    assert!(intact.stdout.starts_with("audit log intact: "), "{intact}");
    server.stop();
    // Five events of the first start and the first database: one of them now names another.
    tamper(
        &server.data_dir().join("catalog.sqlite"),
        b"Default account",
        b"Default Account",
    );
    let broken = verify();
    assert_eq!((broken.code, broken.stdout.as_str()), (1, ""), "{broken}");
    assert_eq!(
        broken.stderr,
        "error: audit log broken: event 1 is not as it was written\n"
    );
}

/// Edits the file's bytes behind SQLite's back; the texts have the same length.
fn tamper(path: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(path).expect("readable");
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|place| bytes[*place..].starts_with(from))
        .collect();
    assert!(
        !places.is_empty(),
        "nothing to tamper with: was the log folded into the file?"
    );
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    fs::write(path, bytes).expect("writable");
}
