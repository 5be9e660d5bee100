use std::io::Read;

use crate::stub::{Answer, Asked, Ctl, Stub};

fn unpacked(asked: &Asked) -> String {
    let mut text = String::new();
    if asked.header("content-encoding") == Some("gzip") {
        flate2::read::GzDecoder::new(asked.body.as_slice())
            .read_to_string(&mut text)
            .expect("gzip");
    } else {
        text = String::from_utf8(asked.body.clone()).expect("UTF-8");
    }
    text
}

fn rows(asked: &Asked) -> Answer {
    let text = unpacked(asked);
    let columns = concat!(
        r#"{"columns":[{"name":"co","type":"integer"},{"name":"hum","type":"float"},{"name":"never","type":"float"},"#,
        r#"{"name":"note","type":"string"},{"name":"room","type":"tag"},{"name":"temp","type":"float"},"#,
        r#"{"name":"time","type":"timestamp"}]}"#
    );
    if text.contains("nothing") {
        return Answer::new(200, "application/jsonl", format!("{columns}\n"));
    }
    if text.contains("other product") {
        let why = "serde error: unknown variant `typed_jsonl`, expected one of `csv`, `json`, `jsonl`";
        return Answer::new(400, "text/plain", why);
    }
    if text.contains("nonsense") {
        return Answer::new(
            400,
            "text/plain",
            "Error while planning query: no such table: nonsense\n",
        );
    }
    Answer::new(
        200,
        "application/jsonl",
        format!(
            "{columns}\n{}\n{}\n",
            r#"[0,35.9,null,"2026-01-01T00:00:00","Kitchen",21.0,1641024000000000000]"#,
            r#"[0,36.2,null,"a\nb","Living Room",21.4,1641024000000000001]"#,
        ),
    )
}

#[test]
fn rows_are_shown() {
    let stub = Stub::serve(rows);
    let ctl = Ctl::new(stub.port);
    let mut text = String::new();
    for arguments in [
        ["query", "SELECT * FROM home"].as_slice(),
        &["query", "--format", "json", "SELECT * FROM home"],
        &["query", "--time-format", "unixnano", "SELECT * FROM home"],
        &["query", "SELECT nothing"],
        &["query", "SELECT nothing", "--format", "json"],
        &["query", "SELECT nonsense", "--timeout", "10s"],
        &["query", "SELECT 'other product'"],
        &["query", "  "],
    ] {
        text.push_str(&format!(
            "$ influxctl {}\n{}\n",
            arguments.join(" "),
            ctl.run(arguments).text()
        ));
    }
    insta::assert_snapshot!(text);
    let asked = &stub.asked()[0];
    assert_eq!(asked.target, "/api/v3/query_sql");
    assert_eq!(asked.header("authorization"), Some("Bearer apiv1_databasesecret"));
    assert_eq!(
        unpacked(asked),
        r#"{"db":"home","q":"SELECT * FROM home","format":"typed_jsonl"}"#
    );
}

#[test]
fn a_query_is_text_or_a_file_or_stdin() {
    let stub = Stub::serve(rows);
    let ctl = Ctl::new(stub.port);
    ctl.file("query.sql", "SELECT 1\n");
    let text = ctl.run(&["query", "SELECT 1\n"]).stdout;
    assert_eq!(ctl.run(&["query", "query.sql"]).stdout, text);
    assert_eq!(ctl.run_with(&["query", "-"], "SELECT 1\n").stdout, text);
    let bodies: Vec<String> = stub.asked().iter().map(unpacked).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
}

#[test]
fn a_query_that_breaks_off_is_no_result() {
    let columns = r#"{"columns":[{"name":"a","type":"integer"}]}"#;
    for (body, why) in [
        (format!("{columns}\n[1]\n["), "broke off"),
        (
            "{\"a\":1}\n{\"a\":2}\n".to_owned(),
            "does not answer like Rescind",
        ),
        (String::new(), "does not answer like Rescind"),
    ] {
        let stub = Stub::serve(move |_| Answer::new(200, "application/jsonl", body.clone()));
        let ended = Ctl::new(stub.port).run(&["query", "SELECT 1/0"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
}

#[test]
fn flags_override_the_profile() {
    let stub = Stub::serve(rows);
    let ctl = Ctl::new(stub.port);
    ctl.run(&["query", "x", "--database", "other", "--token", "apiv1_other"]);
    ctl.run(&[
        "write",
        "m f=1",
        "--database",
        "a/b",
        "--token",
        "apiv1_other",
        "--precision",
        "ms",
    ]);
    let asked = stub.asked();
    assert!(unpacked(&asked[0]).contains(r#""db":"other""#));
    assert_eq!(asked[1].target, "/api/v3/write_lp?db=a%2Fb&precision=millisecond");
    for one in asked {
        assert_eq!(one.header("authorization"), Some("Bearer apiv1_other"));
    }
}

#[test]
fn lines_are_written_in_batches() {
    let stub = Stub::serve(|_| Answer::done());
    let ctl = Ctl::new(stub.port);
    let lines: String = (0..250).map(|n| format!("m,t=a f={n} {n}\n")).collect();
    ctl.file("points.lp", &lines);
    let file = ctl.run(&["write", "points.lp", "--batch-size", "100", "--timeout", "10"]);
    assert_eq!(
        (file.code, file.stdout.as_str(), file.stderr.as_str()),
        (0, "", "")
    );
    let asked = stub.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0].header("content-encoding"), Some("gzip"));
    assert_eq!(asked.iter().map(unpacked).collect::<String>(), lines);
    assert_eq!(asked[0].target, "/api/v3/write_lp?db=home&precision=nanosecond");

    assert_eq!(ctl.run_with(&["write", "-"], &lines).code, 0);
    assert_eq!(unpacked(&stub.asked()[3]), lines);
    assert_eq!(ctl.run(&["write", "m f=1 1"]).code, 0);
    assert_eq!(unpacked(&stub.asked()[4]), "m f=1 1");
}

#[test]
fn a_refused_batch_names_its_lines_and_what_was_written() {
    let stub = Stub::serve(|asked| {
        let text = unpacked(asked);
        let lines = (1..).zip(text.lines());
        let refused: Vec<String> = lines
            .filter(|(_, line)| line.contains("f=x"))
            .map(|(number, line)| {
                format!(r#"{{"line_number":{number},"error_message":"invalid field value","original_line":"{line}"}}"#)
            })
            .take(100)
            .collect();
        let all = refused.join(",");
        match refused.first() {
            None => Answer::done(),
            Some(first) if text.contains("strict") => Answer::json(
                400,
                format!(r#"{{"error":"line protocol parsing error","data":{first}}}"#),
            ),
            Some(_) if text.contains("old") => Answer::json(
                422,
                format!(r#"{{"error":"outside the retention period","data":[{all}]}}"#),
            ),
            Some(_) => Answer::json(
                400,
                format!(r#"{{"error":"partial write of line protocol occurred","data":[{all}]}}"#),
            ),
        }
    });
    let ctl = Ctl::new(stub.port);
    let input = "m f=1\nm f=2\n\nm f=3\nm f=x\nm f=5\n";
    let mut text = String::new();
    for (arguments, input) in [
        (["write", "-", "--batch-size", "2"].as_slice(), input),
        (&["write", "-"], "m f=0\nm f=x\n"),
        (&["write", "-"], "# one\nm f=x\n\n"),
        (&["write", "-"], "m f=x\nm f=x\n"),
        (&["write", "-"], "m f=1\nm f=2\nm f=x\n"),
        (&["write", "-"], "strict f=1\nm f=x\n"),
        (&["write", "-"], "old f=1\nm f=x\n"),
        (&["write", "-"], &("m f=1\n".to_owned() + &"m f=x\n".repeat(101))),
        (&["write", "-"], &"m f=x\n".repeat(100)),
        (&["write", "-"], "\n# nothing\n"),
        (&["write", "missing.lp"], ""),
    ] {
        text.push_str(&format!(
            "$ influxctl {}\n{}\n",
            arguments.join(" "),
            ctl.run_with(arguments, input).text()
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn database_and_token_must_come_from_somewhere() {
    let config = "[[profile]]\nname = \"default\"\nproduct = \"clustered\"\nhost = \"localhost\"\n";
    let ctl = Ctl::with_config(0, config);
    let without_database = ctl.run(&["query", "x"]).text();
    let without_token = ctl.run(&["write", "m f=1", "--database", "d"]).text();
    insta::assert_snapshot!(without_database + &without_token);
}
