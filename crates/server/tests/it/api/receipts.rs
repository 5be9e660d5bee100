//! Receipts when not every node is known to act, and how long to wait for that.

use rescind_authority::Admission;
use rescind_domain::{Action, Ask};
use serde_json::{Value, json};

use super::world::{Answer, World};

/// A token whose work goes on although it is cut, as long as the admission is kept.
async fn working(world: &World, description: &str) -> (String, Admission) {
    let body = json!({
        "description": description,
        "permissions": [{ "action": "write", "resource": "weather" }],
    });
    let made = world.make("/tokens", &body.to_string()).await;
    let ask = Ask {
        action: Action::Write,
        database: &"weather".parse().expect("a name"),
    };
    let secret = made["accessToken"].as_str().expect("a secret");
    let admitted = world.authority.admit(secret.as_bytes(), ask).expect("admitted");
    (made["id"].as_str().expect("an id").to_owned(), admitted)
}

async fn preferring(world: &World, prefer: &str, (method, path): (&str, &str), body: &str) -> Answer {
    let authorization = format!("Bearer {}", world.secret);
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("prefer", prefer),
    ];
    let headers = if body.is_empty() {
        [headers[0], headers[2]].to_vec()
    } else {
        headers.to_vec()
    };
    world.send(method, path, &headers, body.to_owned()).await
}

/// What may differ from run to run is when the wait ended.
fn scrubbed(answer: &Answer) -> String {
    let text = answer.to_string();
    let within = answer.header("rescind-settled-within-ms").unwrap_or("nothing");
    text.replace(&format!("settled-within-ms: {within}"), "settled-within-ms: [MS]")
}

#[tokio::test]
async fn an_act_that_is_awaited_is_accepted_and_repeated() {
    let world = World::new().await;
    world.make("/databases", r#"{"name":"weather"}"#).await;
    let (id, working) = working(&world, "awaited").await;
    let path = format!("/tokens/{id}");
    let request = ("DELETE", path.as_str());
    let accepted = preferring(&world, "respond-async, wait=0.05", request, "").await;
    let within: u64 = accepted
        .header("rescind-settled-within-ms")
        .and_then(|text| text.parse().ok())
        .expect("a number");
    assert!((1..=60_600).contains(&within), "{accepted}");
    let revision = accepted
        .header("rescind-revision")
        .expect("a revision")
        .to_owned();
    let token = world.ask("GET", &path, "").await.json();
    assert!(token["revokedAt"].is_string(), "it is done: {token}");
    drop(working);
    let done = preferring(&world, "wait=20", request, "").await;
    assert_eq!(done.header("rescind-revision"), Some(revision.as_str()), "{done}");
    let again = world.ask("DELETE", &path, "").await;
    insta::assert_snapshot!([scrubbed(&accepted), done.to_string(), again.to_string()].join("\n"));
}

#[tokio::test]
async fn the_answer_to_several_has_the_receipt_in_its_body() {
    let world = World::new().await;
    world.make("/databases", r#"{"name":"weather"}"#).await;
    let (id, working) = working(&world, "awaited").await;
    let body = json!({ "ids": [id] }).to_string();
    let request = ("POST", "/tokens/revoke");
    let accepted = preferring(&world, "wait=0", request, &body).await;
    assert_eq!(accepted.status, 202, "{accepted}");
    let receipt = &accepted.json()["receipt"];
    assert_eq!(
        receipt["nodes"],
        json!([{ "node": "node-1", "state": "awaited" }])
    );
    assert_eq!(receipt["effectiveAt"], Value::Null);
    assert!(receipt["settledWithinMs"].is_u64(), "{accepted}");
    drop(working);
    let done = preferring(&world, "wait=20", request, &body).await;
    assert_eq!(done.status, 200, "{done}");
    let receipt = &done.json()["receipt"];
    assert_eq!(receipt["nodes"][0]["state"], "applied", "{done}");
    assert!(receipt["effectiveAt"].is_string(), "{done}");
}

#[tokio::test]
async fn a_preference_that_is_none_is_ignored_and_one_without_an_act_is_not_applied() {
    let world = World::new().await;
    let create = ("POST", "/tokens");
    for prefer in ["wait=soon", "wait", "wait=-1", "return=minimal"] {
        let made = preferring(&world, prefer, create, r#"{"description":"t"}"#).await;
        assert_eq!(
            (made.status.as_u16(), made.header("preference-applied")),
            (200, None),
            "{made}"
        );
    }
    let made = preferring(&world, "wait=7", create, r#"{"description":"t"}"#).await;
    assert_eq!(made.header("preference-applied"), Some("wait=7"), "{made}");
    for (method, path) in [
        ("GET", "/tokens"),
        ("DELETE", "/tokens/99999999-9999-4999-8999-999999999999"),
    ] {
        let answer = preferring(&world, "wait=7", (method, path), "").await;
        assert_eq!(answer.header("preference-applied"), None, "{answer}");
    }
}

#[tokio::test]
async fn receipts_are_in_the_audit_log() {
    let world = World::new().await;
    world.make("/databases", r#"{"name":"weather"}"#).await;
    let (id, working) = working(&world, "awaited").await;
    let path = format!("/tokens/{id}");
    preferring(&world, "wait=0", ("DELETE", &path), "").await;
    drop(working);
    let page = format!("/audit-events?subject={id}&order=asc");
    // The second receipt comes when the wait has gone on to its end.
    let events = loop {
        world.authority.flush().await;
        let events = world.ask("GET", &page, "").await.json();
        if events.as_array().is_some_and(|events| events.len() >= 4) {
            break events;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    let told: Vec<_> = events.as_array().expect("a list")[1..]
        .iter()
        .map(|event| {
            let details = &event["details"];
            let is_effective = details["effective_at"].is_string();
            let nodes = details["nodes"].as_str().unwrap_or_default();
            // How long it took differs.
            let nodes = nodes.split(" applied ").next().unwrap_or_default().to_owned();
            (
                event["act"].clone(),
                details["revision"].clone(),
                is_effective,
                nodes,
            )
        })
        .collect();
    let revision = json!(events[1]["revision"].to_string());
    assert_eq!(
        told,
        [
            (json!("database_token.revoke"), Value::Null, false, String::new()),
            (
                json!("database_token.receipt"),
                revision.clone(),
                false,
                "node-1 awaited".to_owned()
            ),
            (
                json!("database_token.receipt"),
                revision,
                true,
                "node-1".to_owned()
            ),
        ]
    );
}
