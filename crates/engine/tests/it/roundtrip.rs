//! Line protocol to Arrow and back: nothing is lost or changed on the way.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType, UInt64Type};
use futures::TryStreamExt;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rescind_domain::Action;
use rescind_engine::Query;

use crate::fixture::Fixture;

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Float(f64),
    Integer(i64),
    UInteger(u64),
    Boolean(bool),
    Text(String),
}

/// A point: tags, fields, time. The last two fields name what kind a field has, so that kinds never conflict.
type Point = (BTreeMap<String, String>, BTreeMap<String, Value>);

fn name() -> impl Strategy<Value = String> {
    "[a-c][a-z ,=\"ßé🦀]{0,3}[a-z]"
}

fn value() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        any::<f64>()
            .prop_filter("finite", |v| v.is_finite())
            .prop_map(|v| ("F", Value::Float(v))),
        any::<i64>().prop_map(|v| ("I", Value::Integer(v))),
        any::<u64>().prop_map(|v| ("U", Value::UInteger(v))),
        any::<bool>().prop_map(|v| ("B", Value::Boolean(v))),
        "[a-z \n,=\"\\\\ß🦀]{0,8}".prop_map(|v| ("S", Value::Text(v))),
    ]
}

fn points() -> impl Strategy<Value = Vec<Point>> {
    let tags = proptest::collection::btree_map(name(), name(), 0..4);
    let fields = proptest::collection::vec((name(), value()), 1..5).prop_map(|fields| {
        fields
            .into_iter()
            .map(|(name, (kind, value))| (format!("{name}{kind}"), value))
            .collect()
    });
    // Enough for both ways into the buffer.
    proptest::collection::vec((tags, fields), 1..40)
}

fn escaped(name: &str) -> String {
    name.replace(',', "\\,").replace('=', "\\=").replace(' ', "\\ ")
}

fn line(point: &Point, time: usize) -> String {
    let (tags, fields) = point;
    let tags: String = tags
        .iter()
        .map(|(key, value)| format!(",{}={}", escaped(key), escaped(value)))
        .collect();
    let fields: Vec<String> = fields
        .iter()
        .map(|(key, value)| {
            let value = match value {
                Value::Float(value) => format!("{value:?}"),
                Value::Integer(value) => format!("{value}i"),
                Value::UInteger(value) => format!("{value}u"),
                Value::Boolean(value) => value.to_string(),
                Value::Text(value) => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
            };
            format!("{}={value}", escaped(key))
        })
        .collect();
    format!("table{tags} {} {time}", fields.join(","))
}

/// Reads a row back; what is null is not there.
fn point(batch: &RecordBatch, row: usize) -> (Point, i64) {
    let (mut tags, mut fields, mut time) = (BTreeMap::new(), BTreeMap::new(), 0);
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if column.is_null(row) {
            continue;
        }
        let name = field.name().clone();
        let value = match field.data_type() {
            DataType::Timestamp(..) => {
                time = column.as_primitive::<TimestampNanosecondType>().value(row);
                continue;
            }
            DataType::Float64 => Value::Float(column.as_primitive::<Float64Type>().value(row)),
            DataType::Int64 => Value::Integer(column.as_primitive::<Int64Type>().value(row)),
            DataType::UInt64 => Value::UInteger(column.as_primitive::<UInt64Type>().value(row)),
            DataType::Boolean => Value::Boolean(column.as_boolean().value(row)),
            DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).to_owned()),
            other => panic!("{name} is {other}"),
        };
        match (field.metadata()["iox::column::type"].as_str(), value) {
            ("iox::column_type::tag", Value::Text(value)) => drop(tags.insert(name, value)),
            (_, value) => drop(fields.insert(name, value)),
        }
    }
    ((tags, fields), time)
}

async fn all(fixture: &Fixture) -> Vec<Point> {
    let permit = fixture.database.permit(Action::Read, fixture.tether.clone());
    let query = Query {
        sql: "SELECT * FROM \"table\"".to_owned(),
        ..Query::default()
    };
    let result = fixture
        .engine
        .query(&permit, fixture.database.view(), query)
        .await
        .expect("planned");
    let batches: Vec<RecordBatch> = result.try_collect().await.expect("answered");
    let mut points: Vec<_> = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| point(batch, row)))
        .collect();
    points.sort_by_key(|(_, time)| *time);
    points.into_iter().map(|(point, _)| point).collect()
}

#[test]
fn points_come_back_as_they_were_written() {
    let mut runner = TestRunner::new(Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runner
        .run(&points(), |points| {
            runtime.block_on(async {
                let fixture = Fixture::new();
                let lines: Vec<String> = points
                    .iter()
                    .enumerate()
                    .map(|(time, point)| line(point, time))
                    .collect();
                let (first, second) = lines.split_at(lines.len() / 2);
                for lines in [first, second] {
                    if !lines.is_empty() {
                        fixture.write(&lines.join("\n")).await;
                    }
                }
                prop_assert_eq!(&all(&fixture).await, &points);
                let fixture = fixture.restart();
                prop_assert_eq!(&all(&fixture).await, &points);
                fixture.engine.persist().await.expect("persisted");
                prop_assert_eq!(&all(&fixture).await, &points);
                Ok(())
            })
        })
        .expect("every point comes back");
}
