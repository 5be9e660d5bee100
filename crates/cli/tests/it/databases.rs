use crate::stub::{ACCOUNT, Answer, Asked, CLUSTER, Ctl, Stub, cluster_path};

fn database(id: Option<i64>, name: &str, retention: i64, more: &str) -> String {
    let id = id.map(|id| format!(r#""id":{id},"#)).unwrap_or_default();
    format!(
        r#"{{{id}"accountId":"{ACCOUNT}","clusterId":"{CLUSTER}","name":"{name}","maxTables":500,
        "maxColumnsPerTable":250,"retentionPeriod":{retention}{more}}}"#
    )
}

fn details(id: i64, name: &str, retention: i64, deleted: Option<&str>) -> String {
    let status = if deleted.is_some() { "deleted" } else { "active" };
    let deleted = deleted
        .map(|at| format!(r#","deletedAt":"{at}""#))
        .unwrap_or_default();
    let more = format!(r#","status":"{status}","createdAt":"2024-01-01T00:00:00.000Z"{deleted}"#);
    database(Some(id), name, retention, &more)
}

fn answer(asked: &Asked) -> Answer {
    let path = asked.target.replace(&cluster_path("/databases"), "");
    match (asked.method.as_str(), path.as_str()) {
        ("GET", "?details=true&status=active") => {
            let list = [
                details(7, "mydb1", 0, None),
                details(12, "my/db2", 86_400_000_000_000, None),
            ];
            Answer::json(200, format!("[{}]", list.join(",")))
        }
        ("GET", "?details=true&status=deleted") => {
            let list = [
                details(3, "old", 0, Some("2024-02-02T00:00:00.000Z")),
                details(2, "old", 0, Some("2024-02-01T00:00:00.000Z")),
            ];
            Answer::json(200, format!("[{}]", list.join(",")))
        }
        ("POST", "") => Answer::json(200, database(None, "mydb1", 0, "")),
        ("PATCH", "/my%2Fdb2") => Answer::json(200, database(None, "my/db2", 216_000_000_000_000, "")),
        ("PUT", "/mydb1/rename") => Answer::json(200, database(Some(7), "new", 0, "")),
        ("PUT", "/3/undelete") => Answer::json(200, database(Some(3), "old", 0, "")),
        ("DELETE", "/my%2Fdb2") => Answer::done(),
        _ => Answer::error(404, "no such database"),
    }
}

#[test]
fn databases_are_managed() {
    let stub = Stub::serve(answer);
    let ctl = Ctl::new(stub.port);
    let mut text = String::new();
    for arguments in [
        ["database", "create", "mydb1"].as_slice(),
        &[
            "database",
            "create",
            "--retention-period",
            "30d30d",
            "--max-tables",
            "0",
            "--max-columns",
            "1000",
            "--template-tag",
            "room",
            "--template-tag-bucket",
            "sensor,100",
            "--template-timeformat",
            "%Y",
            "mydb1",
        ],
        &["database", "list"],
        &["database", "list", "--format", "json"],
        &["database", "list", "--filter-status", "deleted"],
        &["database", "update", "my/db2", "--retention-period", "2.5d"],
        &["database", "rename", "mydb1", "new"],
        &["database", "undelete", "old"],
        &["database", "undelete", "never"],
        &["database", "delete", "--force", "my/db2", "missing"],
    ] {
        text.push_str(&format!(
            "$ influxctl {}\n{}\n",
            arguments.join(" "),
            ctl.run(arguments).text()
        ));
    }
    insta::assert_snapshot!(text);
    let bodies: Vec<String> = stub
        .asked()
        .iter()
        .filter(|asked| !asked.body.is_empty())
        .map(|asked| String::from_utf8_lossy(&asked.body).into_owned())
        .collect();
    insta::assert_snapshot!(bodies.join("\n"));
}
