use crate::stub::{Answer, Asked, Ctl, Stub, cluster_path};

fn table(id: i64, name: &str, more: &str) -> String {
    format!(
        r#"{{"id":{id},"databaseName":"my/db","name":"{name}","maxColumns":250,"status":"active",
        "createdAt":"2024-01-01T00:00:00.000Z"{more}}}"#
    )
}

fn answer(asked: &Asked) -> Answer {
    let path = asked
        .target
        .replace(&cluster_path("/databases/my%2Fdb/tables"), "");
    let deleted = r#","deletedAt":"2024-02-02T00:00:00.000Z""#;
    match (asked.method.as_str(), path.as_str()) {
        ("GET", "?status=active") => Answer::json(
            200,
            format!("[{},{}]", table(9, "air", ""), table(101, "odd table", "")),
        ),
        ("GET", "?status=deleted") => Answer::json(200, format!("[{}]", table(4, "old", deleted))),
        ("POST", "") => Answer::json(200, r#"{"databaseName":"my/db","name":"air"}"#),
        ("PUT", "/odd%20table/rename") => Answer::json(200, table(101, "even", "")),
        ("PUT", "/4/undelete") => Answer::json(200, table(4, "old", "")),
        ("DELETE", "/odd%20table") => Answer::done(),
        _ => Answer::error(404, "not found"),
    }
}

#[test]
fn tables_are_managed() {
    let stub = Stub::serve(answer);
    let ctl = Ctl::new(stub.port);
    let mut text = String::new();
    for arguments in [
        ["table", "create", "my/db", "air"].as_slice(),
        &[
            "table",
            "create",
            "my/db",
            "air",
            "--template-timeformat",
            "%Y-%m",
            "--template-tag",
            "room",
        ],
        &["table", "list", "my/db"],
        &["table", "list", "my/db", "--format", "json"],
        &["table", "list", "my/db", "--filter-status", "deleted"],
        &[
            "table",
            "list",
            "my/db",
            "--filter-status",
            "deleted",
            "--format",
            "json",
        ],
        &["table", "rename", "my/db", "odd table", "even"],
        &[
            "table",
            "rename",
            "my/db",
            "odd table",
            "even",
            "--format",
            "json",
        ],
        &["table", "undelete", "my/db", "4"],
        &["table", "delete", "--force", "my/db", "odd table"],
        &["table", "delete", "--force", "my/db", "missing"],
        &["table", "iceberg", "enable", "my/db", "air"],
        &["table", "iceberg", "disable", "my/db", "air"],
        &["--profile", "own", "table", "iceberg", "enable", "my/db", "air"],
    ] {
        text.push_str(&format!(
            "$ influxctl {}\n{}\n",
            arguments.join(" "),
            ctl.run(arguments).text()
        ));
    }
    insta::assert_snapshot!(text);
}
