//! Writes: parameters, bodies, and what becomes of an upstream's words.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use http::Method;
use http::header::CONTENT_ENCODING;
use rescind_domain::Secret;
use rescind_gateway::{LineError, Settings, UpstreamError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::house::{House, bearing, told};
use crate::upstreams::WIDE_OPEN;

const PATH: &str = "/api/v3/write_lp?db=home";

async fn writer(house: &House) -> Secret {
    house
        .token(&[("write", "home"), ("write", "home/oneyear")])
        .await
        .secret
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("written");
    encoder.finish().expect("finished")
}

async fn post_encoded(house: &House, token: &Secret, encoding: &str, body: impl Into<Body>) -> String {
    let request = bearing(Method::POST, PATH, token).header(CONTENT_ENCODING, encoding);
    told(house.send(request.body(body.into()).expect("a request")).await).await
}

/// In pieces, so that its length is not known beforehand.
fn in_pieces(bytes: &[u8], size: usize) -> Body {
    let pieces: Vec<_> = bytes
        .chunks(size)
        .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    Body::from_stream(futures::stream::iter(pieces))
}

#[tokio::test]
async fn what_the_url_says_reaches_the_upstream() {
    let house = House::new().await;
    house.create_database("home/oneyear").await;
    let token = writer(&house).await;
    let mut table = String::new();
    let uris = [
        "/write?db=home",
        "/write?db=home&rp=autogen&precision=ms&consistency=all&pretty=true",
        "/write?db=home&rp=OneYear&precision=h",
        "/write?db=home&precision=auto",
        "/write?db=home&precision=",
        "/write?rp=x",
        "/write?db=",
        "/write?db=home&db=office",
        "/write?db=home&precision=s&precision=ms",
        "/write?db=%ff",
        "/api/v2/write?bucket=home&org=o&orgID=1&precision=us&accept_partial=false",
        "/api/v2/write?bucket=home&precision=minute",
        "/api/v2/write?org=o",
        "/api/v2/write?bucket=home&bucket=home",
        "/api/v3/write_lp?db=home",
        "/api/v3/write_lp?db=home&precision=nanosecond&no_sync=true&accept_partial=false&org=default",
        "/api/v3/write_lp?db=home&precision=S",
        "/api/v3/write_lp?db=home&accept_partial=no",
        "/api/v3/write_lp?db=home&no_sync=",
        "/api/v3/write_lp",
    ];
    for uri in uris {
        let answer = told(house.post(uri, &token, "m v=1 1").await).await;
        writeln!(table, "{uri}\n  {answer}").expect("written");
        for call in house.upstream.calls() {
            writeln!(table, "  {call}").expect("written");
        }
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn bodies_arrive_whole_however_they_are_sent() {
    let house = House::new().await;
    let token = writer(&house).await;
    let lines = "m v=1\n".repeat(3);
    let two_members = [gzip(b"m v=1\n"), gzip(b"m v=1\nm v=1\n")].concat();
    let compressed = gzip(lines.as_bytes());
    let bodies = [
        ("identity", Body::from(lines.clone())),
        ("IDENTITY", in_pieces(lines.as_bytes(), 1)),
        ("gzip", Body::from(compressed.clone())),
        ("GZip", in_pieces(&compressed, 1)),
        ("gzip", Body::from(two_members.clone())),
        ("gzip", in_pieces(&two_members, 7)),
    ];
    for (encoding, body) in bodies {
        assert_eq!(
            post_encoded(&house, &token, encoding, body).await,
            "204",
            "{encoding}"
        );
        assert_eq!(house.upstream.calls(), [format!("write home Auto {lines:?}")]);
    }
    // Larger than the first buffer, in one piece and in many.
    let long = "m v=1\n".repeat(50_000);
    for body in [Body::from(long.clone()), in_pieces(long.as_bytes(), 10_007)] {
        assert_eq!(post_encoded(&house, &token, "identity", body).await, "204");
        assert_eq!(house.upstream.calls(), ["write home Auto 300000 bytes"]);
    }
}

#[tokio::test]
async fn damaged_bodies_are_refused_in_words() {
    let house = House::new().await;
    let token = writer(&house).await;
    let good = gzip("m v=1\n".repeat(1_000).as_bytes());
    let mut wrong_sum = good.clone();
    let at = good.len() - 8;
    wrong_sum[at] ^= 1;
    let cases = [
        ("half", "gzip", good[..good.len() / 2].to_vec()),
        ("no trailer", "gzip", good[..good.len() - 1].to_vec()),
        ("half a second member", "gzip", [&good[..], &good[..5]].concat()),
        ("garbage after it", "gzip", [&good[..], b"garbage"].concat()),
        ("wrong checksum", "gzip", wrong_sum),
        ("not gzip", "gzip", b"m v=1".to_vec()),
        ("nothing", "gzip", Vec::new()),
        ("other encoding", "deflate", b"m v=1".to_vec()),
        ("two encodings", "gzip, gzip", gzip(&good)),
        ("empty", "identity", Vec::new()),
        ("comments only", "identity", b"# a\n\n  # b".to_vec()),
        ("empty in gzip", "gzip", gzip(b"\n")),
    ];
    let mut table = String::new();
    for (what, encoding, body) in cases {
        let answer = post_encoded(&house, &token, encoding, body).await;
        writeln!(table, "{what}: {answer}").expect("written");
    }
    let broken = futures::stream::iter([Ok(Bytes::from_static(b"m v")), Err(std::io::Error::other("gone"))]);
    let answer = post_encoded(&house, &token, "identity", Body::from_stream(broken)).await;
    writeln!(table, "broken off: {answer}").expect("written");
    insta::assert_snapshot!(table);
    assert!(house.upstream.calls().is_empty());
}

#[tokio::test]
async fn the_limit_counts_what_was_decompressed() {
    const LIMIT: usize = 100_000;
    let house = House::with(Settings {
        max_body_bytes: LIMIT,
        ..Settings::default()
    })
    .await;
    let token = writer(&house).await;
    let fits = vec![b'x'; LIMIT];
    let too_long = vec![b'x'; LIMIT + 1];
    let bomb = vec![b'x'; 80 * LIMIT];
    let refused = "413 {\"error\":\"request too large: at most 100000 bytes, counted after decompression; send it in parts\"}";
    let cases = [
        ("identity", Body::from(fits.clone()), "204"),
        ("identity", in_pieces(&fits, 999), "204"),
        ("gzip", Body::from(gzip(&fits)), "204"),
        ("identity", Body::from(too_long.clone()), refused),
        ("identity", in_pieces(&too_long, 999), refused),
        ("identity", in_pieces(&too_long, LIMIT + 1), refused),
        ("gzip", Body::from(gzip(&too_long)), refused),
        ("gzip", Body::from(gzip(&bomb)), refused),
    ];
    for (number, (encoding, body, expected)) in cases.into_iter().enumerate() {
        assert_eq!(
            post_encoded(&house, &token, encoding, body).await,
            expected,
            "case {number}"
        );
    }
    let declared = bearing(Method::POST, PATH, &token).header("content-length", "99999999");
    let response = house
        .send(declared.body(Body::from(too_long)).expect("a request"))
        .await;
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn bodies_share_one_budget() {
    let settings = Settings {
        max_bytes_in_flight: 100_000,
        ..Settings::default()
    };
    let house = std::sync::Arc::new(House::with(settings).await);
    let token = writer(&house).await;
    let body = "m v=1\n".repeat(10_000);
    let held = house.upstream.gate.acquire_many(WIDE_OPEN).await.expect("open");
    let first = {
        let (house, token, body) = (std::sync::Arc::clone(&house), token.clone(), body.clone());
        tokio::spawn(async move { house.post(PATH, &token, body).await.status() })
    };
    house.upstream.waiting.acquire().await.expect("open").forget();
    let second = house.post(PATH, &token, in_pieces(body.as_bytes(), 1_000)).await;
    assert_eq!(second.headers()["retry-after"], "1");
    assert_eq!(
        told(second).await,
        "503 {\"error\":\"too many request bodies are being read at the moment: try again\"}"
    );
    drop(held);
    assert_eq!(first.await.expect("joined"), 204);
    for _ in 0..3 {
        assert_eq!(house.post(PATH, &token, body.clone()).await.status(), 204);
    }
}

#[tokio::test]
async fn a_client_that_stops_sending_is_left() {
    let settings = Settings {
        body_patience: Duration::from_millis(20),
        ..Settings::default()
    };
    let house = House::with(settings).await;
    let token = writer(&house).await;
    let begun = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"m v"))]);
    let body = Body::from_stream(begun.chain(futures::stream::pending()));
    let response = house.post(PATH, &token, body).await;
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(response.status(), 408);
}

/// A refused client that goes on sending reads its refusal, not a reset connection.
#[tokio::test]
async fn a_refused_upload_is_answered_after_it() {
    let house = House::new().await;
    let mut socket = house.connect().await;
    let head = "POST /write?db=home HTTP/1.1\r\nhost: x\r\nauthorization: Bearer nonsense\r\ncontent-length: 3000000\r\n\r\n";
    socket.write_all(head.as_bytes()).await.expect("sent");
    socket
        .write_all(&vec![b'x'; 3_000_000])
        .await
        .expect("sent to the end");
    let mut answer = vec![0; 12];
    socket.read_exact(&mut answer).await.expect("answered");
    assert_eq!(answer, b"HTTP/1.1 401");
}

#[tokio::test]
async fn an_upstreams_words_reach_the_client() {
    let house = House::new().await;
    let token = writer(&house).await;
    let lines = vec![LineError {
        line: 2,
        message: "No fields were provided".to_owned(),
        original: "m".to_owned(),
    }];
    let rejected = |stored| UpstreamError::LinesRejected {
        lines: lines.clone(),
        total_rejected: 1,
        stored,
    };
    let mut table = String::new();
    let uris = [
        "/write?db=home",
        "/api/v2/write?bucket=home",
        PATH,
        "/api/v3/write_lp?db=home&accept_partial=false",
    ];
    for uri in uris {
        let errors = [
            rejected(0),
            rejected(1),
            UpstreamError::OutsideRetention {
                lines: lines.clone(),
                total_rejected: 1,
            },
            UpstreamError::Overloaded {
                retry_after: Duration::from_secs(2),
            },
            UpstreamError::Internal("disk".into()),
        ];
        for error in errors {
            house.upstream.fail_write(error);
            let answer = told(house.post(uri, &token, "m v=1\nm").await).await;
            writeln!(table, "{uri}: {answer}").expect("written");
        }
    }
    insta::assert_snapshot!(table);
}
