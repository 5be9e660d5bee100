//! What a query cannot reach (contract, core-wire section 0).

use rescind_domain::{Action, DatabaseLimits};
use rescind_engine::{Format, Query, QueryError, WriteError};

use crate::fixture::{Fixture, TestDatabase, lines_of};

async fn two_databases() -> (Fixture, TestDatabase) {
    let fixture = Fixture::new();
    fixture.write("ma f=1 1").await;
    let other = TestDatabase::new(2, "dbb", DatabaseLimits::default());
    let permit = other.permit(Action::Write, fixture.tether.clone());
    fixture
        .engine
        .write(&permit, other.view(), lines_of("mb f=2 2"), &other)
        .await
        .expect("stored");
    (fixture, other)
}

#[tokio::test]
async fn no_name_reaches_another_database() {
    let (fixture, other) = two_databases().await;
    let id = other.table("mb");
    for table in [
        "mb",
        "dbb.mb",
        "dbb.iox.mb",
        "public.dbb.mb",
        "home.iox.ma",
        "iox.mb",
        "public.iox.mb",
        "system.queries",
        "\"1000\"",
        "datafusion.public.mb",
    ] {
        let result = fixture
            .try_sql(&format!("SELECT * FROM {table}"), Format::Json)
            .await;
        assert!(
            matches!(result, Err(QueryError::Invalid(_))),
            "{table}: {result:?}"
        );
    }
    let union = fixture
        .try_sql("SELECT f FROM ma UNION ALL SELECT f FROM dbb.mb", Format::Json)
        .await;
    assert!(matches!(union, Err(QueryError::Invalid(_))), "{union:?}");
    for path in [
        format!("'data/{id}/00000000000000000001.parquet'"),
        "'/etc/passwd'".to_owned(),
        "'file:///etc/passwd'".to_owned(),
        "'rescind://data/2000'".to_owned(),
        "\"/etc/passwd\"".to_owned(),
    ] {
        let result = fixture
            .try_sql(&format!("SELECT * FROM {path}"), Format::Json)
            .await;
        assert!(
            matches!(result, Err(QueryError::Invalid(_))),
            "{path}: {result:?}"
        );
    }
}

#[tokio::test]
async fn listings_show_this_database_only() {
    let (fixture, _) = two_databases().await;
    for table in ["ma", "iox.ma", "public.iox.ma"] {
        assert_eq!(fixture.csv(&format!("SELECT f FROM {table}")).await, "f\n1.0\n");
    }
    let tables = "SELECT table_catalog, table_schema, table_name FROM information_schema.tables \
                  WHERE table_schema <> 'information_schema'";
    assert_eq!(
        fixture.csv(tables).await,
        "table_catalog,table_schema,table_name\npublic,iox,ma\n"
    );
    let shown = fixture.csv("SHOW TABLES").await;
    assert!(shown.contains("ma") && !shown.contains("mb"), "{shown}");
    let columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'iox'";
    assert_eq!(
        fixture.csv(columns).await,
        "column_name,data_type\nf,Float64\ntime,Timestamp(ns)\n"
    );
}

#[tokio::test]
async fn only_reading_is_offered() {
    let (fixture, _) = two_databases().await;
    for sql in [
        "CREATE TABLE x (a INT)",
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "CREATE SCHEMA x",
        "CREATE DATABASE x",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "DROP TABLE ma",
        "INSERT INTO ma SELECT * FROM ma",
        "DELETE FROM ma",
        "UPDATE ma SET f = 1",
        "COPY ma TO '/tmp/x.csv'",
        "COPY (SELECT 1) TO 'x.parquet'",
        "SET datafusion.execution.target_partitions = 9",
        "RESET datafusion.execution.target_partitions",
        "PREPARE p AS SELECT 1",
        "BEGIN",
        "EXPLAIN INSERT INTO ma SELECT * FROM ma",
        "USE dbb",
        "TRUNCATE TABLE ma",
    ] {
        let result = fixture.try_sql(sql, Format::Json).await;
        assert!(
            matches!(
                result,
                Err(QueryError::NotImplemented(_) | QueryError::Invalid(_))
            ),
            "{sql}: {result:?}"
        );
    }
    for sql in [
        "CREATE TABLE x (a INT)",
        "COPY ma TO '/tmp/x.csv'",
        "SET a.b = 9",
        "DELETE FROM ma",
    ] {
        let result = fixture.try_sql(sql, Format::Json).await;
        assert!(
            matches!(result, Err(QueryError::NotImplemented(_))),
            "{sql}: {result:?}"
        );
    }
    assert_eq!(fixture.csv("SELECT f FROM ma").await, "f\n1.0\n");
    assert_eq!(
        fixture.csv("SELECT value FROM information_schema.df_settings WHERE name = 'datafusion.execution.batch_size'").await,
        "value\n8192\n"
    );
}

#[tokio::test]
async fn one_statement_at_a_time() {
    let (fixture, _) = two_databases().await;
    for sql in [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE ma",
        "",
        ";",
        "-- nothing",
        "SELECT FROM WHERE",
        "🦀",
    ] {
        let result = fixture.try_sql(sql, Format::Json).await;
        assert!(matches!(result, Err(QueryError::Invalid(_))), "{sql}: {result:?}");
    }
    assert_eq!(fixture.csv("SELECT 1 AS one;").await, "one\n1\n");
    assert_eq!(
        fixture.csv("DESCRIBE ma").await,
        "column_name,data_type,is_nullable\nf,Float64,YES\ntime,Timestamp(ns),NO\n"
    );
    let plan = fixture.csv("EXPLAIN SELECT f FROM ma WHERE time > now()").await;
    assert!(plan.contains("physical_plan"), "{plan}");
}

#[tokio::test]
async fn a_permit_covers_its_own_action_and_database() {
    let (fixture, other) = two_databases().await;
    let view = fixture.database.view();
    let wrong = [
        fixture.database.permit(Action::Write, fixture.tether.clone()),
        other.permit(Action::Read, fixture.tether.clone()),
    ];
    for permit in &wrong {
        let query = Query {
            sql: "SELECT 1".to_owned(),
            ..Query::default()
        };
        let result = fixture.engine.query(permit, view.clone(), query).await;
        assert!(matches!(result, Err(QueryError::Misdirected)), "{result:?}");
    }
    let wrong = [
        fixture.database.permit(Action::Read, fixture.tether.clone()),
        other.permit(Action::Write, fixture.tether.clone()),
    ];
    for permit in &wrong {
        let result = fixture
            .engine
            .write(permit, view.clone(), lines_of("ma f=9 9"), &fixture.database)
            .await;
        assert!(matches!(result, Err(WriteError::Misdirected)), "{result:?}");
    }
}

#[tokio::test]
async fn an_old_name_reaches_the_table_but_is_not_listed() {
    let (fixture, _) = two_databases().await;
    fixture.database.change(|view| {
        let mut table = view.tables["ma"];
        view.tables.insert("new".parse().expect("a name"), table);
        table.is_current_name = false;
        view.tables.insert("ma".parse().expect("a name"), table);
    });
    fixture.write("ma f=2 2\nnew f=3 3").await;
    for name in ["ma", "new"] {
        assert_eq!(
            fixture.csv(&format!("SELECT count(*) AS n FROM {name}")).await,
            "n\n3\n"
        );
    }
    let listed = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'iox'";
    assert_eq!(fixture.csv(listed).await, "table_name\nnew\n");
    let fixture = fixture.restart();
    assert_eq!(fixture.csv("SELECT count(*) AS n FROM new").await, "n\n3\n");
}
