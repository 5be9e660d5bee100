//! What was acknowledged survives: torn tails, interrupted rounds, drops.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rescind_domain::Action;
use rescind_engine::{Engine, Error, WriteError};

use crate::fixture::{Fixture, TestTether, lines_of};

/// The only segment of the log.
fn segment(fixture: &Fixture) -> PathBuf {
    let segments = fixture.files_below("log");
    let mut filled = segments
        .into_iter()
        .filter(|path| fs::metadata(path).expect("a file").len() > 8);
    let segment = filled.next().expect("a segment");
    assert_eq!(filled.next(), None);
    segment
}

#[tokio::test]
async fn a_log_torn_at_any_byte_keeps_every_whole_frame() {
    let fixture = Fixture::new();
    let mut ends = vec![(8, 0)];
    for time in 1..=4 {
        fixture.write(&format!("m,t=a f={time}i {time}")).await;
        ends.push((fs::metadata(segment(&fixture)).expect("a file").len(), time));
    }
    let log = fs::read(segment(&fixture)).expect("a file");
    for length in 0..=log.len() {
        let torn = Fixture::new();
        let path = torn.files_below("log").remove(0);
        let torn = torn.replaced(|| fs::write(&path, &log[..length]).expect("written"));
        let (_, kept) = ends
            .iter()
            .rev()
            .find(|(end, _)| *end <= length as u64)
            .unwrap_or(&(0, 0));
        let columns = if *kept == 0 { 0 } else { 3 };
        assert_eq!(torn.engine.stats().tables, u64::from(*kept > 0), "{length}");
        torn.adopt_tables(&fixture);
        assert_eq!(
            torn.engine.table_columns(fixture.database.table("m")).len(),
            columns,
            "{length}"
        );
        if *kept > 0 {
            let count = torn.csv("SELECT count(*) AS n, max(f) AS f FROM m").await;
            assert_eq!(count, format!("n,f\n{kept},{kept}\n"), "{length}");
        }
        // The log goes on behind the cut.
        torn.write("m,t=a f=9i 9").await;
        let torn = torn.restart();
        let count = torn.csv("SELECT count(*) AS n, max(f) AS f FROM m").await;
        assert_eq!(count, format!("n,f\n{},9\n", kept + 1), "{length}");
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_named_and_not_passed_over() {
    let fixture = Fixture::new();
    fixture.write("m f=1 1").await;
    let second = fs::metadata(segment(&fixture)).expect("a file").len();
    fixture.write("m f=2 2").await;
    fixture.write("m f=3 3").await;
    let path = segment(&fixture);
    let log = fs::read(&path).expect("a file");
    for damaged in [second as usize, second as usize + 5, second as usize + 20] {
        let mut bytes = log.clone();
        bytes[damaged] ^= 1;
        fs::write(&path, &bytes).expect("written");
        let other = tempfile::tempdir().expect("a directory");
        copy_log(&fixture, other.path());
        let settings = rescind_engine::Settings::new(other.path());
        let error = Engine::open(settings, fixture.clock.clone()).expect_err("damaged");
        match error {
            Error::Damaged { path, offset, .. } => {
                assert_eq!(offset, second);
                assert!(
                    path.ends_with("log/00000000000000000001.log"),
                    "{}",
                    path.display()
                );
            }
            other => panic!("not damaged: {other}"),
        }
    }
}

fn copy_log(fixture: &Fixture, to: &std::path::Path) {
    let log = to.join("log");
    fs::create_dir_all(&log).expect("made");
    for path in fixture.files_below("log") {
        let name = path.file_name().expect("a name");
        fs::copy(&path, log.join(name)).expect("copied");
    }
}

#[tokio::test]
async fn the_log_is_let_go_once_files_hold_the_points() {
    let fixture = Fixture::new();
    fixture.write("m f=1 1").await;
    let before = segment(&fixture);
    fixture.engine.persist().await.expect("persisted");
    assert!(!before.exists());
    fixture.write("m f=2 2").await;
    let fixture = fixture.restart();
    assert_eq!(fixture.csv("SELECT f FROM m ORDER BY f").await, "f\n1.0\n2.0\n");
}

#[tokio::test]
async fn leftovers_of_an_interrupted_round_are_removed() {
    let fixture = Fixture::new();
    fixture.write("m f=1 1").await;
    fixture.engine.persist().await.expect("persisted");
    let known = fixture.parquet_files();
    let orphan = known[0].with_file_name("00000000000000000099.parquet");
    fs::write(&orphan, "half a file").expect("written");
    let fixture = fixture.restart();
    assert_eq!(fixture.parquet_files(), known);
    assert_eq!(fixture.csv("SELECT f FROM m").await, "f\n1.0\n");
}

#[tokio::test]
async fn a_missing_or_cut_data_file_is_named() {
    let fixture = Fixture::new();
    fixture.write("m f=1 1").await;
    fixture.engine.persist().await.expect("persisted");
    let path = fixture.parquet_files().remove(0);
    let bytes = fs::read(&path).expect("a file");
    let (settings, clock) = (fixture.settings.clone(), fixture.clock.clone());
    fixture.engine.close().await.expect("closed");
    drop(fixture.engine);
    fs::write(&path, &bytes[..bytes.len() - 1]).expect("written");
    let error = Engine::open(settings.clone(), clock.clone()).expect_err("damaged");
    assert!(
        matches!(&error, Error::Damaged { path: named, .. } if *named == path),
        "{error}"
    );
    fs::remove_file(&path).expect("removed");
    let error = Engine::open(settings, clock).expect_err("missing");
    assert!(error.to_string().contains(".parquet"), "{error}");
}

#[tokio::test]
async fn dropped_tables_and_databases_stay_dropped() {
    let fixture = Fixture::new();
    fixture.write("a f=1 1\nb f=1 1").await;
    fixture.engine.persist().await.expect("persisted");
    fixture.write("a f=2 2\nb f=2 2").await;
    let table = fixture.database.table("a");
    fixture.engine.drop_table(table).await.expect("dropped");
    assert_eq!(fixture.parquet_files().len(), 1);
    assert_eq!(fixture.engine.table_bytes(table), 0);
    assert_eq!(fixture.csv("SELECT * FROM a").await, "");
    // A write that still has the old view is refused, not lost.
    let late = fixture.try_write(lines_of("a f=3 3")).await;
    assert!(matches!(late, Err(WriteError::Unavailable(_))), "{late:?}");

    let fixture = fixture.restart();
    assert!(fixture.engine.table_columns(table).is_empty());
    assert_eq!(fixture.csv("SELECT f FROM b ORDER BY f").await, "f\n1.0\n2.0\n");
    fixture
        .engine
        .drop_database(fixture.database.view().id)
        .await
        .expect("dropped");
    assert!(fixture.parquet_files().is_empty());
    let fixture = fixture.restart();
    assert_eq!(fixture.engine.stats().tables, 0);
}

#[tokio::test]
async fn a_query_under_way_keeps_what_it_reads() {
    use futures::TryStreamExt;
    let fixture = Fixture::new();
    fixture.write("m f=1 1").await;
    fixture.engine.persist().await.expect("persisted");
    let permit = fixture
        .database
        .permit(Action::Read, Arc::new(TestTether::default()));
    let query = rescind_engine::Query {
        sql: "SELECT m.f FROM generate_series(1, 100000) AS g(v) CROSS JOIN m".to_owned(),
        ..Default::default()
    };
    let result = fixture
        .engine
        .query(&permit, fixture.database.view(), query)
        .await
        .expect("planned");
    fixture
        .engine
        .drop_table(fixture.database.table("m"))
        .await
        .expect("dropped");
    let batches: Vec<_> = result.try_collect().await.expect("answered");
    assert_eq!(
        batches.iter().map(|batch| batch.num_rows()).sum::<usize>(),
        100_000
    );
}

#[tokio::test]
async fn a_second_engine_is_kept_out() {
    let fixture = Fixture::new();
    let error = Engine::open(fixture.settings.clone(), fixture.clock.clone()).expect_err("locked");
    assert!(matches!(error, Error::Io { doing: "lock", .. }), "{error}");
}

#[tokio::test]
async fn a_closed_engine_refuses_writes_and_has_nothing_to_replay() {
    let fixture = Fixture::new();
    fixture.write("m f=1 1").await;
    fixture.engine.close().await.expect("closed");
    let late = fixture.try_write(lines_of("m f=2 2")).await;
    assert!(matches!(late, Err(WriteError::Unavailable(_))), "{late:?}");
    let fixture = fixture.restart();
    assert_eq!(fixture.engine.stats().buffer_bytes, 0);
    assert_eq!(fixture.csv("SELECT f FROM m").await, "f\n1.0\n");
}
