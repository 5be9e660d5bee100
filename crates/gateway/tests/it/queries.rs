//! Queries: parameters, formats, answers and failures.

use std::fmt::Write;

use axum::body::Body;
use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use rescind_gateway::{Settings, UpstreamError};

use crate::house::{House, bearing, told};

#[tokio::test]
async fn what_a_get_says_reaches_the_upstream() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await.secret;
    let mut table = String::new();
    let queries = [
        "db=home&q=SELECT%201",
        "db=home&q=SELECT+%24a&params=%7B%22a%22%3A1%2C%22b%22%3Anull%7D&format=csv&x=y",
        "db=home&q=SELECT+1&format=xml",
        "db=home&q=SELECT+1&params=%5B1%5D",
        "db=home&q=SELECT+1&params=%7B",
        "db=home&q=SELECT+1&params=%7B%22a%22%3A%5B%5D%7D",
        "db=home",
        "q=SELECT+1",
        "db=&q=SELECT+1",
        "db=home&db=office&q=SELECT+1",
        "db=home&q=a&q=b",
    ];
    for query in queries {
        let answer = told(house.get(&format!("/api/v3/query_sql?{query}"), &token).await).await;
        writeln!(table, "{query}\n  {answer}").expect("written");
        for call in house.upstream.calls() {
            writeln!(table, "  {call}").expect("written");
        }
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn what_a_post_says_reaches_the_upstream() {
    let house = House::with(Settings {
        max_query_bytes: 300,
        ..Settings::default()
    })
    .await;
    let token = house.token(&[("read", "home")]).await.secret;
    let mut table = String::new();
    let bodies = [
        r#"{"db":"home","q":"SELECT 1"}"#,
        r#"{"db":"home","q":"SELECT 1","format":"json_lines","params":{"a":-1,"b":18446744073709551615,"c":1.5,"d":"x","e":true,"f":null}}"#,
        r#"{"db":"home","q":"SELECT 1","format":null,"params":null}"#,
        r#"{"db":"home","q":"SELECT 1","params":{"a":{}}}"#,
        r#"{"db":"home","q":"SELECT 1","params":[]}"#,
        r#"{"db":"home","q":"SELECT 1","pretty":true}"#,
        r#"{"db":"home","q":1}"#,
        r#"{"db":null,"q":"SELECT 1"}"#,
        r#"{"db":"home"}"#,
        r#"{"db":"home","db":"office","q":"SELECT 1"}"#,
        r#"{"db":"","q":"SELECT 1"}"#,
        r#"{"db":"office","q":"SELECT 1"}"#,
        r#"["home","SELECT 1"]"#,
        "db=home&q=x",
        "",
    ];
    for body in bodies
        .into_iter()
        .map(str::to_owned)
        .chain([format!(r#"{{"db":"home","q":"{:300}"}}"#, "")])
    {
        // What the URL says is not heard: it would be a second opinion about the database.
        let answer = told(
            house
                .post("/api/v3/query_sql?db=office&q=x", &token, body.clone())
                .await,
        )
        .await;
        writeln!(table, "{:.90}\n  {answer}", body).expect("written");
        for call in house.upstream.calls() {
            writeln!(table, "  {call}").expect("written");
        }
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn the_format_decides_the_content_type() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await.secret;
    let mut table = String::new();
    let wishes = [
        ("", None),
        ("&format=json", None),
        ("&format=jsonl", None),
        ("&format=json_lines", Some("text/csv")),
        ("&format=typed_jsonl", None),
        ("&format=csv", None),
        ("&format=pretty", None),
        ("&format=parquet", None),
        ("", Some("application/jsonl")),
        ("", Some("application/json, text/plain, */*")),
        ("", Some("image/png")),
    ];
    for (parameter, accept) in wishes {
        let uri = format!("/api/v3/query_sql?db=home&q=SELECT+1{parameter}");
        let mut request = bearing(Method::GET, &uri, &token);
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let response = house.send(request.body(Body::empty()).expect("a request")).await;
        let content_type = response.headers()["content-type"].to_str().expect("ASCII");
        writeln!(
            table,
            "{parameter:20} {accept:?}: {} {content_type}",
            response.status().as_u16()
        )
        .expect("written");
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn an_answer_is_passed_on_as_it_is_made() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await.secret;
    let sender = house.upstream.answer();
    sender.send(Ok(Bytes::from_static(b"[1"))).await.expect("wanted");
    let response = house.get("/api/v3/query_sql?db=home&q=SELECT+1", &token).await;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    assert_eq!(
        body.frame()
            .await
            .expect("more")
            .expect("good")
            .into_data()
            .expect("data"),
        "[1"
    );
    sender.send(Ok(Bytes::from_static(b",2]"))).await.expect("wanted");
    assert_eq!(
        body.frame()
            .await
            .expect("more")
            .expect("good")
            .into_data()
            .expect("data"),
        ",2]"
    );
    drop(sender);
    assert!(body.frame().await.is_none());
}

/// Until the first byte a failure is said in words; after it, the body ends in an error.
#[tokio::test]
async fn a_failure_is_never_taken_for_an_end() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await.secret;
    let uri = "/api/v3/query_sql?db=home&q=SELECT+1%2F0";
    let error = || UpstreamError::Invalid("Divide by zero error".to_owned());

    house.upstream.fail_query(error());
    assert_eq!(
        told(house.get(uri, &token).await).await,
        r#"400 {"error":"Divide by zero error"}"#
    );

    let sender = house.upstream.answer();
    sender.send(Err(error())).await.expect("wanted");
    assert_eq!(
        told(house.get(uri, &token).await).await,
        r#"400 {"error":"Divide by zero error"}"#
    );

    let sender = house.upstream.answer();
    sender.send(Ok(Bytes::from_static(b"["))).await.expect("wanted");
    let response = house.get(uri, &token).await;
    assert_eq!(response.status(), 200);
    sender.send(Err(error())).await.expect("wanted");
    let ended = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    assert!(ended.is_err());
}

#[tokio::test]
async fn an_empty_answer_is_one() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await.secret;
    drop(house.upstream.answer());
    let response = house
        .get("/api/v3/query_sql?db=home&q=x&format=csv", &token)
        .await;
    assert_eq!(response.headers()["content-type"], "text/csv");
    assert_eq!(told(response).await, "200");
}
