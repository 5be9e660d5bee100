//! What a client no longer waits for is not worked on any more.

use std::net::Shutdown;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use rescind_domain::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Sender;

use crate::house::{House, bearing};
use crate::upstreams::Chunk;

const QUERY: &str = "/api/v3/query_sql?db=home&q=SELECT+1";

/// Generous: only a defect ever waits for it.
const SOON: Duration = Duration::from_secs(20);

async fn is_dropped(sender: &Sender<Chunk>) {
    tokio::time::timeout(SOON, sender.closed())
        .await
        .expect("the work is dropped");
}

/// A query as HTTP/1.1 clients send it.
fn forms(token: &Secret) -> [String; 3] {
    let token = token.expose();
    let body = r#"{"db":"home","q":"SELECT 1"}"#;
    let length = body.len();
    [
        format!("GET {QUERY} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"),
        format!(
            "GET {QUERY} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        ),
        format!(
            "POST /api/v3/query_sql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\n\r\n{body}"
        ),
    ]
}

async fn ask(house: &House, form: &str) -> TcpStream {
    let mut socket = house.connect().await;
    socket.write_all(form.as_bytes()).await.expect("sent");
    house.upstream.called().await;
    house.upstream.calls();
    socket
}

fn query(token: &Secret) -> Request<Full<Bytes>> {
    // Over HTTP/2 the authority stands in the URL.
    bearing(http::Method::GET, &format!("http://x{QUERY}"), token)
        .body(Full::default())
        .expect("a request")
}

#[tokio::test]
async fn a_query_that_is_still_planned_ends_with_its_connection() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await.secret;
    for form in forms(&token) {
        let planning = house.upstream.plan();
        let socket = ask(&house, &form).await;
        assert!(!planning.is_closed());
        drop(socket);
        is_dropped(&planning).await;
    }
}

#[tokio::test]
async fn a_query_that_pauses_ends_with_its_connection() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await.secret;
    for form in forms(&token) {
        let sender = house.upstream.answer();
        sender.send(Ok(Bytes::from_static(b"["))).await.expect("wanted");
        let mut socket = ask(&house, &form).await;
        socket.read_u8().await.expect("answered");
        assert!(!sender.is_closed());
        drop(socket);
        is_dropped(&sender).await;
    }
}

#[tokio::test]
async fn a_query_over_http2_ends_with_its_stream_or_its_connection() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await.secret;
    let (mut client, socket) = house.connect_http2().await;

    let planning = house.upstream.plan();
    let asked = tokio::spawn(client.send_request(query(&token)));
    house.upstream.called().await;
    assert!(!planning.is_closed());
    asked.abort();
    is_dropped(&planning).await;

    let sender = house.upstream.answer();
    sender.send(Ok(Bytes::from_static(b"["))).await.expect("wanted");
    let response = client.send_request(query(&token)).await.expect("answered");
    assert!(!sender.is_closed());
    drop(response);
    is_dropped(&sender).await;

    // The connection outlives its streams, and takes along those that are left.
    let planning = house.upstream.plan();
    house.upstream.calls();
    let _asked = tokio::spawn(client.send_request(query(&token)));
    house.upstream.called().await;
    socket.shutdown(Shutdown::Both).expect("shut");
    is_dropped(&planning).await;
}

#[tokio::test]
async fn a_write_and_a_cut_query_share_one_http2_connection() {
    let house = House::new().await;
    let writer = house.token(&[("write", "home")]).await.secret;
    let reader = house.token(&[("read", "home")]).await;
    let (mut client, _socket) = house.connect_http2().await;
    let write = || {
        bearing(http::Method::POST, "http://x/write?db=home", &writer)
            .body(Full::from("m v=1"))
            .expect("a request")
    };

    let sender = house.upstream.answer();
    sender.send(Ok(Bytes::from_static(b"["))).await.expect("wanted");
    let response = client
        .send_request(query(&reader.secret))
        .await
        .expect("answered");
    assert_eq!(
        (response.version(), response.status().as_u16()),
        (http::Version::HTTP_2, 200)
    );
    let mut body = response.into_body();
    let first = body.frame().await.expect("more").expect("good");
    assert_eq!(first.into_data().expect("data"), "[");
    assert_eq!(
        client.send_request(write()).await.expect("answered").status(),
        204
    );

    house.revoke(reader.item.id).await;
    is_dropped(&sender).await;
    // No proper end, and the neighbours do not notice.
    assert!(body.frame().await.expect("an end").is_err());
    let refused = client
        .send_request(query(&reader.secret))
        .await
        .expect("answered");
    assert_eq!(refused.status(), 401);
    assert_eq!(
        client.send_request(write()).await.expect("answered").status(),
        204
    );
}
