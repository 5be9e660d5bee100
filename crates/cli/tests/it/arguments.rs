use crate::stub::{Answer, Ctl, Stub, cluster_path};

const ID: &str = "33333333-3333-4333-8333-333333333333";

#[test]
fn wrong_usage_exits_2_and_says_what_is_wrong() {
    let stub = Stub::serve(|_| Answer::error(500, "must not be asked"));
    let ctl = Ctl::new(stub.port);
    let mut text = String::new();
    for arguments in [
        [].as_slice(),
        &["nonsense"],
        &["token"],
        &["token", "nonsense"],
        &["version", "now"],
        &["token", "list", "extra"],
        &["token", "create", "one", "two"],
        &["token", "create"],
        &["token", "create", ""],
        &["token", "revoke"],
        &["token", "revoke", "not-a-uuid", "--force"],
        &["management", "revoke", ID, "123"],
        &["token", "get", ID, ID],
        &["token", "update", ID],
        &["token", "create", "x", "--read-database", "a b"],
        &["token", "create", "x", "--expires-at", "tomorrow"],
        &["management", "create", "--expires-at", "2030-01-01"],
        &["management", "create", "--description", ""],
        &["token", "list", "--format", "yaml"],
        &["token", "list", "--sort", "age"],
        &["token", "list", "--timeout", "10"],
        &["token", "list", "--timeout", "0s"],
        &["--account", "x", "token", "list"],
        &["database", "create", "-x"],
        &["database", "create", "a b"],
        &["database", "create", "a", "--retention-period", "1 day"],
        &["database", "create", "a", "--template-tag", "t"],
        &["database", "create", "a", "--template-timeformat", "%H"],
        &[
            "database",
            "create",
            "a",
            "--template-timeformat",
            "%Y",
            "--template-tag-bucket",
            "t",
        ],
        &["database", "update", "a"],
        &["database", "rename", "a"],
        &["table", "undelete", "a", "name"],
        &["write", "--precision", "h", "m f=1"],
        &["write", "--batch-size", "0", "m f=1"],
        &["query", "--language", "flux", "x"],
    ] {
        let ended = ctl.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}");
        text.push_str(&format!(
            "$ influxctl {}\n{}\n",
            arguments.join(" "),
            ended.stderr
        ));
    }
    insta::assert_snapshot!(text);
    assert_eq!(stub.lines(), Vec::<String>::new());
}

#[test]
fn no_message_repeats_a_secret() {
    let secret = "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ30aB1cD2eF3gH4iJ5kL6mN7oP";
    let stub = Stub::serve(move |_| Answer::error(400, &format!("no such table: \\u001bapiv1_{secret}")));
    let ctl = Ctl::new(stub.port);
    let database = format!("apiv1_{secret}");
    let management = format!("M.V1.{secret}");
    let (d, m) = (database.as_str(), management.as_str());
    let mut text = String::new();
    for arguments in [
        ["token", "get", d].as_slice(),
        &["token", "revoke", "--force", ID, d],
        &["token", "delete", m],
        &["token", "update", d, "--description", "x"],
        &["management", "revoke", m],
        &["management", "revoke", secret],
        &["token", d],
        &[d],
        &["help", d],
        &["token", "get", ID, d],
        &["token", &format!("--{d}")],
        &["--account", d, "token", "list"],
        &["token", "list", "--timeout", d],
        &["token", "list", "--profile", d],
        &["token", "list", "--config", d],
        &["database", "delete", d],
        &["write", d],
        &["query", d],
        &["query", d, "--database", d],
    ] {
        let ended = ctl.run(arguments);
        assert!(ended.code > 0, "{arguments:?}");
        let shown = arguments.join(" ").replace(secret, "SECRET");
        assert!(!ended.text().contains(&secret[..8]), "{shown}: {}", ended.text());
        text.push_str(&format!("$ influxctl {shown}\n{}\n", ended.stderr));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn flags_stand_anywhere() {
    let stub = Stub::serve(|_| Answer::json(200, "[]"));
    let ctl = Ctl::new(stub.port);
    let other = "44444444-4444-4444-8444-444444444444";
    for arguments in [
        ["--cluster", other, "--timeout", "5s", "token", "list"],
        ["token", "--timeout", "5s", "list", "--cluster", other],
    ] {
        assert_eq!(ctl.run(&arguments).code, 0);
    }
    let asked = stub.lines();
    assert_eq!(asked[0], asked[1]);
    assert!(asked[0].contains(other));

    let stub = Stub::serve(|asked| match asked.method.as_str() {
        "POST" => Answer::json(
            200,
            r#"{"name":"a","maxTables":5,"maxColumnsPerTable":250,"retentionPeriod":0}"#,
        ),
        _ => Answer::json(200, "[]"),
    });
    let ctl = Ctl::new(stub.port);
    let before = ctl.run(&["database", "create", "--max-tables", "5", "a"]);
    let after = ctl.run(&["database", "create", "a", "--max-tables=5"]);
    assert_eq!((before.code, before.stdout), (0, after.stdout));
    assert_eq!(stub.lines()[0], format!("POST {}", cluster_path("/databases")));
}

#[test]
fn debug_and_trace_tell_requests_but_no_secret() {
    let stub = Stub::serve(|_| Answer::json(200, "[]").with("X-Seen", "yes"));
    let ctl = Ctl::new(stub.port);
    let debug = ctl.run(&["token", "list", "--debug"]).stderr;
    assert!(
        debug.contains("debug\tGET http://127.0.0.1:PORT/api/v0/accounts/"),
        "{debug}"
    );
    assert!(!debug.contains("trace\t"));
    let trace = ctl.run(&["token", "list", "--trace"]).stderr;
    assert!(trace.contains("trace\t> authorization: Bearer …\n"), "{trace}");
    assert!(trace.contains("trace\t< x-seen: yes\n"), "{trace}");
    assert!(!trace.contains("managementsecret"), "{trace}");
}

#[test]
fn every_request_names_its_sender_and_its_token() {
    let stub = Stub::serve(|_| Answer::json(200, "[]"));
    Ctl::new(stub.port).run(&["token", "list"]);
    let asked = &stub.asked()[0];
    assert_eq!(
        asked.header("authorization"),
        Some("Bearer M.V1.managementsecret")
    );
    assert!(
        asked
            .header("user-agent")
            .is_some_and(|agent| agent.starts_with("influxctl/"))
    );
}
