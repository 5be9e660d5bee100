//! Promise G2: work that a token had running ends when the token does.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rescind_domain::Secret;
use rescind_gateway::UpstreamError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::house::{House, told};
use crate::upstreams::Chunk;

const QUERY: &str = "/api/v3/query_sql?db=home&q=SELECT+1";

/// Generous: only a defect ever waits for it.
const SOON: Duration = Duration::from_secs(20);

/// Well below the five seconds after which a revoke stops waiting for work that does not end.
const WITHOUT_PATIENCE: Duration = Duration::from_secs(3);

/// An upload that has been admitted: the server asks for the body only then.
async fn begin_upload(house: &House, token: &Secret, database: &str) -> TcpStream {
    let mut socket = house.connect().await;
    let head = format!(
        "POST /write?db={database} HTTP/1.1\r\nhost: x\r\nauthorization: Token {}\r\ncontent-length: 1000\r\n\
         expect: 100-continue\r\n\r\n",
        token.expose()
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut go_on = [0; 25];
    socket.read_exact(&mut go_on).await.expect("answered");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(b"m v=1\nm v=").await.expect("sent");
    socket
}

async fn rest_of(mut socket: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer ends it as well.
    let _ = tokio::time::timeout(SOON, socket.read_to_end(&mut answer))
        .await
        .expect("the connection ends");
    String::from_utf8(answer).expect("UTF-8")
}

#[tokio::test]
async fn a_slow_upload_is_cut_by_the_revocation() {
    let house = House::new().await;
    let token = house.token(&[("write", "home")]).await;
    let socket = begin_upload(&house, &token.secret, "home").await;
    tokio::time::timeout(WITHOUT_PATIENCE, house.revoke(token.item.id))
        .await
        .expect("nothing holds on to the token");
    let answer = rest_of(socket).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("the token was revoked"), "{answer}");
    assert!(house.upstream.calls().is_empty());
}

#[tokio::test]
async fn a_slow_upload_is_cut_by_a_right_taken_away() {
    let house = House::new().await;
    let token = house.token(&[("write", "home"), ("write", "office")]).await;
    let [home, office] = [
        begin_upload(&house, &token.secret, "home").await,
        begin_upload(&house, &token.secret, "office").await,
    ];
    house.allow(token.item.id, &[("write", "office")]).await;
    let answer = rest_of(home).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    // The other one is still allowed, and told to come again.
    let answer = rest_of(office).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"),
        "{answer}"
    );
    assert!(house.upstream.calls().is_empty());
}

#[tokio::test]
async fn a_right_added_cuts_nothing() {
    let house = House::new().await;
    let token = house.token(&[("write", "home")]).await;
    let mut socket = begin_upload(&house, &token.secret, "home").await;
    house
        .allow(token.item.id, &[("write", "home"), ("read", "home")])
        .await;
    socket.write_all(&[b'1'; 990]).await.expect("sent");
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.expect("answered");
    assert_eq!(&answer, b"HTTP/1.1 204");
    assert_eq!(house.upstream.calls().len(), 1);
}

/// A query whose first bytes the client has read.
async fn begin_query(house: &House, token: &Secret) -> (TcpStream, mpsc::Sender<Chunk>) {
    let sender = house.upstream.answer();
    sender
        .send(Ok(Bytes::from_static(b"first")))
        .await
        .expect("wanted");
    let mut socket = house.connect().await;
    let head = format!(
        "GET {QUERY} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        token.expose()
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut read = Vec::new();
    while !read.ends_with(b"first\r\n") {
        read.push(socket.read_u8().await.expect("answered"));
    }
    assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n"));
    (socket, sender)
}

#[tokio::test]
async fn a_streaming_query_is_cut_by_the_revocation() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await;
    let (socket, sender) = begin_query(&house, &token.secret).await;
    house.revoke(token.item.id).await;
    // The upstream's work is dropped, and the client sees no proper end.
    tokio::time::timeout(SOON, sender.closed())
        .await
        .expect("the work is dropped");
    assert_eq!(rest_of(socket).await, "");
}

#[tokio::test]
async fn a_streaming_query_that_nobody_cuts_ends_properly() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await;
    let (mut socket, sender) = begin_query(&house, &token.secret).await;
    drop(sender);
    let mut end = [0; 5];
    socket.read_exact(&mut end).await.expect("ended");
    assert_eq!(&end, b"0\r\n\r\n");
}

#[tokio::test]
async fn a_query_is_cut_even_while_its_client_does_not_read() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await;
    let sender = house.upstream.answer();
    sender
        .send(Ok(Bytes::from_static(b"first")))
        .await
        .expect("wanted");
    let response = house.get(QUERY, &token.secret).await;
    tokio::time::timeout(WITHOUT_PATIENCE, house.revoke(token.item.id))
        .await
        .expect("nothing holds on to the token");
    tokio::time::timeout(SOON, sender.closed())
        .await
        .expect("the work is dropped");
    // What was made before the cut is not handed out after it.
    let mut body = response.into_body();
    let ended = http_body_util::BodyExt::frame(&mut body)
        .await
        .expect("an end")
        .expect_err("no proper one");
    assert!(ended.to_string().contains("cut"), "{ended}");
}

#[tokio::test]
async fn a_cut_that_the_upstream_notices_first_is_told_by_its_reason() {
    let house = House::new().await;
    let token = house.token(&[("read", "home")]).await;
    let sender = house.upstream.answer();
    for chunk in [Ok(Bytes::from_static(b"first")), Err(UpstreamError::Cut)] {
        sender.send(chunk).await.expect("wanted");
    }
    // The token still covers the query: it is told to come again.
    assert_eq!(
        told(house.get(QUERY, &token.secret).await).await,
        r#"503 {"error":"the token's permissions were changed while the request ran: send it again"}"#
    );
}

#[tokio::test]
async fn a_query_is_cut_before_its_first_byte() {
    let house = Arc::new(House::new().await);
    let sender = house.upstream.answer();
    is_cut(house, sender).await;
}

#[tokio::test]
async fn a_query_is_cut_while_it_is_planned() {
    let house = Arc::new(House::new().await);
    let sender = house.upstream.plan();
    is_cut(house, sender).await;
}

/// Starts a query that nothing comes of, revokes its token, and sees both sides of it end.
async fn is_cut(house: Arc<House>, sender: mpsc::Sender<Chunk>) {
    let token = house.token(&[("read", "home")]).await;
    let running = {
        let (house, secret) = (Arc::clone(&house), token.secret.clone());
        tokio::spawn(async move { house.get(QUERY, &secret).await })
    };
    house.upstream.called().await;
    house.revoke(token.item.id).await;
    let response = running.await.expect("joined");
    assert_eq!(
        told(response).await,
        r#"401 {"error":"the request was not authenticated: the token was revoked"}"#
    );
    assert!(sender.is_closed());
}
