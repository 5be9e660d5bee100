//! Written points are answered at once, after a restart, and from files.

use rescind_engine::Format;

use crate::fixture::{Fixture, NOW};

const LINES: &str = "\
cpu,host=a,region=eu usage=0.5,idle=3i 1700000000000000000
cpu,host=b usage=1,ok=t,note=\"fine, thanks\" 1700000001000000000
mem,host=a used=18446744073709551615u 1700000000123000000
";

const ANSWER: &str = "\
host,idle,note,ok,region,time,usage
a,3,,,eu,2023-11-14T22:13:20,0.5
b,,\"fine, thanks\",true,,2023-11-14T22:13:21,1.0
";

#[tokio::test]
async fn what_was_written_is_answered_before_and_after_a_restart_and_from_files() {
    let fixture = Fixture::new();
    fixture.write(LINES).await;
    let sql = "SELECT * FROM cpu ORDER BY time";
    assert_eq!(fixture.csv(sql).await, ANSWER);

    let fixture = fixture.restart();
    assert_eq!(fixture.csv(sql).await, ANSWER);

    fixture.engine.persist().await.expect("persisted");
    assert_eq!(fixture.csv(sql).await, ANSWER);
    assert_eq!(fixture.engine.stats().buffer_bytes, 0);
    assert_eq!(fixture.engine.stats().files, 2);

    let fixture = fixture.restart();
    assert_eq!(fixture.csv(sql).await, ANSWER);
    let json = fixture
        .try_sql("SELECT * FROM mem", Format::Json)
        .await
        .expect("answered");
    assert_eq!(
        json,
        r#"[{"host":"a","time":"2023-11-14T22:13:20.123","used":18446744073709551615}]"#
    );
}

#[tokio::test]
async fn filters_spare_files_and_rows() {
    const DAY: i64 = 86_400_000_000_000;
    let fixture = Fixture::new();
    for day in 0..3 {
        let lines = format!("m,t=a f=1,g=1i {time}\nm,t=b f=2 {time}", time = NOW + day * DAY);
        fixture.write(&lines).await;
        fixture.engine.persist().await.expect("persisted");
    }
    let filtered = "SELECT f FROM m WHERE time >= '2023-11-15T00:00:00Z' AND t = 'a'";
    let plan = fixture.csv(&format!("EXPLAIN FORMAT INDENT {filtered}")).await;
    assert!(!plan.contains("00000000000000000001.parquet"), "{plan}");
    assert!(plan.contains("00000000000000000002.parquet"), "{plan}");
    assert!(plan.contains("projection=[f, t, time]"), "{plan}");
    assert!(plan.contains("t_min") && plan.contains("time_max"), "{plan}");
    assert!(!plan.contains("DeduplicateExec"), "{plan}");
    assert_eq!(fixture.csv(filtered).await, "f\n1.0\n1.0\n");

    // A point written again needs merging with the file of its day, and with no other.
    fixture.write(&format!("m,t=a f=3 {NOW}")).await;
    let plan = fixture.csv("EXPLAIN FORMAT INDENT SELECT f FROM m").await;
    assert!(plan.contains("DeduplicateExec: groups=1"), "{plan}");
    assert!(!plan.contains("00000000000000000001.parquet"), "{plan}");
    assert!(plan.contains("00000000000000000002.parquet"), "{plan}");
    assert_eq!(
        fixture.csv("SELECT sum(f) AS f FROM m WHERE t = 'a'").await,
        "f\n5.0\n"
    );
}
