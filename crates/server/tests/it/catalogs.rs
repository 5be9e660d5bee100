//! What a node makes of the way to its PostgreSQL, and of one that is not there for it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rescind_testkit::{Postgres, Reply, ServerSetup, TestServer};

use crate::house::{await_some, make_database, make_token, postgres, printed_with, rescind};

fn ask(postgres: &Postgres, sql: &str) {
    postgres.ask(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn health(server: &TestServer, status: u16, says: &str) -> Reply {
    await_some(&format!("{status} {says}"), || {
        let health = server.http().get("/health");
        (health.status == status && health.text().contains(says)).then_some(health)
    })
}

#[test]
fn a_way_that_may_be_in_clear_is_warned_of() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().to_str().expect("UTF-8");
    let start = |catalog: &str| {
        let flags = ["serve", "--listen", "127.0.0.1:0", "--data-dir", data];
        let ended = rescind(&[&flags[..], &["--catalog", catalog]].concat());
        assert_eq!(ended.code, 1, "{ended}");
        assert!(ended.stderr.contains("cannot be reached"), "{ended}");
        ended.stderr
    };
    let told = start("postgres://ada:hush@db.invalid/rescind");
    let warning = "PostgreSQL on db.invalid may pass in clear";
    assert!(
        told.contains("WARN") && told.contains(warning) && !told.contains("hush"),
        "{told}"
    );
    assert!(told.contains("sslmode=verify-full"), "{told}");
    for safe in ["db.invalid/rescind?sslmode=verify-full", "127.0.0.1:1/rescind"] {
        let told = start(&format!("postgres://ada:hush@{safe}"));
        assert!(!told.contains("in clear"), "{told}");
    }
}

#[test]
fn a_node_that_gets_no_connection_says_so_until_it_does() {
    let postgres = postgres();
    ask(&postgres, "CREATE ROLE limited LOGIN");
    ask(&postgres, "ALTER DATABASE rescind OWNER TO limited");
    let server = ServerSetup::default()
        .catalog(&postgres.url().replace("postgres@", "limited@"))
        .arg("--lease-ttl")
        .arg("1s")
        .start();
    ask(&postgres, "ALTER ROLE limited CONNECTION LIMIT 0");
    ask(
        &postgres,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'limited'",
    );
    let closed = health(&server, 503, "PostgreSQL has no connection left for it");
    assert!(!closed.text().contains("limited"), "{closed}");
    let told = printed_with(&server, "too many connections for role");
    assert!(
        told.contains("the lease was not renewed") && told.contains("Raise max_connections"),
        "{told}"
    );
    ask(&postgres, "ALTER ROLE limited CONNECTION LIMIT -1");
    health(&server, 200, "ready");
    printed_with(&server, "caught up with the catalog; admitting again");
}

/// Uses and a receipt wait to be written, and the lease to be given up.
#[test]
fn a_catalog_that_does_not_answer_keeps_no_node_from_ending() {
    let postgres = postgres();
    let mut server = ServerSetup::default()
        .catalog(&postgres.url())
        .arg("--lease-ttl")
        .arg("60s")
        .start();
    make_database(&server);
    let (used, revoked) = (make_token(&server, "Used"), make_token(&server, "Revoked"));
    assert_eq!(used.write(&server).status, 204);
    let path = format!("{}/tokens/{}", server.cluster_path(), revoked.id);
    assert_eq!(server.management().delete(&path).status, 204);
    postgres.stand_still();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        server.stop();
        let _ = done.send(server.printed());
    });
    // A statement has up to 35 seconds, and there are several.
    let told = ended.recv_timeout(Duration::from_secs(30));
    postgres.go_on();
    let told = told.expect("it ends");
    // It gave up before the statements did.
    assert!(
        told.contains("the last uses and receipts were not written down"),
        "{told}"
    );
    assert!(!told.contains("last-used times were not recorded"), "{told}");
}
