//! Promise G6: a secret is never repeated, wherever a client puts it.

use std::fmt::Write;

use axum::body::Body;
use bytes::Bytes;
use http::Method;
use rescind_domain::Secret;
use rescind_gateway::{LineError, UpstreamError};

use crate::house::{House, bearing, told};
use crate::logs::Log;

/// Requests with a secret where something else belongs: method, URL, body. `@` stands for the secret,
/// `~` for the secret with its prefix escaped.
const MISPLACED: [(&str, &str, &str); 17] = [
    ("POST", "/write?db=@", "m v=1"),
    ("POST", "/write?db=home&rp=@", "m v=1"),
    ("POST", "/write?db=home&precision=@", "m v=1"),
    ("POST", "/write?db=home&%ff@=1", "m v=1"),
    ("POST", "/write?db=home&~%ff=1", "m v=1"),
    ("POST", "/api/v2/write?bucket=@", "m v=1"),
    ("POST", "/api/v2/write?bucket=home&precision=@", "m v=1"),
    ("POST", "/api/v3/write_lp?db=a%20b%20@", "m v=1"),
    ("POST", "/api/v3/write_lp?db=home&accept_partial=@", "m v=1"),
    ("GET", "/api/v3/query_sql?db=@&q=SELECT+1", ""),
    ("GET", "/api/v3/query_sql?db=home&q=SELECT+1&format=@", ""),
    ("GET", "/api/v3/query_sql?db=home&q=SELECT+1&params=@", ""),
    ("POST", "/api/v3/query_sql", r#"{"db":"@","q":"SELECT 1"}"#),
    (
        "POST",
        "/api/v3/query_sql",
        r#"{"db":"home","q":"SELECT 1","format":"@"}"#,
    ),
    (
        "POST",
        "/api/v3/query_sql",
        r#"{"db":"home","q":"SELECT 1","@":1}"#,
    ),
    (
        "POST",
        "/api/v3/query_sql",
        r#"{"db":"home","q":"SELECT 1","params":{"@":[]}}"#,
    ),
    (
        "POST",
        "/api/v3/query_sql",
        r#"{"db":"home","q":"SELECT 1","params":"@"}"#,
    ),
];

/// Whether any telling part of the secret stands in the text, in whatever case.
fn holds(text: &str, secret: &Secret) -> bool {
    let (text, secret) = (text.to_lowercase(), secret.expose().to_lowercase());
    (6..secret.len() - 8).any(|at| text.contains(&secret[at..at + 8]))
}

#[tokio::test]
async fn a_secret_in_the_wrong_place_is_not_repeated() {
    let house = House::new().await;
    let narrow = house
        .token(&[("write", "office"), ("read", "office")])
        .await
        .secret;
    let wide = house.token(&[("write", "*"), ("read", "*")]).await.secret;
    let log = Log::start();
    let mut table = String::new();
    for (method, uri, body) in MISPLACED {
        writeln!(table, "{method} {uri} {body}").expect("written");
        for secret in [&narrow, &wide] {
            let escaped = secret.expose().replacen('_', "%5F", 1);
            let put = |text: &str| text.replace('@', secret.expose()).replace('~', &escaped);
            let (uri, body) = (put(uri), put(body));
            let request = bearing(method.parse().expect("a method"), &uri, secret)
                .header("user-agent", format!("curl {}", secret.expose()));
            let answer = told(
                house
                    .send(request.body(Body::from(body)).expect("a request"))
                    .await,
            )
            .await;
            assert!(!holds(&answer, secret), "{answer}");
            writeln!(table, "  {answer}").expect("written");
        }
    }
    let text = log.text();
    assert!(text.contains("refused: the token has no permission"), "{text}");
    assert!(!holds(&text, &narrow) && !holds(&text, &wide), "{text}");
    insta::assert_snapshot!(table);
}

/// What an upstream says of lines and queries repeats them, and helps no less without the secrets.
#[tokio::test]
async fn an_upstreams_words_are_repeated_without_secrets() {
    let house = House::new().await;
    let token = house.token(&[("write", "home"), ("read", "home")]).await.secret;
    let secret = token.expose();
    let log = Log::start();
    let mut table = String::new();
    for uri in [
        "/write?db=home",
        "/api/v2/write?bucket=home",
        "/api/v3/write_lp?db=home",
        "/api/v3/write_lp?db=home&accept_partial=false",
    ] {
        let line = LineError {
            line: 1,
            message: format!("invalid column type for column '{secret}', expected a number"),
            original: format!("mem,token={secret},host=a {}={secret}i 17", secret.to_lowercase()),
        };
        house.upstream.fail_write(UpstreamError::LinesRejected {
            lines: vec![line],
            total_rejected: 1,
            stored: 0,
        });
        writeln!(
            table,
            "{uri}: {}",
            told(house.post(uri, &token, "m v=1").await).await
        )
        .expect("written");
    }
    let query = "/api/v3/query_sql?db=home&q=SELECT+1";
    let words = || format!("column {secret} not found");
    let errors = [
        UpstreamError::Invalid(words()),
        UpstreamError::NotImplemented(words()),
        UpstreamError::Unavailable(words()),
        UpstreamError::Internal(words().into()),
    ];
    for error in errors {
        house.upstream.fail_query(error);
        writeln!(table, "query: {}", told(house.get(query, &token).await).await).expect("written");
    }
    let sender = house.upstream.answer();
    sender.send(Ok(Bytes::from_static(b"["))).await.expect("wanted");
    let request = bearing(Method::GET, query, &token)
        .body(Body::empty())
        .expect("a request");
    let response = house.send(request).await;
    sender
        .send(Err(UpstreamError::Internal(words().into())))
        .await
        .expect("wanted");
    assert!(
        axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .is_err()
    );
    for line in log.text().lines() {
        writeln!(table, "{}", line.trim_start()).expect("written");
    }
    assert!(!holds(&table, &token), "{table}");
    insta::assert_snapshot!(table);
}
