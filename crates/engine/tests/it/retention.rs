//! Points older than the retention period are refused, hidden and removed.

use rescind_domain::{DatabaseLimits, RetentionPeriod};
use rescind_engine::WriteError;

use crate::fixture::{Fixture, NOW, lines_of};

const HOUR: i64 = 3_600_000_000_000;

fn one_hour() -> DatabaseLimits {
    DatabaseLimits {
        retention: RetentionPeriod::from_nanos(HOUR).expect("positive"),
        ..DatabaseLimits::default()
    }
}

#[tokio::test]
async fn old_points_are_refused() {
    let fixture = Fixture::with(one_hour(), |_| {});
    let (old, new) = (NOW - HOUR - 1, NOW - HOUR);
    let partial = fixture
        .try_write(lines_of(format!("m f=1 {old}\nm f=2 {new}")))
        .await;
    let Err(WriteError::Rejected(errors)) = partial else {
        panic!("not rejected: {partial:?}");
    };
    assert_eq!((errors.total, errors.stored_lines), (1, 1));
    assert_eq!(
        errors.to_string(),
        "error parsing line 1 (1-based): the point is older than the retention period of 1h"
    );
    let all = fixture
        .try_write(lines_of(format!("m f=1 {old}\nm f=1 {old}")))
        .await;
    assert!(
        matches!(all, Err(WriteError::Retention(ref errors)) if errors.total == 2),
        "{all:?}"
    );
}

#[tokio::test]
async fn expired_points_are_hidden_wherever_they_are() {
    let fixture = Fixture::with(one_hour(), |_| {});
    for line in ["m,t=a f=1", "m,t=b f=2"] {
        for minute in [0, 30] {
            fixture
                .write(&format!("{line} {}", NOW + minute * 60_000_000_000))
                .await;
        }
    }
    // Written again, so that a merging is part of the query.
    fixture
        .write(&format!("m,t=a g=3 {NOW}\nm,t=a g=4 {}", NOW + HOUR / 2))
        .await;
    let counts = "SELECT count(*) AS n, count(g) AS g, sum(f) AS f, max(time) AS last FROM m";
    let (all, half) = (
        "n,g,f,last\n4,2,6.0,2023-11-14T22:43:20\n",
        "n,g,f,last\n2,1,3.0,2023-11-14T22:43:20\n",
    );
    for place in ["buffer", "file", "half and half"] {
        fixture.clock.set_nanos(NOW);
        assert_eq!(fixture.csv(counts).await, all, "{place}");
        assert_eq!(
            fixture.csv("SELECT count(*) AS n FROM m").await,
            "n\n4\n",
            "{place}"
        );
        fixture.clock.set_nanos(NOW + HOUR + 1_000);
        assert_eq!(fixture.csv(counts).await, half, "{place}");
        assert_eq!(
            fixture.csv("SELECT count(*) AS n FROM m").await,
            "n\n2\n",
            "{place}"
        );
        assert_eq!(
            fixture.csv("SELECT min(time) AS t FROM m").await,
            "t\n2023-11-14T22:43:20\n",
            "{place}"
        );
        fixture.clock.set_nanos(NOW + 2 * HOUR);
        assert_eq!(
            fixture.csv("SELECT count(*) AS n FROM m").await,
            "n\n0\n",
            "{place}"
        );
        fixture.clock.set_nanos(NOW);
        fixture.engine.persist().await.expect("persisted");
        if place == "file" {
            fixture.write(&format!("m,t=b f=2 {}", NOW + HOUR / 2)).await;
        }
    }
}

#[tokio::test]
async fn expired_files_are_removed() {
    let fixture = Fixture::with(one_hour(), |_| {});
    let view = fixture.database.view();
    let retentions = vec![(view.id, view.limits.retention)];
    fixture.write(&format!("m f=1 {NOW}")).await;
    fixture.engine.persist().await.expect("persisted");
    fixture.write(&format!("m f=2 {}", NOW + HOUR)).await;
    fixture.engine.persist().await.expect("persisted");
    assert_eq!(fixture.parquet_files().len(), 2);

    fixture.clock.set_nanos(NOW + HOUR);
    fixture.engine.expire(retentions.clone()).await.expect("done");
    assert_eq!(fixture.parquet_files().len(), 2);

    fixture.clock.set_nanos(NOW + HOUR + 1_000);
    fixture.engine.expire(retentions).await.expect("done");
    assert_eq!(fixture.parquet_files().len(), 1);
    let fixture = fixture.restart();
    assert_eq!(fixture.csv("SELECT f FROM m").await, "f\n2.0\n");
}
