//! The commands for people, against the real server.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rescind_testkit::TestServer;

#[test]
fn people_are_listed_invited_and_deleted() {
    let server = TestServer::start();
    let influxctl = server.influxctl();
    let listed = influxctl.run(&["user", "list", "--format", "json"]);
    assert_eq!(listed.code, 0, "{listed}");
    let users: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    assert_eq!(
        (users.as_array().map(Vec::len), &users[0]["roles"][0]),
        (Some(1), &"admin".into())
    );

    let invited = influxctl.run(&[
        "user",
        "invite",
        "--role",
        "auditor",
        "Grace",
        "Hopper",
        "grace@example.com",
    ]);
    assert_eq!(invited.code, 0, "{invited}");
    let link = invited
        .stdout
        .strip_prefix(server.url())
        .expect("an address of this server");
    assert!(link.starts_with("/invitations/I.V1."), "{link}");
    let page = server.http().get(link.trim());
    assert!(
        page.status == 200 && page.text().contains("grace@example.com"),
        "{page}"
    );
    assert!(
        invited.stderr.contains("grace@example.com is invited as auditor"),
        "{invited}"
    );
    assert!(!invited.stderr.contains("I.V1."), "{invited}");

    let administrator = users[0]["id"].as_str().expect("an id");
    let delete = |id: &str| influxctl.run_with_stdin(&["user", "delete", id], "y\n");
    let unknown = delete("44444444-4444-4444-8444-444444444444");
    assert_eq!((unknown.code, unknown.stdout.as_str()), (1, ""), "{unknown}");
    let deleted = delete(administrator);
    assert_eq!(deleted.code, 0, "{deleted}");
    assert!(
        deleted.stderr.contains("info\trefused on 1 of 1 nodes"),
        "{deleted}"
    );
    assert_eq!(
        influxctl.run(&["user", "list", "--format", "json"]).stdout,
        "[]\n"
    );
}

/// As far as it goes before somebody answers: the server says where, and that nobody has.
#[test]
fn the_first_start_leads_to_a_login() {
    let server = TestServer::start();
    let influxctl = server.influxctl();
    let mut command = influxctl.command();
    command.args(["--profile", "login", "--debug", "token", "list"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut told = String::new();
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    for line in lines.map_while(Result::ok) {
        told.push_str(&line);
        told.push('\n');
        // It asks a second time only if it understood that the first answer was "not yet".
        if told.matches("/oauth/token\n").count() == 2 {
            break;
        }
    }
    child.kill().expect("still runs");
    child.wait().expect("ends");
    assert_eq!(told.matches("debug\t400 Bad Request\n").count(), 1, "{told}");
    let page = format!("\n  {}/device?user_code=", server.url());
    let code = told.split_once(&page).map(|(_, rest)| rest[..9].to_owned());
    let code = code.unwrap_or_else(|| panic!("no page in {told}"));
    assert!(told.contains(&format!("\n\n  {code}\n\n")), "{told}");

    let out = influxctl.run(&["--profile", "login", "auth", "logout"]);
    assert_eq!(
        (out.code, out.stdout),
        (0, format!("Not logged in to {}\n", server.url()))
    );
}
