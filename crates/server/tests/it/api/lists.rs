//! Lists: whole, by pages, filtered, in order.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use rescind_wire::next_of_link;
use serde_json::Value;
use tower::ServiceExt as _;

use super::world::World;

const TOKENS: usize = 1_050;

/// A world with more tokens than one page of a streamed list holds.
async fn crowded() -> World {
    let world = World::new().await;
    for number in 0..TOKENS {
        let resource = if number % 7 == 0 { "rare" } else { "common" };
        let body = format!(
            r#"{{"description":"token {number}","permissions":[{{"action":"read","resource":"{resource}"}}]}}"#
        );
        world.make("/tokens", &body).await;
    }
    world
}

/// Follows the links from `path` on and gives all elements.
async fn walk(world: &World, path: &str) -> Vec<Value> {
    let mut elements = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let answer = world.ask("GET", &path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        let page = answer.json().as_array().expect("an array").clone();
        assert!(!page.is_empty(), "no page is empty while there is something");
        elements.extend(page);
        next = answer.header("link").map(|link| {
            let link = next_of_link(link).expect("a next page");
            link.strip_prefix("/api/v0").expect("an absolute path").to_owned()
        });
    }
    elements
}

#[tokio::test]
async fn a_walk_over_pages_sees_what_the_whole_list_shows() {
    let world = crowded().await;
    let whole = world.ask("GET", "/tokens", "").await;
    assert_eq!(whole.header("content-type"), Some("application/json"));
    assert_eq!(whole.header("link"), None);
    let whole = whole.json().as_array().expect("an array").clone();
    assert_eq!(whole.len(), TOKENS);
    let ids: BTreeSet<_> = whole
        .iter()
        .map(|token| token["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), TOKENS, "each once");
    assert_eq!(walk(&world, "/tokens?limit=97").await, whole);
    let prefixed = walk(&world, &format!("{}/tokens/?limit=1000", world.prefix())).await;
    assert_eq!(prefixed.len(), TOKENS);
    assert_eq!(prefixed[0]["accountId"], world.account);

    let searched = walk(
        &world,
        "/tokens?limit=10&search=TOKEN+10&sort=description&order=desc",
    )
    .await;
    let mut expected: Vec<_> = (0..TOKENS)
        .map(|n| format!("token {n}"))
        .filter(|text| text.contains("token 10"))
        .collect();
    expected.sort_by(|one, other| other.cmp(one));
    let found: Vec<_> = searched
        .iter()
        .map(|token| token["description"].as_str().expect("text"))
        .collect();
    assert_eq!(found, expected);

    let rare = world.ask("GET", "/tokens?database=rare&limit=1", "").await;
    assert_eq!(rare.header("rescind-total-count"), Some("150"));
}

/// Promise G2: work of a revoked token stops. A list that stops must not look complete.
#[tokio::test]
async fn a_list_breaks_off_when_its_token_is_revoked() {
    let world = crowded().await;
    let request = Request::get("/api/v0/tokens").header("authorization", format!("Bearer {}", world.secret));
    let request = request.body(Body::empty()).expect("a request");
    let response = world.router.clone().oneshot(request).await.expect("an answer");
    let mut body = response.into_body();
    let first = body.frame().await.expect("a first page").expect("a whole one");
    assert!(first.into_data().expect("data").starts_with(b"[{"));
    let own = world.ask("GET", "/management-tokens", "").await.json();
    let own = format!("/management-tokens/{}", own[0]["id"].as_str().expect("an id"));
    assert_eq!(world.ask("DELETE", &own, "").await.status, StatusCode::NO_CONTENT);
    body.frame().await.expect("more").expect_err("a broken stream");
}

#[tokio::test]
async fn a_status_filter_shows_what_it_names() {
    let world = World::new().await;
    for (description, rest) in [
        ("works", ""),
        ("ends", r#","expiresAt":"2026-01-03T00:00:00Z""#),
        ("dies", ""),
        ("dies twice", r#","expiresAt":"2026-01-03T00:00:00Z""#),
    ] {
        let made = world
            .make("/tokens", &format!(r#"{{"description":"{description}"{rest}}}"#))
            .await;
        if description.starts_with("dies") {
            let path = format!("/tokens/{}", made["id"].as_str().expect("an id"));
            assert_eq!(
                world.ask("DELETE", &path, "").await.status,
                StatusCode::NO_CONTENT
            );
        }
    }
    world.clock.advance(std::time::Duration::from_secs(86_400));
    for (status, shown) in [
        ("active", vec!["works"]),
        ("expired", vec!["ends"]),
        ("revoked", vec!["dies", "dies twice"]),
        ("active,revoked", vec!["dies", "dies twice", "works"]),
        ("all", vec!["dies", "dies twice", "ends", "works"]),
    ] {
        let list = world
            .ask("GET", &format!("/tokens?sort=description&status={status}"), "")
            .await
            .json();
        let found: Vec<_> = list
            .as_array()
            .expect("an array")
            .iter()
            .map(|token| token["description"].as_str().expect("text"))
            .collect();
        assert_eq!(found, shown, "{status}");
    }
    let ordered = world
        .ask("GET", "/tokens?sort=expires&order=desc", "")
        .await
        .json();
    assert!(
        ordered[0].get("expiresAt").is_none(),
        "what never expires comes last, so first in this order"
    );
}

#[tokio::test]
async fn empty_lists_are_arrays_too() {
    let world = World::new().await;
    for path in [
        "/tokens",
        "/databases",
        "/tokens?limit=5",
        "/databases?details=true&status=deleted",
    ] {
        let answer = world.ask("GET", path, "").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::OK, "[]"),
            "{path}"
        );
        assert_eq!(answer.header("link"), None);
    }
}

#[tokio::test]
async fn other_lists_have_pages_as_well() {
    let world = World::new().await;
    for _ in 0..5 {
        world.make("/management-tokens", "{}").await;
    }
    for path in ["/management-tokens", "/audit-events", "/audit-events?order=asc"] {
        let separator = if path.contains('?') { '&' } else { '?' };
        let whole = world.ask("GET", path, "").await.json();
        let walked = walk(&world, &format!("{path}{separator}limit=2")).await;
        assert_eq!(&walked, whole.as_array().expect("an array"), "{path}");
        assert!(walked.len() > 5, "{path}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_order_is_refused() {
    let world = World::new().await;
    for _ in 0..3 {
        world.make("/tokens", r#"{"description":"t"}"#).await;
    }
    let page = world.ask("GET", "/tokens?limit=1", "").await;
    let link = next_of_link(page.header("link").expect("a link"))
        .expect("a next page")
        .to_owned();
    let path = format!(
        "{}&sort=description",
        link.strip_prefix("/api/v0").expect("an absolute path")
    );
    let answer = world.ask("GET", &path, "").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.message().starts_with("cursor: "), "{answer}");
}
