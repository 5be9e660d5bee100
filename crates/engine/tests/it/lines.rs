//! Which lines are stored, which are not, and what is said of them (contract, data-plane sections 3 and 4).

use rescind_domain::{DatabaseLimits, MaxColumns, MaxTables};
use rescind_engine::{ColumnKind, LineErrors, Precision, Write, WriteError};

use crate::fixture::{Fixture, lines_of};

async fn rejected(fixture: &Fixture, write: Write) -> LineErrors {
    match fixture.try_write(write).await {
        Err(WriteError::Rejected(errors)) => errors,
        other => panic!("not rejected: {other:?}"),
    }
}

#[tokio::test]
async fn good_lines_are_stored_and_bad_ones_named() {
    let fixture = Fixture::new();
    fixture.write("m,t=a f=1.5,i=1i 1").await;
    let lines = "\
# a comment

m,t=a f=2 2
,t=a f=1 3
m,t=a f=1i 4
m,t=a f=3 x
m,f=a g=1 5
m,t=a t=1 6
m,t=a f=1,f=2 7
m,time=a f=1 8
m,t=a time=1 9
m,t= f=1 10
m,t=a f=nan 11
m,t=a f=1e999 12
m,t=a 13
m,t=a i=9223372036854775808i 14
m,t=a f=1 9223372036854775807
iox_m f=1 15
m,t=a f=9 16
";
    let errors = rejected(&fixture, lines_of(lines)).await;
    assert_eq!(errors.total, 15);
    assert_eq!(errors.stored_lines, 2);
    insta::assert_snapshot!(errors.to_string());
    assert_eq!(
        fixture.csv("SELECT time, f FROM m ORDER BY time").await,
        "time,f\n\
         1970-01-01T00:00:00.000000001,1.5\n\
         1970-01-01T00:00:00.000000002,2.0\n\
         1970-01-01T00:00:00.000000016,9.0\n"
    );
    // Rejected lines leave no column behind.
    let columns = fixture.engine.table_columns(fixture.database.table("m"));
    let columns: Vec<_> = columns
        .iter()
        .map(|column| (&*column.name, column.kind))
        .collect();
    assert_eq!(
        columns,
        [
            ("time", ColumnKind::Time),
            ("t", ColumnKind::Tag),
            ("f", ColumnKind::Float),
            ("i", ColumnKind::Integer)
        ]
    );
}

#[tokio::test]
async fn without_partial_writes_one_bad_line_stores_nothing() {
    let fixture = Fixture::new();
    let write = Write {
        accept_partial: false,
        ..lines_of("new f=1 1\nnew f=bad 2")
    };
    let errors = rejected(&fixture, write).await;
    assert_eq!((errors.total, errors.stored_lines), (1, 0));
    assert_eq!(errors.first[0].line_number, 2);
    assert_eq!(errors.first[0].original, "new f=bad 2");
    assert!(fixture.database.view().tables.is_empty());
    assert_eq!(fixture.engine.stats().log_bytes, 0);
}

#[tokio::test]
async fn a_table_named_by_bad_lines_only_is_not_made() {
    let fixture = Fixture::new();
    let errors = rejected(&fixture, lines_of("good f=1 1\nbad f=1i,f=1i 1")).await;
    assert_eq!(errors.stored_lines, 1);
    let names: Vec<_> = fixture
        .database
        .view()
        .tables
        .keys()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["good"]);
}

#[tokio::test]
async fn empty_writes_are_refused() {
    let fixture = Fixture::new();
    for lines in ["", "\n\n", "# only a comment\n", "   \n\t\n"] {
        let result = fixture.try_write(lines_of(lines)).await;
        assert!(matches!(result, Err(WriteError::Empty)), "{lines:?}: {result:?}");
    }
}

#[tokio::test]
async fn every_precision_means_the_same_moment() {
    let fixture = Fixture::new();
    for (precision, timestamp) in [
        (Precision::Nanoseconds, 1_699_999_200_000_000_000_i64),
        (Precision::Microseconds, 1_699_999_200_000_000),
        (Precision::Milliseconds, 1_699_999_200_000),
        (Precision::Seconds, 1_699_999_200),
        (Precision::Minutes, 28_333_320),
        (Precision::Hours, 472_222),
        (Precision::Auto, 1_699_999_200),
    ] {
        let unit = precision.unit();
        let write = Write {
            precision,
            ..lines_of(format!("m,unit={unit} f=1 {timestamp}"))
        };
        fixture.try_write(write).await.expect("stored");
    }
    let fixture = fixture.restart();
    assert_eq!(
        fixture
            .csv("SELECT DISTINCT time, count(*) AS n FROM m GROUP BY time")
            .await,
        "time,n\n2023-11-14T22:00:00,7\n"
    );
}

#[tokio::test]
async fn a_line_without_time_has_the_time_of_the_write_even_after_a_restart() {
    let fixture = Fixture::new();
    fixture.write("m f=1").await;
    fixture.clock.set_nanos(0);
    let fixture = fixture.restart();
    assert_eq!(
        fixture.csv("SELECT * FROM m").await,
        "f,time\n1.0,2023-11-14T22:13:20\n"
    );
}

#[tokio::test]
async fn limits_of_tables_and_columns_hold() {
    let limits = DatabaseLimits {
        max_tables: MaxTables::new(2).expect("in range"),
        max_columns: MaxColumns::new(4).expect("in range"),
        ..DatabaseLimits::default()
    };
    let fixture = Fixture::with(limits, |_| {});
    let errors = rejected(
        &fixture,
        lines_of("a,t=x f=1 1\na,t=x f=1,g=2 2\na,u=y f=1,h=1 3"),
    )
    .await;
    assert_eq!((errors.total, errors.stored_lines), (1, 2));
    assert_eq!(
        errors.to_string(),
        "error parsing line 3 (1-based): column 'u' would be one more than the limit of 4 columns of table 'a'"
    );
    let result = fixture.try_write(lines_of("b f=1 1\nc f=1 1")).await;
    assert!(
        matches!(result, Err(WriteError::TooManyTables { max: 2 })),
        "{result:?}"
    );
    fixture.write("b f=1 1").await;
}

#[tokio::test]
async fn names_and_values_have_bounded_lengths() {
    let fixture = Fixture::new();
    let long = "x".repeat((64 << 10) + 1);
    let text = "x".repeat((1 << 20) + 1);
    let lines = format!("m,{long}=a f=1 1\nm,t={long} f=1 2\nm {long}=1 3\nm f=\"{text}\" 4\n{long} f=1 5");
    let errors = rejected(&fixture, lines_of(lines)).await;
    assert_eq!(errors.total, 5);
    for error in &errors.first {
        assert!(
            error.original.len() <= 256 && error.message.len() <= 512,
            "{}",
            error.message.len()
        );
    }
    let fits = format!("m,{}=a f=\"{}\" 1", &long[1..], &text[1..]);
    fixture.write(&fits).await;
}

#[tokio::test]
async fn hostile_bodies_are_told_and_bounded() {
    let fixture = Fixture::new();
    let mut lines = b"good f=1 1\nm,t=\xff\xfe f=1 2\n".to_vec();
    lines.extend(b"m f=1,".iter().copied().cycle().take(50 << 20));
    lines.extend(b"\ngood f=2 3\n");
    let errors = rejected(&fixture, lines_of(lines)).await;
    let told: Vec<_> = errors
        .first
        .iter()
        .map(|error| (error.line_number, error.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "invalid UTF-8 at byte 4 of the line"),
            (3, "the line is longer than 8388608 bytes")
        ]
    );
    assert_eq!(errors.stored_lines, 2);

    let many = "bad\n".repeat(10_000);
    let errors = rejected(&fixture, lines_of(many)).await;
    assert_eq!((errors.total, errors.first.len()), (10_000, 100));

    let columns: String = (0..2_000).map(|column| format!("c{column}=1,")).collect();
    let errors = rejected(&fixture, lines_of(format!("wide {columns}z=1 1"))).await;
    assert_eq!(errors.total, 1);
}

#[tokio::test]
async fn odd_but_valid_lines_are_stored() {
    let fixture = Fixture::new();
    fixture
        .write("m\\ x,t\\,g=a\\ b s=\"two\nlines \\\" q\",b=T -1\r\nm\\ x,\"q\"=\"v\" s=\"\",b=FALSE -2")
        .await;
    assert_eq!(
        fixture.csv("SELECT * FROM \"m x\" ORDER BY time").await,
        "\"\"\"q\"\"\",b,s,\"t,g\",time\n\
         \"\"\"v\"\"\",false,,,1969-12-31T23:59:59.999999998\n\
         ,true,\"two\nlines \"\" q\",a b,1969-12-31T23:59:59.999999999\n"
    );
}

#[tokio::test]
async fn concurrent_first_writes_agree_on_columns() {
    let fixture = std::sync::Arc::new(Fixture::new());
    let tasks: Vec<_> = (0..32)
        .map(|task| {
            let fixture = std::sync::Arc::clone(&fixture);
            let field = if task % 2 == 0 { "1i" } else { "1" };
            let lines = format!("m,task=t{task} f={field},own{task}=1 {task}");
            tokio::spawn(async move { fixture.try_write(lines_of(lines)).await.is_ok() })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        stored += usize::from(task.await.expect("ran"));
    }
    // Whichever type came first won, and all of the other were rejected.
    assert_eq!(stored, 16);
    assert_eq!(fixture.csv("SELECT count(*) AS n FROM m").await, "n\n16\n");
}

#[tokio::test]
async fn the_whole_range_of_times_is_kept() {
    let fixture = Fixture::new();
    let (first, last) = (Precision::MIN_NANOS, Precision::MAX_NANOS);
    // Points of more days than a round makes files.
    let mut lines = format!("m f=-1i {first}\nm f=1i {last}\n");
    for day in 0..40_i64 {
        lines.push_str(&format!("m f={day}i {}\n", day * 86_400_000_000_000 * 30));
    }
    fixture.write(&lines).await;
    let sql = "SELECT count(*) AS n, sum(f) AS f, min(time) AS first, max(time) AS last FROM m";
    let answer = "n,f,first,last\n42,780,1677-09-21T00:12:43.145224194,2262-04-11T23:47:16.854775806\n";
    assert_eq!(fixture.csv(sql).await, answer);
    fixture.engine.persist().await.expect("persisted");
    assert_eq!(fixture.csv(sql).await, answer);
    assert!(fixture.parquet_files().len() <= 16);
    fixture.write(&lines).await;
    assert_eq!(fixture.csv(sql).await, answer);
    fixture.engine.persist().await.expect("persisted");
    fixture.engine.compact().await.expect("compacted");
    let fixture = fixture.restart();
    assert_eq!(fixture.csv(sql).await, answer);
    assert!(fixture.parquet_files().len() <= 16);
}
