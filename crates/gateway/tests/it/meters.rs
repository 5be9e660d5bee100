//! What is counted, and what is logged of refusals: a sample, with no secret in it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::Method;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use rescind_gateway::{LineError, UpstreamError};

use crate::house::{House, bearing};
use crate::logs::Log;

#[derive(Default)]
struct Counters(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={:?}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        let mut all = self.0.lock().expect("unpoisoned");
        Counter::from_arc(Arc::clone(all.entry(name).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn everything_is_counted_once() {
    let counters = Counters::default();
    let _guard = metrics::set_default_local_recorder(&counters);
    let house = House::new().await;
    let token = house.token(&[("read", "home"), ("write", "home")]).await;
    for _ in 0..3 {
        house.post("/write?db=home", &token.secret, "m v=1\nm v=2").await;
    }
    let lines = vec![LineError {
        line: 1,
        message: "bad".to_owned(),
        original: "m".to_owned(),
    }];
    house.upstream.fail_write(UpstreamError::LinesRejected {
        lines,
        total_rejected: 4,
        stored: 5,
    });
    house
        .post("/api/v2/write?bucket=home", &token.secret, "m\n")
        .await;
    house
        .upstream
        .fail_write(UpstreamError::Unavailable("away".to_owned()));
    house
        .post("/api/v3/write_lp?db=home", &token.secret, "m v=1\n")
        .await;
    house.get("/api/v3/query_sql?db=home&q=x", &token.secret).await;
    house.upstream.fail_query(UpstreamError::Invalid("x".to_owned()));
    house.get("/api/v3/query_sql?db=home&q=x", &token.secret).await;
    let sender = house.upstream.answer();
    for chunk in [Ok(Bytes::from_static(b"first")), Err(UpstreamError::Cut)] {
        sender.send(chunk).await.expect("wanted");
    }
    house.get("/api/v3/query_sql?db=home&q=x", &token.secret).await;
    // Its client never reads on.
    let sender = house.upstream.answer();
    sender
        .send(Ok(Bytes::from_static(b"first")))
        .await
        .expect("wanted");
    let _unread = house.get("/api/v3/query_sql?db=home&q=x", &token.secret).await;
    // Neither refused nor admitted.
    house.get("/api/v3/query_sql", &token.secret).await;
    house.post("/write?db=office", &token.secret, "m v=1").await;
    house.revoke(token.item.id).await;
    house.post("/write?db=home", &token.secret, "m v=1").await;
    house
        .post("/write?db=home", &house.management_secret, "m v=1")
        .await;
    let mut table = String::new();
    for (name, value) in counters.0.lock().expect("unpoisoned").iter() {
        writeln!(table, "{name} {}", value.load(SeqCst)).expect("written");
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn refusals_are_logged_in_few_lines_and_without_secrets() {
    let house = House::new().await;
    let token = house.token(&[("write", "office")]).await;
    let log = Log::start();
    let client = ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 4711)));
    let uri = format!("/write?db=home&p={}", token.secret.expose());
    for _ in 0..50 {
        let request = bearing(Method::POST, &uri, &token.secret).header("user-agent", "telegraf/1\t\"x\"");
        let mut request = request.body(Body::from("m v=1")).expect("a request");
        request.extensions_mut().insert(client);
        assert_eq!(house.send(request).await.status(), 403);
    }
    let text = log.text();
    assert!(!text.contains(token.secret.expose()), "{text}");
    let refusals: Vec<_> = text.lines().filter(|line| line.contains("refused")).collect();
    // Three per second, and the machine may be slow; one line each would be fifty.
    assert!((3..25).contains(&refusals.len()), "{text}");
    insta::assert_snapshot!(refusals[0]);
}
