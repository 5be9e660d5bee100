//! Administrative reads hold no tether: whoever asks is asked once more right before the answer begins (promise G2).

use std::thread;

use rescind_testkit::{Postgres, Reply, ServerSetup, TestServer};
use serde_json::Value;

use crate::house::{await_some, make_database, postgres, printed_with, text};
use crate::visitors::{Visitor, link};

const LOCKS: &str = "FROM pg_locks WHERE relation = 'databases'::regclass AND";

/// The answer to a read of databases that stands still in the catalog while something else happens.
fn held_up(postgres: &Postgres, read: impl FnOnce() -> Reply + Send, meanwhile: impl FnOnce()) -> Reply {
    let count = |which: &str| {
        let counted = postgres.ask(&format!("SELECT count(*) {LOCKS} {which}"));
        counted.expect("counted")
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            // It is terminated, which psql takes for a failure.
            let _ =
                postgres.ask("BEGIN; LOCK TABLE databases IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(100)");
        });
        await_some("the table is locked", || (count("granted") == "1").then_some(()));
        let reading = scope.spawn(read);
        await_some("the read stands still", || {
            (count("NOT granted") != "0").then_some(())
        });
        meanwhile();
        let ended = format!("SELECT pg_terminate_backend(pid) {LOCKS} granted");
        postgres.ask(&ended).expect("terminated");
        reading.join().expect("an answer")
    })
}

fn server(postgres: &Postgres) -> TestServer {
    let server = ServerSetup::default().catalog(&postgres.url()).start();
    make_database(&server);
    server
}

#[test]
fn a_list_is_not_answered_to_a_token_that_was_revoked_meanwhile() {
    let postgres = postgres();
    let server = server(&postgres);
    let path = "/api/v0/management-tokens";
    let made = server
        .management()
        .json("POST", path, r#"{"description":"reader"}"#);
    let made: Value = serde_json::from_slice(&made.bytes).expect("JSON");
    let reader = server.http().bearer(&text(&made, "token"));
    let list = format!("{}/databases", server.cluster_path());
    assert_eq!(reader.get(&list).status, 200);
    let answer = held_up(
        &postgres,
        || reader.get(&list),
        || {
            let revoked = server
                .management()
                .delete(&format!("{path}/{}", text(&made, "id")));
            assert_eq!(revoked.status, 204, "{revoked}");
        },
    );
    assert_eq!(answer.status, 401, "{answer}");
    assert!(answer.text().contains("the token was revoked"), "{answer}");
    assert!(!answer.text().contains("weather"), "{answer}");
}

#[test]
fn a_page_is_not_shown_to_a_user_who_was_disabled_meanwhile() {
    let postgres = postgres();
    let server = server(&postgres);
    let ada = Visitor::new(&server);
    let accepted = ada.accept(&link(&printed_with(&server, "/invitations/I.V1.")));
    assert_eq!(accepted.status, 303, "{accepted}");
    let page = format!("/clusters/{}/databases", server.cluster_id());
    let shown = ada.get(&page);
    assert!(shown.status == 200 && shown.text().contains("weather"), "{shown}");
    let cookies: Vec<String> = ada
        .cookies
        .borrow()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let browser = server.http().header("cookie", &cookies.join("; "));
    let users = server.management().get("/api/v0/users");
    let users: Vec<Value> = serde_json::from_slice(&users.bytes).expect("JSON");
    let grace = server.management().json(
        "POST",
        "/api/v0/invitations",
        r#"{"email":"grace@example.org","role":"admin"}"#,
    );
    let grace: Value = serde_json::from_slice(&grace.bytes).expect("JSON");
    // Somebody must be left who can administer.
    assert_eq!(
        Visitor::new(&server).accept(&link(&text(&grace, "link"))).status,
        303
    );
    let answer = held_up(
        &postgres,
        || browser.get(&page),
        || {
            let path = format!("/api/v0/users/{}", text(&users[0], "id"));
            let disabled = server
                .management()
                .json("PATCH", &path, r#"{"state":"disabled"}"#);
            assert_eq!(disabled.status, 200, "{disabled}");
        },
    );
    assert_eq!(answer.status, 303, "{answer}");
    assert!(!answer.text().contains("weather"), "{answer}");
}
