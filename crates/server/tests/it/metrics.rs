//! `/metrics`: what it counts, and who may ask.

use rescind_testkit::TestServer;

use crate::house::{make_database, make_token, printed_with};

/// The value of a metric by its name and labels.
fn value(metrics: &str, name: &str) -> f64 {
    let found = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found
        .unwrap_or_else(|| panic!("no {name} in {metrics}"))
        .parse()
        .expect("a number")
}

#[test]
fn requests_and_revocations_are_counted() {
    let server = TestServer::start();
    make_database(&server);
    let token = make_token(&server, "Counted");
    let before = server.http().get("/metrics").text();
    assert_eq!(token.write(&server).status, 204);
    assert_eq!(token.query(&server).status, 200);
    let path = format!("{}/tokens/{}", server.cluster_path(), token.id);
    assert_eq!(server.management().delete(&path).status, 204);
    assert_eq!(token.write(&server).status, 401);

    let reply = server.http().get("/metrics");
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let after = reply.text();
    assert_eq!(
        value(&after, "rescind_grants"),
        value(&before, "rescind_grants") - 1.0
    );
    assert!(value(&after, "rescind_revision") > value(&before, "rescind_revision"));
    assert_eq!(value(&after, "rescind_admitting"), 1.0);
    assert_eq!(value(&after, "rescind_revoke_seconds_count"), 1.0);
    assert_eq!(
        value(&after, r#"rescind_requests_refused_total{reason="revoked"}"#),
        1.0
    );
    assert_eq!(value(&after, r#"rescind_writes_total{outcome="stored"}"#), 1.0);
    assert_eq!(
        value(
            &after,
            r#"rescind_management_requests_total{method="DELETE",status="204"}"#
        ),
        1.0
    );
    let wrong = server
        .http()
        .bearer(&token.secret)
        .header("user-agent", "guesser/1");
    for _ in 0..50 {
        assert_eq!(wrong.get(&path).status, 401);
    }
    let after = server.http().get("/metrics").text();
    assert_eq!(
        value(&after, r#"rescind_management_refused_total{reason="revoked"}"#),
        50.0
    );
    let printed = printed_with(&server, "guesser/1");
    let lines: Vec<&str> = printed
        .lines()
        .filter(|line| line.contains("refused by the management API"))
        .collect();
    assert!(
        (1..40).contains(&lines.len()),
        "{} lines for 50 refusals",
        lines.len()
    );
    assert!(
        lines[0].contains("reason=\"revoked\"") && lines[0].contains("127.0.0.1:"),
        "{}",
        lines[0]
    );
    let started = value(&after, "rescind_start_time_seconds");
    assert!(started > 1.7e9, "{started}");
    assert!(
        !after.contains(&token.id) && !after.contains("weather"),
        "metrics name names"
    );
}

#[test]
fn revocations_of_many_at_once_are_one() {
    let server = TestServer::start();
    make_database(&server);
    let tokens = [make_token(&server, "One"), make_token(&server, "Two")];
    let path = format!("{}/tokens/revoke", server.cluster_path());
    let body = format!(r#"{{"ids":["{}","{}"]}}"#, tokens[0].id, tokens[1].id);
    for _ in 0..2 {
        assert_eq!(server.management().json("POST", &path, &body).status, 200);
    }
    let metrics = server.http().get("/metrics").text();
    assert_eq!(
        value(&metrics, "rescind_revoke_seconds_count"),
        1.0,
        "nothing was left for the second"
    );
}

#[test]
fn strangers_need_a_management_token() {
    let server = TestServer::start();
    make_database(&server);
    let token = make_token(&server, "Not for metrics");
    // Behind a proxy on this machine everybody comes from here.
    let forwarded = server.http().header("x-forwarded-for", "203.0.113.7");
    let refused = forwarded.get("/metrics");
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, Some("Bearer")),
        "{refused}"
    );
    assert_eq!(
        forwarded.clone().bearer(&token.secret).get("/metrics").status,
        401
    );
    assert_eq!(
        forwarded.bearer(server.management_token()).get("/metrics").status,
        200
    );
}
