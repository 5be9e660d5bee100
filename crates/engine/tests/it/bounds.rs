//! Nothing is unbounded: floods are refused, greedy queries fail alone, revoked work stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use rescind_domain::{Action, DatabaseLimits, Tether};
use rescind_engine::{Format, Query, QueryError, WriteError};

use crate::fixture::{Fixture, lines_of};

#[tokio::test]
async fn a_full_buffer_refuses_writes_until_it_is_persisted() {
    let fixture = Fixture::with(DatabaseLimits::default(), |settings| {
        settings.buffer_limit_bytes = 20_000
    });
    let mut refused = None;
    let mut stored = 0;
    for batch in 0..100 {
        let lines: String = (0..50)
            .map(|line| format!("m f={line} {}\n", batch * 50 + line))
            .collect();
        match fixture.try_write(lines_of(lines)).await {
            Ok(written) => stored += written.lines,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    assert!(
        matches!(refused, Some(WriteError::Overloaded { .. })),
        "{refused:?}"
    );
    assert!(fixture.engine.stats().buffer_bytes <= 20_000);
    fixture.engine.persist().await.expect("persisted");
    fixture.write("m f=1 1000000").await;
    assert_eq!(
        fixture.csv("SELECT count(*) AS n FROM m").await,
        format!("n\n{}\n", stored + 1)
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let fixture = Fixture::with(DatabaseLimits::default(), |settings| {
        settings.max_write_bytes = 10
    });
    let result = fixture.try_write(lines_of("m f=1 1000000")).await;
    assert!(
        matches!(result, Err(WriteError::TooLarge { max: 10, got: 13 })),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_greedy_query_fails_alone() {
    let fixture = Fixture::with(DatabaseLimits::default(), |settings| {
        settings.query_memory_bytes = 16 << 20;
        settings.query_spill_bytes = 1 << 20;
    });
    fixture.write("m f=1 1").await;
    let greedy =
        "SELECT count(DISTINCT v) FROM (SELECT v || '-' || v AS v FROM generate_series(1, 3000000) AS g(v))";
    let (greedy, modest) = tokio::join!(
        fixture.try_sql(greedy, Format::Json),
        fixture.csv("SELECT f FROM m")
    );
    assert!(matches!(greedy, Err(QueryError::OutOfMemory(_))), "{greedy:?}");
    assert_eq!(modest, "f\n1.0\n");
}

#[tokio::test]
async fn queries_wait_for_a_turn_and_are_refused_when_none_comes() {
    let fixture = Fixture::with(DatabaseLimits::default(), |settings| {
        settings.max_queries = 1;
        settings.query_queue_timeout = Duration::from_millis(20);
    });
    let permit = fixture.database.permit(Action::Read, fixture.tether.clone());
    let endless = Query {
        sql: "SELECT v FROM generate_series(1, 1000000000) AS g(v)".to_owned(),
        ..Query::default()
    };
    let running = fixture
        .engine
        .query(&permit, fixture.database.view(), endless)
        .await
        .expect("planned");
    let refused = fixture.try_sql("SELECT 1", Format::Json).await;
    assert!(
        matches!(refused, Err(QueryError::TooManyQueries { .. })),
        "{refused:?}"
    );
    // A client that goes away gives its turn back.
    drop(running);
    let answered = loop {
        match fixture.try_sql("SELECT 1 AS one", Format::Csv).await {
            Err(QueryError::TooManyQueries { .. }) => {}
            other => break other.expect("answered"),
        }
    };
    assert_eq!(answered, "one\n1\n");
}

#[tokio::test]
async fn a_query_that_runs_too_long_is_stopped() {
    let fixture = Fixture::with(DatabaseLimits::default(), |settings| {
        settings.query_timeout = Duration::from_millis(100);
    });
    let sql = "SELECT count(*) FROM generate_series(1, 100000000000) AS g(v) WHERE v % 7 = 3";
    let result = fixture.try_sql(sql, Format::Json).await;
    assert!(matches!(result, Err(QueryError::TimedOut { .. })), "{result:?}");
}

#[tokio::test]
async fn a_cut_tether_stops_writes_and_running_queries() {
    let fixture = Fixture::new();
    fixture.write("m f=1 1").await;
    let permit = fixture.database.permit(Action::Read, fixture.tether.clone());
    let endless = Query {
        sql: "SELECT v FROM generate_series(1, 1000000000) AS g(v)".to_owned(),
        ..Query::default()
    };
    let mut running = fixture
        .engine
        .query(&permit, fixture.database.view(), endless)
        .await
        .expect("planned");
    assert!(matches!(running.next().await, Some(Ok(_))));
    let bytes = fixture.engine.stats().log_bytes;

    fixture.tether.cut();
    assert!(matches!(running.next().await, Some(Err(QueryError::Cut))));
    assert!(running.next().await.is_none());
    let refused = fixture.try_sql("SELECT 1", Format::Json).await;
    assert!(matches!(refused, Err(QueryError::Cut)), "{refused:?}");
    let refused = fixture.try_write(lines_of("m f=2 2")).await;
    assert!(matches!(refused, Err(WriteError::Cut)), "{refused:?}");
    assert_eq!(fixture.engine.stats().log_bytes, bytes);
}

#[tokio::test]
async fn deep_and_long_queries_are_refused_in_order() {
    let fixture = Fixture::new();
    let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let result = fixture.try_sql(&deep, Format::Json).await;
    assert!(matches!(result, Err(QueryError::Invalid(_))), "{result:?}");
    let long = format!("SELECT '{}'", "x".repeat(2 << 20));
    let result = fixture.try_sql(&long, Format::Json).await;
    assert!(matches!(result, Err(QueryError::Invalid(_))), "{result:?}");
}

#[tokio::test]
async fn functions_cannot_grow_texts_without_bound() {
    let fixture = Fixture::new();
    for sql in [
        "SELECT repeat('x', 2000000000)",
        "SELECT lpad('x', 2000000000)",
        "SELECT rpad('x', v, 'ab') FROM (VALUES (1), (2000000000)) AS t(v)",
        "SELECT count(repeat('0123456789', 1000000 + v)) FROM generate_series(1, 8000) AS g(v)",
    ] {
        let result = fixture.try_sql(sql, Format::Json).await;
        assert!(
            matches!(result, Err(QueryError::OutOfMemory(_))),
            "{sql}: {result:?}"
        );
    }
    assert_eq!(
        fixture
            .csv("SELECT repeat('ab', 3) AS r, lpad('7', 3, '0') AS l, rpad(NULL, 2) AS n")
            .await,
        "r,l,n\nababab,007,\n"
    );
}

/// Cut from the second question on, as by a revocation that comes while the write is under way.
#[derive(Debug, Default)]
struct CutLater(AtomicUsize);

impl Tether for CutLater {
    fn is_cut(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) > 0
    }
}

#[tokio::test]
async fn a_write_is_stopped_by_a_cut_right_before_the_log() {
    let fixture = Fixture::new();
    fixture.write("m f=1 1").await;
    let bytes = fixture.engine.stats().log_bytes;
    let permit = fixture
        .database
        .permit(Action::Write, Arc::new(CutLater::default()));
    let view = fixture.database.view();
    let result = fixture
        .engine
        .write(&permit, view, lines_of("m f=2 2"), &fixture.database)
        .await;
    assert!(matches!(result, Err(WriteError::Cut)), "{result:?}");
    assert_eq!(fixture.engine.stats().log_bytes, bytes);
    assert_eq!(fixture.csv("SELECT f FROM m").await, "f\n1.0\n");
}
