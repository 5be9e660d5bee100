//! People: the link of the first start, and what ends with a user.

use rescind_testkit::{ServerSetup, TestServer};
use serde_json::Value;

use crate::house::{printed_with, rescind};
use crate::visitors::{PASSWORD, Visitor, link};

#[test]
fn the_link_of_the_first_start_works_once_and_is_shown_beside_the_log() {
    let mut server = ServerSetup::default()
        .arg("--log-format")
        .arg("json")
        .arg("--admin-email")
        .arg("ada@example.org")
        .start();
    let printed = printed_with(&server, "/invitations/I.V1.");
    let path = link(&printed);
    let secret = path.trim_start_matches("/invitations/").to_owned();
    assert_eq!(printed.matches(&secret).count(), 1, "{printed}");
    let shown = printed
        .lines()
        .find(|line| line.contains(&secret))
        .expect("shown");
    assert_eq!(
        shown.trim(),
        format!("{}{path}", server.url()),
        "a line of its own"
    );
    let visitor = Visitor::new(&server);
    let accepted = visitor.accept(&path);
    assert_eq!(accepted.status, 303, "{accepted}");
    assert_eq!(visitor.get("/profile").status, 200);
    assert_eq!(Visitor::new(&server).get(&path).status, 404, "used up");
    let cookies: Vec<String> = visitor.cookies.borrow().values().cloned().collect();
    let session = cookies
        .into_iter()
        .find(|value| value.starts_with("S.V1."))
        .expect("a session");
    let leaks = server.leaks(&[secret.clone(), session, PASSWORD.to_owned()]);
    assert_eq!(leaks.len(), 1, "{leaks:#?}");
    assert!(leaks[0].starts_with("what the server printed"), "{leaks:#?}");
    server.stop();
    server.restart();
    let printed = server.printed();
    assert_eq!(printed.matches("I.V1.").count(), 1, "{printed}");
    assert!(!printed.contains("rescind user invite"), "{printed}");
}

#[test]
fn a_lost_link_is_replaced_by_a_new_one() {
    let mut server = ServerSetup::default()
        .arg("--admin-email")
        .arg("ada@example.org")
        .start();
    let first = link(&printed_with(&server, "/invitations/I.V1."));
    server.stop();
    let dir = server.data_dir().to_str().expect("UTF-8").to_owned();
    let invite = [
        "user",
        "invite",
        "ada@example.org",
        "--role",
        "admin",
        "--data-dir",
        &dir,
    ];
    let invited = rescind(&invite);
    assert_eq!((invited.code, invited.stderr.as_str()), (0, ""), "{invited}");
    assert!(invited.stdout.starts_with(server.url()), "{invited}");
    let second = link(&invited.stdout);
    assert_ne!(first, second);
    let elsewhere = rescind(&[&invite[..], &["--public-url", "https://rescind.example.org/"]].concat());
    assert!(
        elsewhere
            .stdout
            .starts_with("https://rescind.example.org/invitations/I.V1."),
        "{elsewhere}"
    );
    server.restart();
    let printed = printed_with(
        &server,
        "rescind user invite ada@example.org --role admin --data-dir",
    );
    assert_eq!(printed.matches("I.V1.").count(), 1, "{printed}");
    let accepted = Visitor::new(&server).accept(&second);
    assert_eq!(accepted.status, 303, "{accepted}");
}

#[test]
fn links_lead_to_the_public_address() {
    let server = ServerSetup::default()
        .env("RESCIND_PUBLIC_URL", "https://Rescind.example.org/")
        .start();
    let printed = printed_with(&server, "/invitations/I.V1.");
    assert!(
        printed.contains("    https://rescind.example.org/invitations/I.V1."),
        "{printed}"
    );
    let metadata = server.http().get("/.well-known/oauth-authorization-server");
    assert!(
        metadata
            .text()
            .contains(r#""issuer":"https://rescind.example.org""#),
        "{metadata}"
    );
    let page = server.http().get("/sign-in");
    let cookie = page.header("set-cookie").expect("a cookie");
    assert!(
        cookie.starts_with("__Host-") && cookie.contains("; Secure"),
        "{cookie}"
    );
}

/// Promise G1 for sessions.
#[test]
fn a_disabled_user_is_refused_at_once() {
    let server = TestServer::start();
    let invite = |email: &str| -> Value {
        let body = format!(r#"{{"email":"{email}","role":"admin"}}"#);
        let invited = server.management().json("POST", "/api/v0/invitations", &body);
        assert_eq!(
            (invited.status, invited.header("rescind-mail")),
            (200, None),
            "{invited}"
        );
        serde_json::from_slice(&invited.bytes).expect("JSON")
    };
    let (ada, grace) = (Visitor::new(&server), Visitor::new(&server));
    for (visitor, email) in [(&ada, "ada@example.org"), (&grace, "grace@example.org")] {
        let path = link(invite(email)["link"].as_str().expect("a link"));
        assert_eq!(visitor.accept(&path).status, 303);
        assert_eq!(visitor.get("/profile").status, 200);
    }
    let users: Value = serde_json::from_slice(&server.management().get("/api/v0/users").bytes).expect("JSON");
    let users = users.as_array().expect("a list");
    let grace_id = users
        .iter()
        .find(|user| user["email"] == "grace@example.org")
        .and_then(|user| user["id"].as_str())
        .expect("an id");
    let path = format!("/api/v0/users/{grace_id}");
    let disabled = server
        .management()
        .json("PATCH", &path, r#"{"state":"disabled"}"#);
    assert_eq!(disabled.status, 200, "{disabled}");
    assert_eq!(disabled.header("rescind-nodes"), Some("1/1"), "{disabled}");
    assert_eq!(
        grace.get("/profile").status,
        303,
        "to the page that asks to sign in"
    );
    assert_eq!(ada.get("/profile").status, 200);
    let fields = format!("email=grace@example.org&password={PASSWORD}");
    let refused = Visitor::new(&server).submit("/sign-in", &fields);
    assert_ne!(refused.status, 303, "{refused}");
    let enabled = server.management().json("PATCH", &path, r#"{"state":"enabled"}"#);
    assert_eq!(enabled.status, 200, "{enabled}");
    assert_eq!(grace.get("/profile").status, 303, "what has ended stays so");
    let signed_in = Visitor::new(&server).submit("/sign-in", &fields);
    assert_eq!(signed_in.status, 303, "{signed_in}");
}
