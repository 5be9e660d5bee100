//! Nothing is unbounded: floods are refused, greedy queries fail alone, revoked work stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use rescind_domain::{Action, DatabaseLimits, Tether};
use rescind_engine::{Format, Query, QueryError, WriteError};

use crate::fixture::{Fixture, TestDatabase, TestTether, lines_of};

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

/// A chain of `count` parts.
fn chain(part: &str, separator: &str, count: usize) -> String {
    vec![part; count].join(separator)
}

#[tokio::test]
async fn a_query_that_planning_could_not_bear_is_refused() {
    let fixture = Fixture::new();
    fixture.write("m f=1 1").await;
    let doubled = |count: usize| {
        let ctes = (1..count).map(|cte| {
            format!(
                ", c{cte} AS (SELECT * FROM c{0} UNION ALL SELECT * FROM C{0})",
                cte - 1
            )
        });
        let ctes: String = ctes.collect();
        format!(
            "WITH c0 AS (SELECT * FROM m){ctes} SELECT count(*) FROM c{}",
            count - 1
        )
    };
    let subselects = format!("{}m{}", "(SELECT * FROM ".repeat(300), ")".repeat(300));
    let ctes: String = (1..300)
        .map(|cte| format!(", c{cte} AS (SELECT * FROM c{})", cte - 1))
        .collect();
    let copied = |open: &str, close: &str| format!("SELECT {}f{} FROM m", open.repeat(40), close.repeat(40));
    for sql in [
        format!("SELECT {}", chain("1", "+", 4_000)),
        format!("SELECT {}", chain("true", " AND ", 4_000)),
        format!("SELECT {}", chain("true", " OR ", 4_000)),
        format!("SELECT {}", chain("'a'", " || ", 4_000)),
        format!("SELECT {}1", "NOT ".repeat(10_000)),
        format!("SELECT {}1", "- ".repeat(10_000)),
        chain("SELECT 1", " UNION ALL ", 5_000),
        format!("SELECT 1 FROM {}", chain("m", " CROSS JOIN ", 400)),
        format!("SELECT * FROM {subselects}"),
        format!("WITH c0 AS (SELECT * FROM m){ctes} SELECT * FROM c299"),
        doubled(15),
        doubled(64),
        format!("EXPLAIN {}", doubled(15)),
        format!("{}SELECT 1", "EXPLAIN ".repeat(15_000)),
        format!("SELECT 1 IN ({})", chain("1", ",", 20_000)),
        copied("coalesce(", ", 1)"),
        copied("((", " BETWEEN 0 AND 1)::INT)"),
        copied("((", " IN (1, 2, 3))::INT)"),
    ] {
        let start: String = sql.chars().take(60).collect();
        let result = fixture.try_sql(&sql, Format::Json).await;
        assert!(
            matches!(result, Err(QueryError::Invalid(_))),
            "{start}: {result:?}"
        );
    }
    let told = fixture
        .try_sql(&doubled(15), Format::Json)
        .await
        .expect_err("refused");
    insta::assert_snapshot!(told.to_string());
}

#[tokio::test]
async fn the_most_complex_queries_allowed_are_answered() {
    let fixture = Fixture::new();
    fixture.write("m,t=a f=1,g=2,h=3 1\nm,t=b f=1 2").await;
    let subselects = format!("{}m{}", "(SELECT * FROM ".repeat(20), ")".repeat(20));
    let ctes: String = (1..32)
        .map(|cte| format!(", c{cte} AS (SELECT f + 1 AS f FROM c{})", cte - 1))
        .collect();
    for sql in [
        format!("SELECT {} FROM m", chain("f", "+", 1_000)),
        format!("SELECT f FROM m WHERE {}", chain("f = 2", " OR ", 500)),
        format!("SELECT f FROM m WHERE {}", chain("f > 0", " AND ", 500)),
        format!("SELECT {} FROM m", chain("t", " || ", 1_000)),
        format!("SELECT {}f FROM m", "- ".repeat(40)),
        format!("SELECT {}t{} FROM m", "upper(".repeat(20), ")".repeat(20)),
        chain("SELECT f FROM m", " UNION ALL ", 33),
        chain("SELECT 1", " UNION ALL ", 50),
        chain("SELECT 1", " UNION ", 50),
        format!(
            "SELECT 1 FROM (SELECT 1) AS s0 {}",
            (1..40)
                .map(|join| format!(" CROSS JOIN (SELECT 1) AS s{join}"))
                .collect::<String>()
        )
        .replace("(SELECT 1)", "(VALUES (1))"),
        format!(
            "SELECT count(*) FROM m AS m0 {}",
            (1..99)
                .map(|join| format!(" JOIN m AS m{join} ON m0.time = m{join}.time"))
                .collect::<String>()
        ),
        format!("SELECT * FROM {subselects}"),
        format!("WITH c0 AS (SELECT f FROM m){ctes} SELECT * FROM c31"),
        format!("SELECT f IN ({}) FROM m", chain("1", ",", 9_000)),
    ] {
        let start: String = sql.chars().take(60).collect();
        let result = fixture.try_sql(&sql, Format::Csv).await;
        assert!(result.is_ok(), "{start}: {result:?}");
    }
}

#[tokio::test]
async fn functions_cannot_grow_texts_without_bound() {
    let fixture = Fixture::new();
    fixture.write("m s=\"x\" 1").await;
    for sql in [
        "SELECT repeat('x', 2000000000)",
        "SELECT repeat('x', 20000), v FROM generate_series(1, 100000) AS g(v)",
        "SELECT lpad('x', 2000000000)",
        "SELECT rpad('x', v, 'ab') FROM (VALUES (1), (2000000000)) AS t(v)",
        "SELECT count(repeat('0123456789', 1000000 + v)) FROM generate_series(1, 8000) AS g(v)",
        "SELECT length(replace(repeat('x', v), 'x', repeat('y', v))) FROM (VALUES (100000)) AS t(v)",
        "SELECT length(replace(repeat('x', v), '', repeat('y', v))) FROM (VALUES (100000)) AS t(v)",
        "SELECT length(regexp_replace(repeat('x', v), 'x', repeat('y', v), 'g')) FROM (VALUES (100000)) AS t(v)",
        "SELECT length(concat(repeat(s, v), repeat(s, v), repeat(s, v))) FROM m, (VALUES (20000000)) AS t(v)",
        "SELECT length(concat_ws(repeat(s, v), s, s, s, s, s, s, s)) FROM m, (VALUES (30000000)) AS t(v)",
        "SELECT length(r || r || r || r || r) FROM (SELECT repeat(s, 10000000) AS r FROM m)",
        "SELECT length(translate(repeat(s, v), 'x', 'y')) FROM m, (VALUES (30000000)) AS t(v)",
        "SELECT length(overlay(repeat(s, v) PLACING repeat(s, v) FROM 1)) FROM m, (VALUES (20000000)) AS t(v)",
        "SELECT length(to_char(time, repeat('%Y', 8000000))) FROM m",
        "SELECT levenshtein(repeat(s, v), repeat(s, v)) FROM m, (VALUES (10000000)) AS t(v)",
    ] {
        let result = fixture.try_sql(sql, Format::Json).await;
        assert!(
            matches!(result, Err(QueryError::OutOfMemory(_))),
            "{sql}: {result:?}"
        );
    }
    for sql in [
        "SELECT count(*) FROM m WHERE s ~ s",
        "SELECT count(regexp_like('x', 'x{' || v || '}')) FROM generate_series(1, 100) AS g(v)",
    ] {
        let result = fixture.try_sql(sql, Format::Json).await;
        assert!(
            matches!(result, Err(QueryError::Invalid(_) | QueryError::Failed(_))),
            "{sql}: {result:?}"
        );
    }
}

#[tokio::test]
async fn functions_within_their_bounds_answer_as_ever() {
    let fixture = Fixture::new();
    fixture
        .write("m,t=a s=\"say\",f=1.5 1700000000000000000\nm f=2 1700000001000000000")
        .await;
    let mut told = String::new();
    for sql in [
        "SELECT repeat('ab', 3) AS r, lpad('7', 3, '0') AS l, rpad(NULL, 2) AS n",
        "SELECT t || '-' || s, t || f, f || 'x', NULL || t AS n FROM m ORDER BY time",
        "SELECT concat(t, '-', s) AS c, concat_ws('/', t, s, 'z') AS w, replace(s, 'a', 'oo') AS r FROM m ORDER BY time",
        "SELECT regexp_replace(s, '(a)', '<\\1>') AS r, s ~ 'a' AS likes, s !~* '^S' AS hates FROM m ORDER BY time",
        "SELECT to_char(time, '%Y-%m-%d') AS day, upper(t) AS u, initcap(s) AS i, translate(s, 'ay', 'xz') AS t FROM m ORDER BY time",
        "SELECT overlay(s PLACING 'oo' FROM 2) AS o, levenshtein(s, 'sad') AS l FROM m ORDER BY time",
        "SELECT 1 || 2",
    ] {
        match fixture.try_sql(sql, Format::Csv).await {
            Ok(rows) => told.push_str(&format!("--- {sql}\n{rows}")),
            Err(error) => told.push_str(&format!("--- {sql}\n{error:?}\n")),
        }
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn hostile_queries_stop_nobody_else() {
    let fixture = Fixture::with(DatabaseLimits::default(), |settings| settings.max_queries = 4);
    fixture.write("m s=\"x\" 1").await;
    let permit = fixture.database.permit(Action::Read, fixture.tether.clone());
    // Each call is one long computation that never yields.
    let stuck = "SELECT sum(levenshtein(repeat('x', 30000 + v % 2), repeat('y', 30000))) \
                 FROM generate_series(1, 1000000000) AS g(v) GROUP BY v % 3";
    let endless = "SELECT count(*) FROM generate_series(1, 100000000000) AS g(v) WHERE v % 7 = 3";
    let mut running = Vec::new();
    for sql in [stuck, stuck, endless] {
        let query = Query {
            sql: sql.to_owned(),
            ..Query::default()
        };
        let result = fixture
            .engine
            .query(&permit, fixture.database.view(), query)
            .await;
        running.push(result.expect("planned"));
    }
    // The database has all the turns that it may have; another one has its own.
    let other = TestDatabase::new(2, "other", DatabaseLimits::default());
    let allowed = other.permit(Action::Read, Arc::<TestTether>::default());
    for _ in 0..3 {
        let query = Query {
            sql: "SELECT 1 AS one".to_owned(),
            ..Query::default()
        };
        let mut answer = fixture
            .engine
            .query(&allowed, other.view(), query)
            .await
            .expect("planned");
        assert_eq!(answer.next().await.expect("a batch").expect("rows").num_rows(), 1);
    }
    // Who goes away frees their turn, and a cut frees all.
    drop(running.pop());
    fixture.tether.cut();
    for mut cut in running {
        assert!(matches!(cut.next().await, Some(Err(QueryError::Cut))));
    }
}

#[tokio::test]
async fn a_cut_ends_a_query_that_gives_nothing_yet() {
    let fixture = Fixture::new();
    let permit = fixture.database.permit(Action::Read, fixture.tether.clone());
    let query = Query {
        sql: "SELECT count(*) FROM generate_series(1, 100000000000) AS g(v) WHERE v % 7 = 3".to_owned(),
        ..Query::default()
    };
    let result = fixture
        .engine
        .query(&permit, fixture.database.view(), query)
        .await;
    let mut running = result.expect("planned");
    let tether = fixture.tether.clone();
    let waiting = tokio::spawn(async move { running.next().await });
    tether.cut();
    let last = waiting.await.expect("ends");
    assert!(matches!(last, Some(Err(QueryError::Cut))), "{last:?}");
}

#[tokio::test]
async fn little_memory_suffices_for_simple_aggregates() {
    let fixture = Fixture::with(DatabaseLimits::default(), |settings| {
        settings.query_memory_bytes = 64 << 20;
    });
    // Out of order and twice, so that points must be merged.
    for _ in 0..2 {
        for batch in (0..10).rev() {
            let lines: String = (0..10_000)
                .map(|line| {
                    format!(
                        "m,t={} f={line} {}\n",
                        line % 7,
                        batch * 10_000 + (line * 7_919) % 10_000
                    )
                })
                .collect();
            fixture.write(&lines).await;
        }
    }
    for sql in ["SELECT count(*) AS n FROM m", "SELECT count(f) AS n FROM m"] {
        assert_eq!(fixture.csv(sql).await, "n\n100000\n", "{sql}");
    }
    fixture.engine.persist().await.expect("persisted");
    assert_eq!(fixture.csv("SELECT count(*) AS n FROM m").await, "n\n100000\n");
    // One long chunk over another, sorted as a whole.
    for _ in 0..2 {
        let lines: String = (0..60_000)
            .map(|line| format!("long,t={} f={line} {}\n", line % 7, (line * 7_919) % 60_000))
            .collect();
        fixture.write(&lines).await;
    }
    assert_eq!(fixture.csv("SELECT count(*) AS n FROM long").await, "n\n60000\n");
    let told = Fixture::with(DatabaseLimits::default(), |settings| {
        settings.query_memory_bytes = 8 << 20;
        settings.query_spill_bytes = 1 << 20;
    });
    told.write("m,t=a f=1 1").await;
    let error = told
        .try_sql(
            "SELECT count(DISTINCT v) FROM (SELECT v || '-' || v AS v FROM generate_series(1, 3000000) AS g(v))",
            Format::Json,
        )
        .await
        .expect_err("too much");
    assert_eq!(
        error.to_string(),
        "the query needs more memory than one query may use: raise --query-memory-bytes or narrow the query"
    );
}

#[tokio::test]
async fn a_line_without_parts_is_told_what_a_line_needs() {
    let fixture = Fixture::new();
    let refused = fixture.try_write(lines_of("bad")).await.expect_err("refused");
    assert_eq!(
        refused.to_string(),
        "error parsing line 1 (1-based): a line needs a table, at least one field and spaces between its parts: \
         table[,tag=value...] field=value[,...] [time]"
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
