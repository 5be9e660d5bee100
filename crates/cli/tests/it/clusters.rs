use crate::stub::{ACCOUNT, Answer, CLUSTER, Ctl, Stub, account_path};

#[test]
fn clusters_are_shown() {
    let cluster = format!(
        r#"{{"id":"{CLUSTER}","accountId":"{ACCOUNT}","name":"Internal - Cluster 1","state":"ready",
        "url":"{CLUSTER}.a.influxdb.io","createdAt":"2023-12-21T17:32:28.500Z","category":1}}"#
    );
    let account = format!(r#"[{{"id":"{ACCOUNT}","name":"main","createdAt":"2024-01-01T00:00:00.000Z"}}]"#);
    let stub = Stub::serve(move |asked| match asked.target.as_str() {
        "/api/v0/accounts" => Answer::json(200, account.clone()),
        target if target == account_path("/clusters") => Answer::json(200, format!("[{cluster}]")),
        target if target.ends_with(CLUSTER) => Answer::json(200, cluster.clone()),
        _ => Answer::error(404, "no such cluster"),
    });
    let ctl = Ctl::new(stub.port);
    let mut text = String::new();
    for arguments in [
        ["cluster", "get", CLUSTER].as_slice(),
        &["cluster", "get", CLUSTER, "--format", "json"],
        &["cluster", "get", ACCOUNT],
        &["cluster", "list"],
        &["cluster", "list", "--format", "json"],
        &["--profile", "own", "cluster", "get", CLUSTER],
        &["--profile", "own", "cluster", "list"],
    ] {
        text.push_str(&format!(
            "$ influxctl {}\n{}\n",
            arguments.join(" "),
            ctl.run(arguments).text()
        ));
    }
    insta::assert_snapshot!(text);
}
