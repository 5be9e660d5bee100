//! Writers, queries and housekeeping at the same time.

use std::sync::Arc;
use std::time::Duration;

use rescind_domain::DatabaseLimits;

use crate::fixture::Fixture;

const WRITERS: i64 = 4;
const BATCHES: i64 = 24;

async fn count(fixture: &Fixture) -> i64 {
    let answer = fixture.csv("SELECT count(*) AS n FROM m").await;
    answer.trim_start_matches("n\n").trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_doubled_while_files_change() {
    let fixture = Arc::new(Fixture::new());
    fixture.write("m,w=first f=0i 0").await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let fixture = Arc::clone(&fixture);
            tokio::spawn(async move {
                for batch in 0..BATCHES {
                    // Small and large batches, and every fifth batch repeats points of the one before.
                    let size = if batch % 3 == 0 { 1_100 } else { 7 };
                    let start = if batch % 5 == 4 { batch - 1 } else { batch } * 2_000;
                    let lines: Vec<String> = (start..start + size)
                        .map(|time| format!("m,w=w{writer} f={batch}i {time}"))
                        .collect();
                    fixture.write(&lines.join("\n")).await;
                }
            })
        })
        .collect();
    let housekeeper = {
        let fixture = Arc::clone(&fixture);
        tokio::spawn(async move {
            for _ in 0..12 {
                fixture.engine.persist().await.expect("persisted");
                fixture.engine.compact().await.expect("compacted");
            }
        })
    };
    let mut last = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        let now = count(&fixture).await;
        assert!(now >= last, "{now} after {last}");
        last = now;
    }
    for writer in writers {
        writer.await.expect("wrote");
    }
    housekeeper.await.expect("kept house");
    let mut points = std::collections::BTreeSet::new();
    for batch in 0..BATCHES {
        let size = if batch % 3 == 0 { 1_100 } else { 7 };
        let start = if batch % 5 == 4 { batch - 1 } else { batch } * 2_000;
        points.extend(start..start + size);
    }
    let expected = i64::try_from(points.len()).expect("few") * WRITERS + 1;
    assert_eq!(count(&fixture).await, expected);
    let fixture = Arc::into_inner(fixture).expect("all tasks ended").restart();
    assert_eq!(count(&fixture).await, expected);
}

#[tokio::test]
async fn the_housekeeping_thread_persists_a_full_buffer() {
    let fixture = Fixture::with(DatabaseLimits::default(), |settings| {
        settings.background = true;
        settings.buffer_bytes = 1_000;
        settings.persist_interval = Duration::from_secs(3_600);
    });
    let lines: Vec<String> = (0..200).map(|time| format!("m f={time} {time}")).collect();
    fixture.write(&lines.join("\n")).await;
    while fixture.engine.stats().buffer_bytes > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.parquet_files().len(), 1);
    assert_eq!(count(&fixture).await, 200);
}
