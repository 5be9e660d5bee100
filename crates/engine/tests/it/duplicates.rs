//! Points that repeat are one point, wherever they are: compared with a plain map over random histories.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rescind_engine::Format;

use crate::fixture::Fixture;

const DAY: i64 = 86_400_000_000_000;

/// What a history is made of.
#[derive(Debug, Clone)]
enum Step {
    /// Lines: host, region, time, field, value.
    Write(Vec<(u8, Option<u8>, i64, u8, i64)>),
    /// More lines than are gathered before they are sealed, all of one series.
    Bulk(i64),
    Persist,
    Compact,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let time = prop_oneof![0..6i64, DAY..DAY + 4, 40 * DAY..40 * DAY + 2];
    let line = (0..3u8, proptest::option::of(0..2u8), time, 0..3u8, -9..9i64);
    let step = prop_oneof![
        6 => proptest::collection::vec(line, 1..12).prop_map(Step::Write),
        1 => (0..3i64).prop_map(Step::Bulk),
        3 => Just(Step::Persist),
        2 => Just(Step::Compact),
        2 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..16)
}

type Key = (String, i64);
type Model = BTreeMap<Key, BTreeMap<String, i64>>;

fn apply(step: &Step, model: &mut Model) -> Option<String> {
    let mut lines = String::new();
    let mut point = |tags: String, time: i64, field: String, value: i64| {
        writeln!(lines, "m{tags} {field}={value}i {time}").expect("grows");
        model.entry((tags, time)).or_default().insert(field, value);
    };
    match step {
        Step::Write(points) => {
            for (host, region, time, field, value) in points {
                let region = region
                    .map(|region| format!(",region=r{region}"))
                    .unwrap_or_default();
                point(
                    format!(",host=h{host}{region}"),
                    *time,
                    format!("f{field}"),
                    *value,
                );
            }
        }
        Step::Bulk(value) => {
            for time in 0..1_500 {
                point(",host=bulk".to_owned(), time, "f0".to_owned(), *value);
            }
        }
        Step::Persist | Step::Compact | Step::Restart => return None,
    }
    Some(lines)
}

fn expected(model: &Model) -> Vec<String> {
    let mut rows: Vec<String> = model
        .iter()
        .map(|((tags, time), fields)| {
            let fields: Vec<String> = fields
                .iter()
                .map(|(field, value)| format!("{field}={value}i"))
                .collect();
            format!("m{tags} {} {time}", fields.join(","))
        })
        .collect();
    rows.sort();
    rows
}

async fn actual(fixture: &Fixture, filter: &str) -> Vec<String> {
    let sql = format!("SELECT *, cast(time AS BIGINT) AS nanos FROM m {filter}");
    let json = fixture.try_sql(&sql, Format::JsonLines).await.expect("answered");
    let mut rows: Vec<String> = json
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("an object");
            let tag = |name: &str| {
                row.get(name)
                    .and_then(|tag| tag.as_str())
                    .map(|tag| format!(",{name}={tag}"))
                    .unwrap_or_default()
            };
            let fields: Vec<String> = (0..3)
                .filter_map(|field| Some(format!("f{field}={}i", row.get(format!("f{field}"))?)))
                .collect();
            format!(
                "m{}{} {} {}",
                tag("host"),
                tag("region"),
                fields.join(","),
                row["nanos"]
            )
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn any_history_leaves_the_same_points_as_a_map() {
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runner
        .run(&steps(), |steps| {
            runtime.block_on(async {
                let mut fixture = Fixture::new();
                let mut model = Model::new();
                for step in &steps {
                    if let Some(lines) = apply(step, &mut model) {
                        fixture.write(&lines).await;
                    }
                    match step {
                        Step::Persist => fixture.engine.persist().await.expect("persisted"),
                        Step::Compact => fixture.engine.compact().await.expect("compacted"),
                        Step::Restart => fixture = fixture.restart(),
                        Step::Write(_) | Step::Bulk(_) => {}
                    }
                    if model.is_empty() {
                        continue;
                    }
                    let all = expected(&model);
                    prop_assert_eq!(&actual(&fixture, "").await, &all);
                    let count = fixture.csv("SELECT count(*) AS n FROM m").await;
                    prop_assert_eq!(count, format!("n\n{}\n", all.len()));
                    let one: Vec<String> = all
                        .iter()
                        .filter(|row| row.contains("host=h1"))
                        .cloned()
                        .collect();
                    prop_assert_eq!(actual(&fixture, "WHERE host = 'h1'").await, one);
                    let late: Vec<String> = model
                        .keys()
                        .filter(|(_, time)| (3..=DAY + 1).contains(time))
                        .map(|(_, time)| time.to_string())
                        .collect();
                    let filter = format!(
                        "WHERE time >= to_timestamp_nanos(3) AND time <= to_timestamp_nanos({})",
                        DAY + 1
                    );
                    prop_assert_eq!(actual(&fixture, &filter).await.len(), late.len());
                }
                Ok(())
            })
        })
        .expect("every history agrees");
}

#[tokio::test]
async fn a_filter_on_a_field_does_not_bring_an_overwritten_value_back() {
    let fixture = Fixture::new();
    fixture.write("m,t=a f=1i 5\nm,t=b f=1i 5").await;
    fixture.engine.persist().await.expect("persisted");
    fixture.write("m,t=a f=2i,g=7i 5").await;
    for _ in 0..2 {
        assert_eq!(fixture.csv("SELECT t FROM m WHERE f = 1").await, "t\nb\n");
        assert_eq!(
            fixture.csv("SELECT t, f, g FROM m WHERE f = 2").await,
            "t,f,g\na,2,7\n"
        );
        assert_eq!(
            fixture.csv("SELECT max(f) AS f FROM m WHERE t = 'a'").await,
            "f\n2\n"
        );
        fixture.engine.persist().await.expect("persisted");
        fixture.engine.compact().await.expect("compacted");
    }
    assert_eq!(fixture.engine.stats().files, 1);
}

#[tokio::test]
async fn compaction_gathers_small_files() {
    let fixture = Fixture::new();
    for time in 0..8 {
        fixture.write(&format!("m,t=a f={time}i {time}")).await;
        fixture.engine.persist().await.expect("persisted");
    }
    assert_eq!(fixture.parquet_files().len(), 8);
    fixture.engine.compact().await.expect("compacted");
    assert_eq!(fixture.parquet_files().len(), 1);
    let sum = "SELECT count(*) AS n, sum(f) AS f FROM m";
    assert_eq!(fixture.csv(sum).await, "n,f\n8,28\n");
    let fixture = fixture.restart();
    assert_eq!(fixture.csv(sum).await, "n,f\n8,28\n");
}

#[tokio::test]
async fn a_point_written_again_after_a_restart_meets_its_file() {
    let fixture = Fixture::new();
    fixture.write("m,t=a f=1i,g=1i 5\nm,t=b f=1i 6").await;
    fixture.engine.persist().await.expect("persisted");
    let fixture = fixture.restart();
    fixture.write("m,t=a f=2i 5").await;
    let sql = "SELECT t, f, g FROM m ORDER BY t";
    assert_eq!(fixture.csv(sql).await, "t,f,g\na,2,1\nb,1,\n");
    // The log's points meet the file's once more.
    let fixture = fixture.restart();
    assert_eq!(fixture.csv(sql).await, "t,f,g\na,2,1\nb,1,\n");
}
