//! Work in progress is cut before `revoke` returns (promise G2), through the real process and the real engine.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rescind_testkit::TestServer;

use crate::house::{Token, make_database, make_token};

/// Far more than a query could send into the buffers between server and client before the revocation.
const TOO_MUCH: usize = 256 << 20;

fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.url().trim_start_matches("http://")).expect("connected")
}

/// Revokes a token through this server.
pub(crate) fn revoke(server: &TestServer, token: &Token) {
    let path = format!("{}/tokens/{}", server.cluster_path(), token.id);
    let reply = server.management().delete(&path);
    assert_eq!(reply.status, 204, "{reply}");
}

/// Begins a query that never ends, and reads the beginning of its answer.
pub(crate) fn begin_endless_query(server: &TestServer, token: &Token) -> TcpStream {
    let lines: String = (1..=2_000).map(|n| format!("weather n={n}i {n}\n")).collect();
    let written = token
        .client(server)
        .post("/api/v3/write_lp?db=weather&precision=nanosecond", lines);
    assert_eq!(written.status, 204, "{written}");

    let mut stream = connect(server);
    let query = "SELECT%20a.n%20FROM%20weather%20a%20CROSS%20JOIN%20weather%20b%20CROSS%20JOIN%20weather%20c";
    let request = format!(
        "GET /api/v3/query_sql?db=weather&format=csv&q={query} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n",
        token.secret
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut start = [0; 4_096];
    stream.read_exact(&mut start).expect("an answer");
    let start = String::from_utf8_lossy(&start).into_owned();
    assert!(start.starts_with("HTTP/1.1 200 OK"), "{start}");
    assert!(start.contains("transfer-encoding: chunked"), "{start}");
    stream
}

/// The answer has no end that looks like one.
pub(crate) fn assert_broken_off(stream: TcpStream) {
    let mut rest = Vec::new();
    // Whether the connection is closed or reset, there is no end of the answer.
    let _ = stream.take(TOO_MUCH as u64).read_to_end(&mut rest);
    assert!(rest.len() < TOO_MUCH, "the query went on after the revocation");
    assert!(!rest.ends_with(b"\r\n0\r\n\r\n"), "the part looks like the whole");
}

#[test]
fn a_streaming_query_breaks_off_visibly() {
    let server = TestServer::start();
    make_database(&server);
    let token = make_token(&server, "Endless query");
    let stream = begin_endless_query(&server, &token);
    revoke(&server, &token);
    assert_broken_off(stream);
}

const LINE: &str = "weather,city=Seattle warmest=99.9 1\n";

/// Begins an upload and stops half-way.
pub(crate) fn begin_upload(server: &TestServer, token: &Token) -> TcpStream {
    let mut stream = connect(server);
    let head = format!(
        "POST /api/v3/write_lp?db=weather HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\nauthorization: Bearer {}\r\n\
         content-length: {}\r\n\r\n",
        token.secret,
        LINE.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut waiting = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut waiting).expect("an answer");
    assert_eq!(waiting, *b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&LINE.as_bytes()[..10]).expect("sent");
    stream
}

/// Sends the rest, and is told of no success.
pub(crate) fn end_upload_in_vain(mut stream: TcpStream) {
    // The server may have closed by now.
    let _ = stream.write_all(&LINE.as_bytes()[10..]);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
}

#[test]
fn a_slow_upload_stores_nothing() {
    let server = TestServer::start();
    make_database(&server);
    let (token, reader) = (make_token(&server, "Slow upload"), make_token(&server, "Reader"));
    assert_eq!(reader.write(&server).status, 204);
    let stream = begin_upload(&server, &token);
    revoke(&server, &token);
    end_upload_in_vain(stream);
    assert_eq!(reader.query(&server).text(), "n\n1\n");
}
