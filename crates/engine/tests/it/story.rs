//! Written points are answered at once, after a restart, and from files.

use rescind_engine::Format;

use crate::fixture::Fixture;

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
