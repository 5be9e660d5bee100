//! What is wrong with a request is said by name, with the fix, without an echo of what must not be echoed.

use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use futures::stream;

use super::world::World;

/// Asks all of it and notes what was answered.
async fn refusals(world: &World, requests: &[(&str, &str, &str)]) -> String {
    let mut text = String::new();
    for (method, path, body) in requests {
        let answer = world.ask(method, path, body).await;
        assert!(
            answer.status.is_client_error(),
            "{method} {path} {body}: {answer}"
        );
        let path = if path.len() > 200 { &path[..20] } else { path };
        let shown = if body.len() > 200 {
            format!("({} bytes)", body.len())
        } else {
            (*body).to_owned()
        };
        let request = format!("{method} {path} {shown}").replace(&world.secret, "SECRET");
        assert!(
            !answer.body.contains(&world.secret[..20]),
            "no secret is echoed: {request}"
        );
        writeln!(
            text,
            "{}\n  {} {}",
            request.trim_end(),
            answer.status.as_u16(),
            answer.message()
        )
        .expect("writes");
    }
    text.replace(&world.account, "ACCOUNT")
        .replace(&world.cluster, "CLUSTER")
}

/// Bodies of `POST /tokens`.
const TOKENS: &[&str] = &[
    "",
    " \n",
    "{",
    "description=t",
    "[]",
    "null",
    "{}",
    r#"{"description":"t"} {}"#,
    r#"{"description":"t","description":"u"}"#,
    r#"{"description":7}"#,
    r#"{"description":null}"#,
    r#"{"description":"t","role":"admin"}"#,
    r#"{"description":"t","expiresAt:":"2030-01-01T00:00:00Z"}"#,
    r#"{"description":"t","expiresAt":"tomorrow"}"#,
    r#"{"description":"t","expiresAt":"2026-01-02T03:04:05Z"}"#,
    r#"{"description":"t","expirationType":"datetime"}"#,
    r#"{"description":"t","expirationType":"noExpiration","expiresAt":"2030-01-01T00:00:00Z"}"#,
    r#"{"description":"t","expirationType":"sometimes"}"#,
    r#"{"description":"t","permissions":[{"action":"drop","resource":"*"}]}"#,
    r#"{"description":"t","permissions":[{"action":"read","resource":"a b"}]}"#,
    r#"{"description":"t","permissions":[{"action":"read"}]}"#,
    r#"{"description":"t","permissions":{"action":"read"}}"#,
];

#[tokio::test]
async fn bodies_of_tokens() {
    let world = World::new().await;
    let id = world.make("/tokens", r#"{"description":"t"}"#).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let token = format!("/tokens/{id}");
    let permission = |n: usize| format!(r#"{{"action":"read","resource":"d{n}"}}"#);
    let many: Vec<_> = (0..1_001).map(permission).collect();
    let secret = &world.secret;
    let large = [
        format!(r#"{{"description":"t","permissions":[{}]}}"#, many.join(",")),
        format!(r#"{{"description":"{}"}}"#, "x".repeat(17_000)),
        format!(r#"{{"{}":1}}"#, "y".repeat(10_000)),
        format!(r#"{{"description":{}"#, "[".repeat(100_000)),
        format!(r#"{{"description":"t","{secret}":1}}"#),
        format!(r#"{{"description":"t","permissions":[{{"action":"{secret}","resource":"*"}}]}}"#),
    ];
    let mut requests: Vec<_> = TOKENS.iter().map(|body| ("POST", "/tokens", *body)).collect();
    requests.extend(large.iter().map(|body| ("POST", "/tokens", body.as_str())));
    requests.extend([
        ("PATCH", token.as_str(), "{}"),
        ("PATCH", &token, r#"{"expiresAt":"2030-01-01T00:00:00Z"}"#),
        ("POST", "/management-tokens", r#"{"description":""}"#),
        (
            "POST",
            "/management-tokens",
            r#"{"expiresAt":"2020-01-01T00:00:00Z"}"#,
        ),
    ]);
    insta::assert_snapshot!(refusals(&world, &requests).await);
}

#[tokio::test]
async fn bodies_of_databases_and_tables() {
    let world = World::new().await;
    world.make("/databases", r#"{"name":"a"}"#).await;
    let overlong = format!(r#"{{"name":"{}"}}"#, "a".repeat(65));
    let told = refusals(
        &world,
        &[
            ("POST", "/databases", r#"{"name":""}"#),
            ("POST", "/databases", r#"{"name":"-a"}"#),
            ("POST", "/databases", r#"{"name":"a b"}"#),
            ("POST", "/databases", &overlong),
            ("POST", "/databases", r#"{"name":"b","maxTables":0}"#),
            ("POST", "/databases", r#"{"name":"b","maxColumnsPerTable":1001}"#),
            ("POST", "/databases", r#"{"name":"b","maxTables":1.5}"#),
            ("POST", "/databases", r#"{"name":"b","retentionPeriod":-1}"#),
            (
                "POST",
                "/databases",
                r#"{"name":"b","retentionPeriod":9223372036854775808}"#,
            ),
            ("POST", "/databases", r#"{"name":"b","partitionTemplate":[]}"#),
            (
                "POST",
                "/databases",
                r#"{"name":"b","partitionTemplate":[{"type":"color","value":"red"}]}"#,
            ),
            ("PATCH", "/databases/a", "{}"),
            ("PATCH", "/databases/a", r#"{"name":"b"}"#),
            ("PUT", "/databases/a/rename", r#"{"name":"/b"}"#),
            ("POST", "/databases/a/tables", r#"{"name":"a b"}"#),
            ("POST", "/databases/a/tables", r#"{"name":"iox_x"}"#),
            ("PUT", "/databases/a/tables/t/rename", r#"{"name":""}"#),
        ],
    )
    .await;
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn paths_and_parameters() {
    let world = World::new().await;
    world.make("/databases", r#"{"name":"a"}"#).await;
    let account = &world.account;
    let unknown = "11111111-1111-4111-8111-111111111111";
    let long = format!("/tokens?search={0}&search={0}", "z".repeat(5_000));
    let told = refusals(
        &world,
        &[
            ("GET", "/accounts/7/clusters/8/tokens", ""),
            ("GET", &format!("/accounts/{account}/clusters/x/tokens"), ""),
            ("GET", &format!("/accounts/{unknown}"), ""),
            ("GET", &format!("/accounts/{account}/clusters/{unknown}"), ""),
            (
                "GET",
                &format!("/accounts/{unknown}/clusters/{unknown}/tokens"),
                "",
            ),
            (
                "GET",
                &format!("/accounts/{account}/clusters/{unknown}/tokens"),
                "",
            ),
            ("GET", "/tokens/7", ""),
            ("GET", &format!("/tokens/{unknown}"), ""),
            ("DELETE", &format!("/tokens/{unknown}"), ""),
            ("DELETE", "/management-tokens/T%C3%A4", ""),
            ("DELETE", &format!("/management-tokens/{unknown}"), ""),
            ("DELETE", "/databases/%FF", ""),
            ("DELETE", "/databases/a%20b", ""),
            ("DELETE", "/databases/b", ""),
            ("PUT", "/databases/a/undelete", ""),
            ("PUT", "/databases/0/undelete", ""),
            ("PUT", "/databases/99/undelete", ""),
            ("DELETE", "/databases/a/tables/b", ""),
            ("DELETE", "/databases/b/tables/b", ""),
            ("PUT", "/databases/a/tables/b/undelete", ""),
            ("GET", "/databases/b/tables", ""),
            ("GET", "/tokens?page=2", ""),
            ("GET", "/tokens?limit=1&limit=2", ""),
            ("GET", &long, ""),
            ("GET", "/tokens?limit=0", ""),
            ("GET", "/tokens?limit=1001", ""),
            ("GET", "/tokens?limit=ten", ""),
            ("GET", "/tokens?limit=99999999999", ""),
            ("GET", "/tokens?cursor=i1.i2", ""),
            ("GET", "/tokens?limit=1&cursor=zzz", ""),
            ("GET", "/tokens?status=dead", ""),
            ("GET", "/tokens?sort=color", ""),
            ("GET", "/tokens?order=up", ""),
            ("GET", "/tokens?database=a+b", ""),
            ("GET", "/tokens?search=%FF", ""),
            ("GET", "/databases?details=yes", ""),
            ("GET", "/databases?status=deleted", ""),
            ("GET", "/databases?status=gone&details=true", ""),
            ("GET", "/databases?limit=5", ""),
            ("DELETE", "/databases/a?dryRun=true", ""),
            ("GET", "/nodes?%FF", ""),
            ("GET", "/databases/a/tables?status=gone", ""),
            ("GET", "/audit-events?act=drop", ""),
            ("GET", "/databasez", ""),
            ("GET", "/databases/a", ""),
            ("PUT", "/tokens", "{}"),
            ("BREW", "/tokens", ""),
            ("POST", "/nodes", "{}"),
        ],
    )
    .await;
    insta::assert_snapshot!(told);
}

/// A parameter without a meaning may have been meant to hold an act back.
#[tokio::test]
async fn no_route_ignores_a_query_parameter() {
    let world = World::new().await;
    let before = world.authority.revision();
    let document = serde_json::to_value(rescind_server::api::openapi()).expect("a document");
    let mut routes = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path
            .replace("{accountId}", &world.account)
            .replace("{clusterId}", &world.cluster);
        for method in item.as_object().expect("operations").keys() {
            let method = method.to_uppercase();
            let answer = world.ask(&method, &format!("{path}?&dryRun=true"), "").await;
            assert_eq!(answer.status, 400, "{method} {path}: {answer}");
            let message = answer.message();
            assert!(
                message.contains("unknown query parameter `dryRun`"),
                "{method} {path}: {message}"
            );
            routes += 1;
        }
    }
    assert!(routes > 40, "{routes}");
    assert_eq!(world.authority.revision(), before);
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let world = World::new().await;
    let tokens = world.ask("PUT", "/tokens", "{}").await;
    assert_eq!(
        (tokens.status.as_u16(), tokens.header("allow")),
        (405, Some("GET,HEAD,POST"))
    );
    let token = world.ask("POST", "/tokens/x/", "{}").await;
    assert_eq!(
        (token.status.as_u16(), token.header("allow")),
        (405, Some("GET,HEAD,PATCH,DELETE"))
    );
}

#[tokio::test]
async fn credentials() {
    let world = World::new().await;
    let secret = &world.secret;
    let last = if secret.ends_with('0') { "1" } else { "0" };
    let mut told = String::new();
    for (label, headers) in [
        ("none", vec![]),
        ("empty", vec![String::new()]),
        ("scheme only", vec!["Bearer".to_owned()]),
        ("no scheme", vec![secret.clone()]),
        ("Token", vec![format!("Token {secret}")]),
        ("Basic", vec!["Basic dTpw".to_owned()]),
        (
            "two",
            vec![format!("Bearer {secret}"), format!("Bearer {secret}")],
        ),
        ("garbage", vec!["Bearer x".to_owned()]),
        (
            "typing error",
            vec![format!("Bearer {}{last}", &secret[..secret.len() - 1])],
        ),
        ("with more behind it", vec![format!("Bearer {secret} {secret}")]),
    ] {
        let headers: Vec<_> = headers
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        let answer = world.send("GET", "/tokens", &headers, "").await;
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge.is_some(), answer.status == 401, "{answer}");
        writeln!(
            told,
            "{label}\n  {} {}\n  {}",
            answer.status.as_u16(),
            answer.message(),
            challenge.unwrap_or("no challenge")
        )
        .expect("writes");
    }
    assert!(!told.contains(secret), "no secret is echoed");
    insta::assert_snapshot!(told);
    let elsewhere = world
        .ask("GET", "/accounts/99999999-9999-4999-8999-999999999999", "")
        .await;
    assert_eq!(
        (elsewhere.status.as_u16(), elsewhere.header("www-authenticate")),
        (403, Some(r#"Bearer realm="rescind", error="insufficient_scope""#))
    );
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer  "] {
        let header = format!("{scheme} {secret}");
        let answer = world
            .send("GET", "/tokens", &[("authorization", &header)], "")
            .await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn types_sizes_and_encodings_of_bodies() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", world.secret);
    let good = r#"{"description":"t"}"#;
    let padded = format!("{good}{}", " ".repeat(1024 * 1024 - good.len()));
    let mut told = String::new();
    for (label, header, body) in [
        ("no type", None, Bytes::from(good)),
        (
            "JSON with charset",
            Some(("content-type", "application/json; charset=utf-8")),
            Bytes::from(good),
        ),
        (
            "some JSON",
            Some(("content-type", "application/merge-patch+json")),
            Bytes::from(good),
        ),
        (
            "form",
            Some(("content-type", "application/x-www-form-urlencoded")),
            Bytes::from(good),
        ),
        ("text", Some(("content-type", "text/plain")), Bytes::from(good)),
        ("gzip", Some(("content-encoding", "gzip")), Bytes::from(good)),
        (
            "not UTF-8",
            None,
            Bytes::from_static(b"{\"description\":\"\xff\"}"),
        ),
        (
            "a byte order mark",
            None,
            Bytes::from_static(b"\xef\xbb\xbf{\"description\":\"t\"}"),
        ),
        ("just small enough", None, Bytes::from(padded.clone())),
        ("too large", None, Bytes::from(format!("{padded} "))),
    ] {
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(header);
        // Once with its length declared, once without.
        let declared = body.len().to_string();
        let whole = world
            .send(
                "POST",
                "/tokens",
                &[&headers[..], &[("content-length", &declared)]].concat(),
                body.clone(),
            )
            .await;
        let chunks = body
            .chunks(4_096)
            .map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk)));
        let chunks = Body::from_stream(stream::iter(chunks.collect::<Vec<_>>()));
        let streamed = world.send("POST", "/tokens", &headers, chunks).await;
        assert_eq!(whole.status, streamed.status, "{label}");
        let message = if whole.status == 200 {
            "created".to_owned()
        } else {
            whole.message()
        };
        writeln!(told, "{label}\n  {} {message}", whole.status.as_u16()).expect("writes");
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", world.secret);
    let chunks = [
        Ok(Bytes::from_static(b"{\"descr")),
        Err(std::io::Error::other("gone")),
    ];
    let answer = world
        .send(
            "POST",
            "/tokens",
            &[("authorization", &bearer)],
            Body::from_stream(stream::iter(chunks)),
        )
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.message(), "the body ended before it was complete");
}

#[tokio::test]
async fn a_description_of_ten_kilobytes_is_fine() {
    let world = World::new().await;
    let description = "ü".repeat(5_000);
    let made = world
        .make("/tokens", &format!(r#"{{"description":"{description}"}}"#))
        .await;
    assert_eq!(made["description"], description);
}

#[tokio::test]
async fn nothing_refused_was_done() {
    let world = World::new().await;
    let before = world.authority.revision();
    for (method, path, body) in [
        ("POST", "/tokens", r#"{"description":"t","role":"admin"}"#),
        ("POST", "/databases", r#"{"name":"-"}"#),
        ("DELETE", "/databases/a", ""),
    ] {
        assert!(world.ask(method, path, body).await.status.is_client_error());
    }
    assert_eq!(world.authority.revision(), before);
}
