//! What is told of a change's receipt: by which nodes it is acted upon, and what to do when that is not known.

use std::time::Duration;

use rescind_wire::WaitPreference;

use crate::stub::{Answer, Asked, CLUSTER, Ctl, Stub};

const ID: &str = "33333333-3333-4333-8333-333333333333";

fn revoking(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> String {
    let stub = Stub::serve(answer);
    Ctl::new(stub.port)
        .run(&["token", "revoke", "--force", ID, CLUSTER])
        .text()
}

fn complete(_: &Asked) -> Answer {
    Answer::bare(204)
        .with("Rescind-Revision", "42")
        .with("Rescind-Nodes", "2/3")
        .with("Rescind-Effective-Ms", "5050")
        .with(
            "Rescind-Node-States",
            r#""node-1";applied=2, "node-2";applied=11, "node-3";lapsed"#,
        )
}

fn incomplete(_: &Asked) -> Answer {
    Answer::bare(202)
        .with("Rescind-Revision", "42")
        .with("Rescind-Nodes", "2/3")
        .with("Rescind-Settled-Within-Ms", "4101")
        .with(
            "Rescind-Node-States",
            r#""node-1";applied=2, "node-2";applied=11, "node-3";awaited"#,
        )
}

#[test]
fn several_nodes_are_named() {
    insta::assert_snapshot!(revoking(complete));
}

#[test]
fn awaited_nodes_are_named_and_until_when() {
    insta::assert_snapshot!(revoking(incomplete));
}

fn many() -> Vec<String> {
    (10..35)
        .map(|number| format!("33333333-3333-4333-8333-3333333333{number}"))
        .collect()
}

fn revoking_many(stub: &Stub) -> String {
    let ids = many();
    let mut words = vec!["token", "revoke", "--force"];
    words.extend(ids.iter().map(String::as_str));
    Ctl::new(stub.port).run(&words).text()
}

#[test]
fn many_tokens_are_revoked_by_one_call() {
    let stub = Stub::serve(|asked| {
        assert_eq!(asked.method, "POST", "{asked:?}");
        let outcome = |(number, id): (usize, String)| {
            let outcome = match number {
                0 => "not_found",
                1 => "forbidden",
                2 => "already_revoked",
                _ => "revoked",
            };
            format!(r#"{{"id":"{id}","outcome":"{outcome}"}}"#)
        };
        let tokens: Vec<_> = many().into_iter().enumerate().map(outcome).collect();
        Answer::json(200, format!(r#"{{"tokens":[{}]}}"#, tokens.join(",")))
            .with("Rescind-Revision", "42")
            .with("Rescind-Nodes", "1/1")
            .with("Rescind-Effective-Ms", "3")
    });
    insta::assert_snapshot!(revoking_many(&stub));
    assert_eq!(stub.lines().len(), 1, "{:?}", stub.lines());
}

#[test]
fn where_that_call_is_unknown_they_are_revoked_one_by_one() {
    let stub = Stub::serve(|asked| match asked.method.as_str() {
        "DELETE" => Answer::done(),
        _ => Answer::error(405, "no such call"),
    });
    let told = revoking_many(&stub);
    assert_eq!(told.matches("Revoked database token").count(), 25, "{told}");
    assert_eq!(stub.lines().len(), 26, "{:?}", stub.lines());
}

#[test]
fn leases_that_could_not_be_read_are_told_of() {
    insta::assert_snapshot!(revoking(|_| {
        Answer::bare(202)
            .with("Rescind-Revision", "42")
            .with("Rescind-Nodes", "1/1")
            .with("Rescind-Settled-Within-Ms", "60600")
            .with("Rescind-Node-States", r#""node-1";applied=2"#)
    }));
}

#[test]
fn other_changes_are_done_but_warned_of() {
    let stub = Stub::serve(incomplete);
    let ctl = Ctl::new(stub.port);
    let deleted = ctl.run(&["database", "delete", "--force", "home"]);
    insta::assert_snapshot!(deleted.text());
    assert_eq!(deleted.code, 0);
}

#[test]
fn a_revocation_without_an_answer_may_be_done() {
    insta::assert_snapshot!(revoking(|_| Answer::none()));
}

#[test]
fn a_revocation_that_a_server_was_unsure_of_may_be_done() {
    insta::assert_snapshot!(revoking(|_| Answer::error(
        503,
        "nothing can be said for certain: try again"
    )));
}

#[test]
fn a_revocation_that_never_arrived_is_not_done() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let ended = Ctl::new(port).run(&["token", "revoke", "--force", ID]);
    insta::assert_snapshot!(ended.text());
}

#[test]
fn the_time_limit_asks_the_server_to_answer_before_it() {
    let stub = Stub::serve(complete);
    let ctl = Ctl::new(stub.port);
    let waits = |arguments: &[&str]| {
        ctl.run(arguments);
        let asked = stub.asked().pop().expect("asked");
        asked.header("prefer").map(str::to_owned)
    };
    let revoke = ["token", "revoke", "--force", ID];
    assert_eq!(waits(&revoke).as_deref(), Some("wait=59"));
    let short = [&revoke[..], &["--timeout", "2s"]].concat();
    assert_eq!(waits(&short).as_deref(), Some("wait=1.8"));
    let long = [&revoke[..], &["--timeout", "10000h"]].concat();
    let hour = WaitPreference::new(Duration::from_secs(3_600)).to_string();
    assert_eq!(waits(&long), Some(hour));
    assert_eq!(waits(&["token", "get", ID]), None);
}
