//! Receipts as users of several nodes meet them: who is awaited, what becomes of it, and what the audit log keeps.

use rescind_testkit::{ServerSetup, Signal};
use serde_json::Value;

use crate::house::{make_database, make_token, postgres, text};

#[test]
fn influxctl_names_the_node_that_does_not_answer_and_may_be_repeated() {
    let postgres = postgres();
    let node = |name: &str| {
        let setup = ServerSetup::default().catalog(&postgres.url());
        setup.arg("--node-name").arg(name).arg("--lease-ttl").arg("9s")
    };
    let first = node("node-1").start();
    make_database(&first);
    let token = make_token(&first, "Two nodes");
    let other = make_token(&first, "Two nodes, too");
    let second = node("node-2").joining(&first).start();
    let revoke = |id: &str, timeout: &str| {
        let arguments = ["token", "revoke", "--force", id, "--timeout", timeout];
        first.influxctl().run(&arguments)
    };

    let told = revoke(&other.id, "1m");
    assert_eq!(told.code, 0, "{told}");
    assert!(
        told.stderr.contains("info\trefused on 2 of 2 nodes after "),
        "{told}"
    );
    assert!(told.stderr.contains("info\tnodes: node-1 applied "), "{told}");
    assert!(told.stderr.contains(", node-2 applied "), "{told}");

    second.signal(Signal::STOP);
    let unsure = revoke(&token.id, "3s");
    assert_eq!(unsure.code, 1, "{unsure}");
    assert!(unsure.stdout.contains("Revoked database token"), "{unsure}");
    assert!(unsure.stderr.contains("this is done for good"), "{unsure}");
    assert!(unsure.stderr.contains("node node-2 has not answered"), "{unsure}");
    assert!(
        unsure.stderr.contains("repeating the command is safe"),
        "{unsure}"
    );
    let write = first.http().bearer(&token.secret);
    let refused = write.post("/api/v2/write?bucket=weather", "a b=1");
    assert_eq!(refused.status, 401, "{refused}");

    let sure = revoke(&token.id, "1m");
    assert_eq!(sure.code, 0, "{sure}");
    assert!(
        sure.stderr.contains("info\trefused on 2 of 2 nodes after "),
        "{sure}"
    );
    assert!(sure.stderr.contains(", node-2 lapsed"), "{sure}");
    second.signal(Signal::CONT);
}

#[test]
fn a_receipt_outlives_the_end_of_its_node() {
    let mut server = ServerSetup::default().start();
    make_database(&server);
    let token = make_token(&server, "The last act");
    let path = format!("{}/tokens/{}", server.cluster_path(), token.id);
    let revoked = server.management().delete(&path);
    assert_eq!(revoked.status, 204, "{revoked}");
    // Before the moment that receipts wait for each other.
    server.stop();
    server.restart();
    let page = format!(
        "/api/v0/audit-events?act=database_token.receipt&subject={}",
        token.id
    );
    let kept = server.management().get(&page);
    let events: Vec<Value> = serde_json::from_slice(&kept.bytes).expect("JSON");
    assert_eq!(events.len(), 1, "{kept}");
    let details = &events[0]["details"];
    assert_eq!(
        Some(text(details, "revision").as_str()),
        revoked.header("rescind-revision"),
        "{kept}"
    );
    assert!(text(details, "nodes").contains(" applied "), "{kept}");
}
