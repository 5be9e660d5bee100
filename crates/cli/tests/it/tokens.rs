use crate::stub::{ACCOUNT, Answer, Asked, CLUSTER, Ctl, Stub, account_path, cluster_path};

const FIRST: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const SECOND: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const THIRD: &str = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";

fn token(id: &str, description: &str, more: &str) -> String {
    format!(
        r#"{{"accountId":"{ACCOUNT}","clusterId":"{CLUSTER}","id":"{id}","description":"{description}",
        "permissions":[{{"action":"read","resource":"mydb1"}},{{"action":"write","resource":"*"}}],
        "createdAt":"2023-12-21T17:32:28.000Z"{more}}}"#
    )
}

fn database_tokens(asked: &Asked) -> Answer {
    let revoked = r#","revokedAt":"2024-03-12T20:17:30.063Z""#;
    let expiring = r#","expiresAt":"2025-10-24T00:00:00.000Z""#;
    let created = format!(r#"{expiring},"accessToken":"apiv1_thenewsecret""#);
    let path = asked.target.replace(&cluster_path(""), "");
    match (asked.method.as_str(), path.as_str()) {
        ("POST", "/tokens") => Answer::json(200, token(FIRST, "read/write for mydb1", &created)),
        ("GET", "/tokens?status=active,expired&limit=1000") => {
            let page = format!(
                "[{},{}]",
                token(SECOND, "a second one", ""),
                token(THIRD, "gone", revoked)
            );
            let next = cluster_path("/tokens?status=active,expired&limit=1000&cursor=x");
            Answer::json(200, page).with("Link", &format!("<{next}>; rel=\"next\""))
        }
        ("GET", "/tokens?status=active,expired&limit=1000&cursor=x") => Answer::json(
            200,
            format!("[{}]", token(FIRST, "read/write for mydb1", expiring)),
        ),
        ("GET", "/tokens?status=all&limit=1000") => {
            let page = [
                token(THIRD, "gone", revoked),
                token(FIRST, "read/write for mydb1", ""),
            ];
            Answer::json(200, format!("[{}]", page.join(",")))
        }
        ("GET" | "PATCH", path) if path.ends_with(THIRD) => Answer::json(200, token(THIRD, "gone", revoked)),
        ("GET" | "PATCH", path) if path.ends_with(FIRST) => {
            Answer::json(200, token(FIRST, "read/write for mydb1", expiring))
        }
        ("DELETE", path) if path.ends_with(FIRST) || path.ends_with(THIRD) => Answer::done(),
        _ => Answer::error(404, "no such token"),
    }
}

fn management_token(id: &str, description: &str, created: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","accountId":"{ACCOUNT}","description":"{description}","prefix":"M.V1.nAHw",
        "createdAt":"{created}","createdBy":"user:{CLUSTER}"{more}}}"#
    )
}

fn management_tokens(asked: &Asked) -> Answer {
    let path = asked.target.replace(&account_path("/management-tokens"), "");
    let first = management_token(
        FIRST,
        "Client3 token",
        "2024-03-12T20:13:40.436Z",
        r#","expiresAt":"2024-06-27T12:34:56.000Z","revokedAt":"2024-03-12T20:17:30.063Z""#,
    );
    let second = management_token(SECOND, "Another", "2024-03-12T19:58:47.000Z", "")
        .replace("user:", "management_token:");
    let third = management_token(THIRD, "First", "2024-03-12T19:58:46.000Z", "")
        .replace(&format!("user:{CLUSTER}"), "system");
    match (asked.method.as_str(), path.as_str()) {
        ("POST", "") => Answer::json(
            200,
            management_token(
                FIRST,
                "Example Token",
                "2024-03-12T19:58:47.000Z",
                r#","expiresAt":"2025-10-24T00:00:00.000Z","token":"M.V1.thenewsecret""#,
            ),
        ),
        ("GET", "?limit=1000") => Answer::json(200, format!("[{first},{second},{third}]")),
        ("GET", path) if path.ends_with(FIRST) => Answer::json(200, first),
        ("DELETE", path) if path.ends_with(FIRST) => Answer::done(),
        _ => Answer::error(404, "no such token"),
    }
}

fn transcript(ctl: &Ctl, runs: &[&[&str]]) -> String {
    let one = |arguments: &&[&str]| {
        format!(
            "$ influxctl {}\n{}",
            arguments.join(" "),
            ctl.run(arguments).text()
        )
    };
    runs.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn database_tokens_are_created_with_their_secret_last() {
    let stub = Stub::serve(database_tokens);
    let ctl = Ctl::new(stub.port);
    let arguments: &[&str] = &[
        "token",
        "create",
        "--read-database",
        "mydb1",
        "--read-database",
        "mydb1",
        "--write-database",
        "*",
        "--expires-at",
        "2025-10-24T00:00:00+0000",
        "read/write for mydb1",
    ];
    let json = [arguments, &["--format", "json"]].concat();
    insta::assert_snapshot!(transcript(
        &ctl,
        &[arguments, &json, &["token", "create", "nothing"]]
    ));
    let bodies: Vec<String> = stub
        .asked()
        .iter()
        .map(|asked| String::from_utf8_lossy(&asked.body).into_owned())
        .collect();
    insta::assert_snapshot!(bodies.join("\n"));
    let table = ctl.run(arguments);
    assert_eq!(table.stdout.lines().last(), Some("apiv1_thenewsecret"));
}

#[test]
fn database_tokens_are_listed_over_all_pages() {
    let stub = Stub::serve(database_tokens);
    let ctl = Ctl::new(stub.port);
    insta::assert_snapshot!(transcript(
        &ctl,
        &[
            &["token", "list"],
            &["token", "list", "--sort", "description"],
            &["token", "list", "--format", "json"],
            &["token", "list", "--include-revoked"],
            &["token", "list", "--include-revoked", "--format=json"],
        ],
    ));
}

#[test]
fn an_empty_list_is_a_header_or_empty_brackets() {
    let stub = Stub::serve(|_| Answer::json(200, "[]"));
    let ctl = Ctl::new(stub.port);
    insta::assert_snapshot!(transcript(
        &ctl,
        &[&["token", "list"], &["token", "list", "--format", "json"]]
    ));
}

#[test]
fn one_database_token_is_shown() {
    let stub = Stub::serve(database_tokens);
    let ctl = Ctl::new(stub.port);
    insta::assert_snapshot!(transcript(
        &ctl,
        &[
            &["token", "get", FIRST],
            &["token", "get", FIRST, "--format", "json"],
            &["token", "get", THIRD],
            &["token", "get", THIRD, "--include-revoked"],
            &["token", "get", SECOND],
        ],
    ));
}

#[test]
fn an_update_sends_what_was_given_only() {
    let stub = Stub::serve(database_tokens);
    let ctl = Ctl::new(stub.port);
    assert_eq!(ctl.run(&["token", "update", FIRST, "--description", ""]).code, 0);
    assert_eq!(
        ctl.run(&[
            "token",
            "update",
            "--write-database",
            "b",
            "--read-database",
            "a",
            FIRST
        ])
        .code,
        0
    );
    let bodies: Vec<String> = stub
        .asked()
        .iter()
        .map(|asked| String::from_utf8_lossy(&asked.body).into_owned())
        .collect();
    assert_eq!(bodies[0], r#"{"description":""}"#);
    assert_eq!(
        bodies[1],
        r#"{"permissions":[{"action":"read","resource":"a"},{"action":"write","resource":"b"}]}"#
    );
}

#[test]
fn revoking_goes_on_after_an_error() {
    let stub = Stub::serve(database_tokens);
    let ctl = Ctl::new(stub.port);
    let runs: &[&[&str]] = &[
        &["token", "revoke", "--force", FIRST],
        &["token", "delete", FIRST, SECOND, THIRD, FIRST, "--force"],
    ];
    insta::assert_snapshot!(transcript(&ctl, runs));
    assert_eq!(
        stub.lines()[1..],
        [FIRST, SECOND, THIRD].map(|id| format!("DELETE {}", cluster_path(&format!("/tokens/{id}"))))
    );
}

#[test]
fn management_tokens_are_created_listed_and_revoked() {
    let stub = Stub::serve(management_tokens);
    let ctl = Ctl::new(stub.port);
    insta::assert_snapshot!(transcript(
        &ctl,
        &[
            &[
                "management",
                "create",
                "--description",
                "Example Token",
                "--expires-at",
                "2025-10-24T00:00:00+00:00"
            ],
            &["management", "create", "--format", "json"],
            &["management", "list"],
            &["management", "list", "--format", "json"],
            &["management", "list", "--sort", "expires"],
            &["management", "revoke", "--force", FIRST, SECOND],
        ],
    ));
    assert_eq!(String::from_utf8_lossy(&stub.asked()[1].body), "{}");
}

#[test]
fn clustered_profiles_find_their_account() {
    let stub = Stub::serve(|asked| match asked.target.as_str() {
        "/api/v0/accounts" => Answer::json(
            200,
            format!(r#"[{{"id":"{ACCOUNT}","name":"main","createdAt":"2024-01-01T00:00:00.000Z"}}]"#),
        ),
        _ => management_tokens(asked),
    });
    let ended = Ctl::new(stub.port).run(&["--profile", "own", "management", "revoke", "--force", FIRST]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn a_list_leads_to_no_other_server() {
    let stub =
        Stub::serve(|_| Answer::json(200, "[]").with("Link", "<https://elsewhere.example/x>; rel=\"next\""));
    let ended = Ctl::new(stub.port).run(&["token", "list"]);
    assert_eq!((ended.code, stub.lines().len()), (1, 1));
}

#[test]
fn refusals_of_the_server_are_shown() {
    for (status, message) in [
        (400, "expiresAt: must be in the future"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (503, "the lease has lapsed"),
    ] {
        let stub = Stub::serve(move |_| Answer::error(status, message));
        let ended =
            Ctl::new(stub.port).run(&["token", "create", "x", "--expires-at", "2001-01-01T00:00:00Z"]);
        insta::assert_snapshot!(format!("refused_{status}"), ended.text());
    }
}
