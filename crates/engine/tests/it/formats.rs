//! The forms of results (contract, core-wire section 5).

use rescind_engine::{Format, Param, Query, QueryError};

use crate::fixture::Fixture;

const FORMATS: [Format; 4] = [Format::Json, Format::JsonLines, Format::Csv, Format::Pretty];

async fn filled() -> Fixture {
    let fixture = Fixture::new();
    let lines = "\
m,t=a f=1,i=-1i,u=18446744073709551615u,s=\"say \\\"hi\\\", ok\",b=true 1700000000123456789
m,t=b f=1e16 1700000000123000000
m f=0.5,b=f 1700000000000000000
";
    fixture.write(lines).await;
    fixture
}

async fn in_all_forms(fixture: &Fixture, sql: &str) -> String {
    let mut text = String::new();
    for format in FORMATS {
        let result = fixture.try_sql(sql, format).await.expect("answered");
        text.push_str(&format!("--- {}\n{result}\n", format.content_type()));
    }
    text
}

#[tokio::test]
async fn rows_in_every_form() {
    let fixture = filled().await;
    insta::assert_snapshot!(in_all_forms(&fixture, "SELECT * FROM m ORDER BY time").await);
    fixture.engine.persist().await.expect("persisted");
    insta::assert_snapshot!(
        "rows_in_every_form",
        in_all_forms(&fixture, "SELECT * FROM m ORDER BY time").await
    );
}

#[tokio::test]
async fn odd_numbers_in_every_form() {
    let fixture = Fixture::new();
    let sql = "SELECT cast('NaN' AS DOUBLE) AS nan, cast('inf' AS DOUBLE) AS inf, \
               cast('-inf' AS DOUBLE) AS ninf, 1e16 AS big, NULL AS nothing, 2.0 AS two";
    insta::assert_snapshot!(in_all_forms(&fixture, sql).await);
}

#[tokio::test]
async fn empty_results_in_every_form() {
    let fixture = filled().await;
    let sql = "SELECT * FROM m WHERE t = 'none'";
    for (format, expected) in [
        (Format::Json, "[]"),
        (Format::JsonLines, ""),
        (Format::Csv, ""),
        (Format::Pretty, "++\n++"),
    ] {
        assert_eq!(
            fixture.try_sql(sql, format).await.expect("answered"),
            expected,
            "{format:?}"
        );
    }
    let query = Query {
        sql: sql.to_owned(),
        ..Query::default()
    };
    assert_eq!(
        fixture.try_query(query, Format::Parquet).await.expect("answered"),
        b""
    );
}

#[tokio::test]
async fn a_parquet_result_reads_back() {
    let fixture = filled().await;
    let query = Query {
        sql: "SELECT * FROM m ORDER BY time".to_owned(),
        ..Query::default()
    };
    let bytes = fixture.try_query(query, Format::Parquet).await.expect("answered");
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))
            .expect("a Parquet file");
    let fields: Vec<String> = reader
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let kind = field.metadata().get("iox::column::type").map(String::as_str);
            format!(
                "{} {} {}",
                field.name(),
                field.data_type(),
                kind.unwrap_or_default()
            )
        })
        .collect();
    insta::assert_snapshot!(fields.join("\n"));
    let rows: usize = reader
        .build()
        .expect("rows")
        .map(|batch| batch.expect("a batch").num_rows())
        .sum();
    assert_eq!(rows, 3);
}

#[tokio::test]
async fn parameters_are_values_and_never_text() {
    let fixture = filled().await;
    let ask = |tag: Param| Query {
        sql: "SELECT f FROM m WHERE t = $tag AND f > $least ORDER BY f".to_owned(),
        params: [
            ("tag".to_owned(), tag),
            ("least".to_owned(), Param::Float(0.0)),
            ("unused".to_owned(), Param::Boolean(true)),
        ]
        .into(),
    };
    let answer = |tag: Param| fixture.try_query(ask(tag), Format::Csv);
    assert_eq!(
        answer(Param::String("a".to_owned())).await.expect("answered"),
        b"f\n1.0\n"
    );
    assert_eq!(
        answer(Param::String("a' OR 'a' = 'a".to_owned()))
            .await
            .expect("answered"),
        b""
    );
    assert_eq!(answer(Param::Null).await.expect("answered"), b"");
    let missing = Query {
        sql: "SELECT f FROM m WHERE t = $tag".to_owned(),
        ..Query::default()
    };
    let missing = fixture.try_query(missing, Format::Csv).await;
    assert!(matches!(missing, Err(QueryError::Invalid(_))), "{missing:?}");
}

#[tokio::test]
async fn a_failure_after_the_first_rows_ends_the_stream_with_it() {
    let fixture = Fixture::new();
    let divided = fixture
        .try_sql(
            "SELECT 1 / (v - 50000) FROM generate_series(1, 100000) AS g(v)",
            Format::Json,
        )
        .await;
    assert!(
        matches!(&divided, Err(QueryError::Failed(why)) if why.contains("zero")),
        "{divided:?}"
    );
}

#[tokio::test]
async fn mistakes_are_told() {
    let fixture = filled().await;
    let mut told = String::new();
    for sql in [
        "SELECT nope FROM m",
        "SELECT * FROM nope",
        "SELEC 1",
        "SELECT 1 +",
        "SELECT f + 'x' FROM m",
        "SELECT nope(1)",
    ] {
        match fixture.try_sql(sql, Format::Json).await {
            Err(QueryError::Invalid(message)) => told.push_str(&format!("{sql}\n  {message}\n")),
            other => told.push_str(&format!("{sql}\n  {other:?}\n")),
        }
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn typed_lines_keep_types() {
    let fixture = filled().await;
    let mut told = String::new();
    for sql in [
        "SELECT * FROM m ORDER BY time",
        "SELECT * FROM m WHERE t = 'none'",
        "SELECT t AS room, upper(t) AS made, s, count(*) AS n, max(u) AS u, avg(f) AS mean FROM m \
         GROUP BY t, s ORDER BY t",
        "SELECT cast('NaN' AS DOUBLE) AS nan, cast('inf' AS DOUBLE) AS inf, cast('-inf' AS DOUBLE) AS ninf, \
         1e16 AS big, 2.0 AS two, cast(0.1 AS REAL) AS small, NULL AS nothing, f IS NULL AS b, -1 AS i \
         FROM m WHERE t = 'a'",
        "SELECT date_bin(INTERVAL '1 day', time) AS day, to_timestamp_seconds(1) AS s, \
         to_timestamp_millis(-1) AS ms, cast(time AS TIMESTAMP WITH TIME ZONE) AS zoned, \
         cast(time AS DATE) AS date, INTERVAL '1 hour' AS span, cast(1.50 AS DECIMAL(9, 2)) AS d \
         FROM m WHERE t = 'a'",
        "SELECT arrow_cast(1, 'UInt8') AS u8, arrow_cast(-1, 'Int16') AS i16, s AS \"say \"\"s\"\"\" FROM m ORDER BY time LIMIT 1",
    ] {
        match fixture.try_sql(sql, Format::TypedJsonLines).await {
            Ok(lines) => told.push_str(&format!("--- {sql}\n{lines}")),
            Err(error) => told.push_str(&format!("--- {sql}\n{error:?}\n")),
        }
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn typed_lines_name_the_columns_once() {
    let fixture = Fixture::new();
    let sql = "SELECT v FROM generate_series(1, 50000) AS g(v)";
    let lines = fixture
        .try_sql(sql, Format::TypedJsonLines)
        .await
        .expect("answered");
    assert!(
        lines.starts_with("{\"columns\":[{\"name\":\"v\",\"type\":\"integer\"}]}\n["),
        "{}",
        &lines[..60]
    );
    assert_eq!(lines.matches("columns").count(), 1);
    assert_eq!(lines.lines().count(), 50_001);
}
