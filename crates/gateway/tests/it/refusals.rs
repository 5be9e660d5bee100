//! Who is refused, where, and in which words.

use std::fmt::Write;

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use rescind_domain::Secret;
use rescind_testkit::FrozenClock;

use crate::house::{House, bearing, told};

/// Every way to the data, for the database `home`.
const WAYS: [(&str, &str, &str); 5] = [
    ("POST", "/write?db=home", "m v=1"),
    ("POST", "/api/v2/write?bucket=home", "m v=1"),
    ("POST", "/api/v3/write_lp?db=home", "m v=1"),
    ("GET", "/api/v3/query_sql?db=home&q=SELECT+1", ""),
    ("POST", "/api/v3/query_sql", r#"{"db":"home","q":"SELECT 1"}"#),
];

fn request(way: (&str, &str, &str), authorization: Option<&str>) -> Request<Body> {
    let (method, uri, body) = way;
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Body::from(body.to_owned())).expect("a request")
}

fn bearer(secret: &Secret) -> Option<String> {
    Some(format!("Bearer {}", secret.expose()))
}

/// Status, and what the challenge says beyond the scheme.
fn verdict(response: &Response) -> String {
    let challenge = response
        .headers()
        .get(WWW_AUTHENTICATE)
        .map(|value| value.to_str().expect("ASCII"));
    let said = challenge.map(|text| {
        text.strip_prefix(r#"Bearer realm="rescind""#)
            .expect("a Bearer challenge")
    });
    format!("{}{}", response.status().as_u16(), said.unwrap_or_default())
}

/// Everybody who should be refused, and one who should not.
async fn everybody(house: &House) -> Vec<(&'static str, Option<String>)> {
    let both = [("read", "home"), ("write", "home")];
    let good = house.token(&both).await;
    let revoked = house.token(&both).await;
    house.revoke(revoked.item.id).await;
    let soon = FrozenClock::START.plus_micros(1_000_000);
    let expired = house.token_until(&both, Some(soon)).await;
    house.clock.set(soon);
    let wrong_checksum = {
        let mut text = good.secret.expose().to_owned();
        let last = text.pop().expect("a character");
        text.push(if last == 'A' { 'B' } else { 'A' });
        text
    };
    let unknown = Secret::mint(
        rescind_domain::SecretKind::Database,
        &rescind_testkit::SeededRng::new(99),
    );
    vec![
        ("no token", None),
        ("garbage header", Some("garbage".to_owned())),
        (
            "scheme in lower case",
            Some(format!("bearer {}", good.secret.expose())),
        ),
        ("garbage token", Some("Bearer garbage".to_owned())),
        ("wrong checksum", Some(format!("Bearer {wrong_checksum}"))),
        ("unknown", bearer(&unknown)),
        ("revoked", bearer(&revoked.secret)),
        ("expired", bearer(&expired.secret)),
        ("management token", bearer(&house.management_secret)),
        ("no permission at all", bearer(&house.token(&[]).await.secret)),
        (
            "other database",
            bearer(
                &house
                    .token(&[("read", "office"), ("write", "office")])
                    .await
                    .secret,
            ),
        ),
        (
            "may read only",
            bearer(&house.token(&[("read", "home")]).await.secret),
        ),
        (
            "may write only",
            bearer(&house.token(&[("write", "home")]).await.secret),
        ),
        (
            "every database",
            bearer(&house.token(&[("read", "*"), ("write", "*")]).await.secret),
        ),
        ("good", bearer(&good.secret)),
    ]
}

#[tokio::test]
async fn every_way_in_refuses_whom_it_should() {
    let house = House::new().await;
    let mut table = String::new();
    for (who, authorization) in everybody(&house).await {
        writeln!(table, "{who}").expect("written");
        for way in WAYS {
            let response = house.send(request(way, authorization.as_deref())).await;
            writeln!(table, "  {:4} {:40} {}", way.0, way.1, verdict(&response)).expect("written");
            let reached = house.upstream.calls().len();
            assert_eq!(
                reached,
                usize::from(response.status().is_success()),
                "{who} {way:?}"
            );
        }
    }
    insta::assert_snapshot!(table);
}

/// G3: closed. Whoever asks, and however wrong the token.
#[tokio::test]
async fn a_node_that_cannot_know_says_so() {
    let house = House::new().await;
    let token = house.token(&[("read", "*"), ("write", "*")]).await;
    house.lose_track().await;
    for authorization in [
        bearer(&token.secret),
        Some("Bearer garbage".to_owned()),
        bearer(&house.management_secret),
    ] {
        for way in WAYS {
            let response = house.send(request(way, authorization.as_deref())).await;
            assert_eq!(verdict(&response), "503", "{way:?}");
            assert_eq!(response.headers()["retry-after"], "1");
        }
    }
    assert!(house.upstream.calls().is_empty());
}

/// G1: refused. The same request before and after.
#[tokio::test]
async fn the_next_request_after_a_revocation_is_refused() {
    let house = House::new().await;
    let token = house.token(&[("read", "home"), ("write", "home")]).await;
    for way in WAYS {
        assert!(
            house
                .send(request(way, bearer(&token.secret).as_deref()))
                .await
                .status()
                .is_success()
        );
    }
    house.revoke(token.item.id).await;
    for way in WAYS {
        let response = house.send(request(way, bearer(&token.secret).as_deref())).await;
        assert!(verdict(&response).contains("the token was revoked"), "{way:?}");
    }
}

#[tokio::test]
async fn every_form_of_presenting_a_token_works_where_it_should() {
    let house = House::new().await;
    let token = house.token(&[("read", "home"), ("write", "home")]).await;
    let secret = token.secret.expose();
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("anybody:{secret}")));
    for authorization in [format!("Token {secret}"), basic] {
        for way in WAYS {
            let response = house.send(request(way, Some(&authorization))).await;
            assert!(response.status().is_success(), "{authorization} {way:?}");
        }
    }
    let mut table = String::new();
    for (method, uri, body) in WAYS {
        let separator = if uri.contains('?') { '&' } else { '?' };
        for (header, parameter) in [
            (None, secret),
            (Some("nonsense"), secret),
            (Some("Bearer nonsense"), secret),
        ] {
            let uri = format!("{uri}{separator}u=anybody&p={parameter}");
            let response = house.send(request((method, &uri, body), header)).await;
            let way = format!("{method} {}", uri.split('?').next().expect("a path"));
            writeln!(
                table,
                "{way:24} header {header:?} + p: {}",
                response.status().as_u16()
            )
            .expect("written");
        }
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_to_those_with_a_right_only() {
    let house = House::new().await;
    let named = house.token(&[("write", "gone"), ("read", "gone")]).await;
    let all = house.token(&[("write", "*"), ("read", "*")]).await;
    let mut table = String::new();
    let uris = [
        "/write?db=gone",
        "/write?db=home&rp=OneYear",
        "/write?db=not%20a%20name",
        "/api/v2/write?bucket=gone",
        "/api/v2/write?bucket=pl%C3%A1tanos",
        "/api/v3/write_lp?db=gone",
    ];
    for uri in uris {
        for (who, token) in [("named", &named), ("all", &all)] {
            let answer = told(house.post(uri, &token.secret, "m v=1").await).await;
            writeln!(table, "{uri} {who}: {answer}").expect("written");
        }
    }
    for body in [
        r#"{"db":"gone","q":"SELECT 1"}"#,
        r#"{"db":"a b","q":"SELECT 1"}"#,
    ] {
        for (who, token) in [("named", &named), ("all", &all)] {
            let answer = told(house.post("/api/v3/query_sql", &token.secret, body).await).await;
            writeln!(table, "{body} {who}: {answer}").expect("written");
        }
    }
    insta::assert_snapshot!(table);
    assert!(house.upstream.calls().is_empty());
}

/// Grants go by name: they stop with a database, and come back with one of the same name (contract, data-plane
/// section 9).
#[tokio::test]
async fn grants_follow_the_name() {
    let house = House::new().await;
    let token = house.token(&[("write", "home")]).await;
    house.delete_database("home").await;
    assert_eq!(
        house
            .post("/write?db=home", &token.secret, "m v=1")
            .await
            .status(),
        404
    );
    house.create_database("home").await;
    assert_eq!(
        house
            .post("/write?db=home", &token.secret, "m v=1")
            .await
            .status(),
        204
    );
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let house = House::new().await;
    let token = house.token(&[("write", "*"), ("read", "*")]).await;
    let mut table = String::new();
    for path in [
        "/write",
        "/api/v2/write",
        "/api/v3/write_lp",
        "/api/v3/query_sql",
        "/ping",
        "/health",
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
            let request = bearing(method.parse().expect("a method"), path, &token.secret);
            let response = house.send(request.body(Body::empty()).expect("a request")).await;
            if response.status() == 405 {
                let allow = response.headers()["allow"].to_str().expect("ASCII").to_owned();
                let kind = response.headers().get("content-type").is_some();
                writeln!(
                    table,
                    "{method:8}{path:20} Allow: {allow}{}",
                    if kind { " +body" } else { "" }
                )
                .expect("written");
            } else {
                assert!(!response.headers().contains_key("allow"), "{method} {path}");
            }
        }
    }
    insta::assert_snapshot!(table);
}
