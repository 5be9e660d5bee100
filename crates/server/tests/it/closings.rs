//! Nodes that can admit nothing any more: what their clients are told, and how the process ends (promise G3).

use std::io::Read as _;

use rescind_testkit::{Postgres, ServerSetup, TestServer};

use crate::cuts::begin_upload;
use crate::house::{make_database, make_token, postgres, printed_with, rescind};

fn node(postgres: &Postgres) -> TestServer {
    let setup = ServerSetup::default().catalog(&postgres.url());
    setup.arg("--lease-ttl").arg("1s").start()
}

/// What a client is answered whose upload this node was in the middle of.
fn answer(mut upload: std::net::TcpStream) -> String {
    let mut answer = String::new();
    upload.read_to_string(&mut answer).expect("an answer");
    answer.to_ascii_lowercase()
}

/// A node that ends in the middle of an upload because of this statement, and what the client is answered.
fn ended_by(postgres: &Postgres, statement: &str) -> (TestServer, String) {
    let mut server = node(postgres);
    make_database(&server);
    let token = make_token(&server, "At work");
    let upload = begin_upload(&server, &token);
    postgres.ask(statement).expect("done");
    let answer = answer(upload);
    assert_eq!(server.wait(), Some(1));
    (server, answer)
}

fn assert_told(server: &TestServer, answer: &str, why: &str) {
    assert!(answer.starts_with("http/1.1 503 "), "{answer}");
    assert!(
        answer.contains("this node is closed for good: it must be started anew"),
        "{answer}"
    );
    assert!(!answer.contains("retry-after"), "{answer}");
    let printed = printed_with(server, "error: ");
    let last = printed.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: this node has ended: "), "{printed}");
    assert!(last.contains("started anew"), "{printed}");
    assert!(printed.contains(why), "{printed}");
}

/// As after a restore under its feet.
#[test]
fn a_node_whose_catalog_went_back_says_so_and_ends_and_can_be_started_anew() {
    let postgres = postgres();
    let (mut server, answer) = ended_by(&postgres, "UPDATE ledger SET revision = revision - 1");
    assert_told(&server, &answer, "the catalog went back: it is at revision 2 ");
    server.restart();
    assert_eq!(server.http().get("/health").status, 200);
}

/// A newer release was started beside it.
#[test]
fn a_node_below_whom_the_schema_was_upgraded_says_so_and_ends_for_good() {
    let postgres = postgres();
    let upgraded = "UPDATE ledger SET schema_version = schema_version + 1";
    let (server, answer) = ended_by(&postgres, upgraded);
    assert_told(&server, &answer, "use a newer rescind");
    let again = rescind(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        server.data_dir().to_str().expect("UTF-8"),
        "--catalog",
        &postgres.url(),
    ]);
    assert_eq!(again.code, 1, "{again}");
    assert!(again.stderr.contains("use a newer rescind"), "{again}");
}
