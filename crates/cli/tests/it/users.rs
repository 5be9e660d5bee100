use crate::stub::{ACCOUNT, Answer, Asked, Ctl, Stub, account_path};

const ID: &str = "44444444-4444-4444-8444-444444444444";
const OTHER: &str = "55555555-5555-4555-8555-555555555555";
const LINK: &str =
    "http://localhost:8181/invitations/I.V1.0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ30aB1cD2eF3gH4iJ5kL6mN7oP";

fn user(id: &str, name: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","email":"{name}@example.com","firstName":"Ada","lastName":"{name}","role":"admin",
        "state":"enabled","createdAt":"2024-03-12T19:58:47.125Z"{more}}}"#
    )
}

fn answer(asked: &Asked) -> Answer {
    let (method, target) = (asked.method.as_str(), asked.target.as_str());
    match (method, target.strip_prefix(&account_path("")).unwrap_or_default()) {
        ("GET", "/users?limit=1000") => {
            let next = format!("<{}>; rel=\"next\"", account_path("/users?limit=1000&cursor=2"));
            Answer::json(200, format!("[{}]", user(ID, "lovelace", ""))).with("Link", &next)
        }
        ("GET", "/users?limit=1000&cursor=2") => {
            let disabled = r#","disabledAt":"2024-04-01T00:00:00.000Z","future":1"#;
            Answer::json(200, format!("[{}]", user(OTHER, "by\u{202e}ron", disabled)))
        }
        ("GET", path) if path.ends_with(ID) => Answer::json(200, user(ID, "lovelace", "")),
        ("DELETE", path) if path.ends_with(ID) => Answer::done(),
        ("POST", "/invitations") if asked.body.windows(7).any(|word| word == b"auditor") => {
            Answer::error(409, "an invitation for this address is pending")
        }
        ("POST", "/invitations") => Answer::json(
            201,
            format!(
                r#"{{"id":"{ID}","accountId":"{ACCOUNT}","email":"ada@example.com","firstName":"Ada",
                "lastName":"Lovelace","role":"member","status":"pending","createdAt":"2024-03-12T19:58:47.000Z",
                "createdBy":"operator","expiresAt":"2024-03-19T19:58:47.000Z","link":"{LINK}"}}"#
            ),
        ),
        _ => Answer::error(404, "no such user"),
    }
}

#[test]
fn users_are_listed_over_all_pages() {
    let stub = Stub::serve(answer);
    let ctl = Ctl::new(stub.port);
    let table = ctl.run(&["user", "list"]).text();
    let json = ctl.run(&["user", "list", "--format", "json"]).text();
    insta::assert_snapshot!(table + &json.replace('\u{202e}', "[RLO]"));
}

#[test]
fn the_link_of_an_invitation_is_all_that_stdout_has() {
    let stub = Stub::serve(answer);
    let ctl = Ctl::new(stub.port);
    let ended = ctl.run(&["user", "invite", "Ada", "Lovelace", "ada@example.com"]);
    assert_eq!((ended.code, ended.stdout), (0, format!("{LINK}\n")));
    let refused = ctl.run(&[
        "user",
        "invite",
        "--role",
        "auditor",
        "Ada",
        "Lovelace",
        "ada@example.com",
    ]);
    let unknown = ctl.run(&[
        "user",
        "invite",
        "--role",
        "owner",
        "Ada",
        "Lovelace",
        "ada@example.com",
    ]);
    assert_eq!(unknown.code, 2);
    insta::assert_snapshot!(format!(
        "{}# refused\n{}# no such role\n{}",
        ended.stderr,
        refused.text(),
        unknown.text()
    ));
    let asked: serde_json::Value = serde_json::from_slice(&stub.asked()[0].body).expect("JSON");
    assert_eq!(
        asked,
        serde_json::json!({"email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace", "role": "member"})
    );
}

#[test]
fn a_user_is_deleted_after_a_yes() {
    let delete = |arguments: &[&str], input: &str| {
        let stub = Stub::serve(answer);
        let ended = Ctl::new(stub.port).run_with(&[&["user", "delete"], arguments].concat(), input);
        (ended.text(), stub.lines())
    };
    let (yes, lines) = delete(&[ID], "y\n");
    let path = account_path(&format!("/users/{ID}"));
    assert_eq!(lines, [format!("GET {path}"), format!("DELETE {path}")]);
    let (no, lines) = delete(&[ID], "n\n");
    assert_eq!(lines, [format!("GET {path}")]);
    let (forced, lines) = delete(&["--force", ID], "");
    assert_eq!(lines, [format!("DELETE {path}")]);
    let (unknown, _) = delete(&[OTHER], "y\n");
    let (senseless, _) = delete(&["ada@example.com"], "y\n");
    insta::assert_snapshot!(format!(
        "# yes\n{yes}# no\n{no}# forced\n{forced}# unknown\n{unknown}# no id\n{senseless}"
    ));
}
