//! Users, invitations, the usage of a token, and many tokens at once, through the management API.

use axum::http::StatusCode;
use rescind_domain::Role;
use serde_json::json;

use super::world::{Transcript, World};

fn scrubbed(text: &str) -> String {
    let mut shown = text.to_owned();
    let start = shown
        .find("/invitations/I.V1.")
        .map(|at| at + "/invitations/".len());
    if let Some(start) = start {
        shown.replace_range(start.."I.V1.".len() + 64 + start, "SECRET");
    }
    shown
}

#[tokio::test]
async fn a_user_from_invitation_to_deletion() {
    let world = World::new().await;
    world.administrator().await;
    let grace = world.user("grace@example.com", Role::Member).await;
    let path = format!("/users/{}", grace.user.id);
    let mut story = Transcript::of(&world);
    story.ask("GET", "/users?limit=1", "").await;
    story.ask("GET", &path, "").await;
    story
        .ask("PATCH", &path, r#"{"firstName":" Grace ","role":"auditor"}"#)
        .await;
    for state in ["disabled", "disabled", "enabled"] {
        story
            .ask("PATCH", &path, &json!({ "state": state }).to_string())
            .await;
    }
    for wrong in [
        "{}",
        r#"{"state":"asleep"}"#,
        r#"{"state":"disabled","role":"admin"}"#,
        r#"{"role":"king"}"#,
        r#"{"firstName":""}"#,
        r#"{"email":"new@example.com"}"#,
    ] {
        story.ask("PATCH", &path, wrong).await;
    }
    story.ask("DELETE", &path, "").await;
    story.ask("GET", &path, "").await;
    story.ask("DELETE", &path, "").await;
    insta::assert_snapshot!(story.text());
}

#[tokio::test]
async fn nobody_can_be_the_last_to_go() {
    let world = World::new().await;
    let ada = world.administrator().await;
    let path = format!("/users/{}", ada.user.id);
    for (method, body) in [
        ("PATCH", r#"{"state":"disabled"}"#),
        ("PATCH", r#"{"role":"member"}"#),
        ("DELETE", ""),
    ] {
        let refused = world.ask(method, &path, body).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{refused}");
        assert!(refused.message().contains("administer"), "{refused}");
    }
}

#[tokio::test]
async fn an_invitation_from_its_link_to_its_end() {
    let world = World::new().await;
    let mut story = Transcript::of(&world);
    let made = story
        .ask(
            "POST",
            "/invitations",
            r#"{"email":"grace@example.com","firstName":"Grace","role":"member"}"#,
        )
        .await
        .json();
    let path = format!("/invitations/{}", made["id"].as_str().expect("an id"));
    let link = made["link"].as_str().expect("a link").to_owned();
    let secret = link
        .strip_prefix("https://rescind.example.com/invitations/")
        .expect("a link to the public address");
    let opened = world.authority.open_invitation(secret.as_bytes()).await;
    assert_eq!(opened.expect("it works").email.as_str(), "grace@example.com");
    story.ask("GET", &path, "").await;
    story.ask("GET", "/invitations?limit=1", "").await;
    story.ask("DELETE", &path, "").await;
    story.ask("DELETE", &path, "").await;
    story.ask("GET", &path, "").await;
    for wrong in [
        "{}",
        r#"{"email":"grace","role":"member"}"#,
        r#"{"email":"grace@example.com","role":"king"}"#,
        r#"{"email":"grace@example.com","role":"member","firstName":"a\u0000b"}"#,
    ] {
        story.ask("POST", "/invitations", wrong).await;
    }
    assert!(
        world.authority.open_invitation(secret.as_bytes()).await.is_err(),
        "a withdrawn link opens nothing"
    );
    insta::assert_snapshot!(scrubbed(&story.text()));
}

#[tokio::test]
async fn several_tokens_are_revoked_in_one_act() {
    let world = World::new().await;
    let make = async |path: &str, body: &str| {
        let made = world.make(path, body).await;
        made["id"].as_str().expect("an id").to_owned()
    };
    let (a, b) = (
        make("/tokens", r#"{"description":"a"}"#).await,
        make("/tokens", r#"{"description":"b"}"#).await,
    );
    let m = make("/management-tokens", "{}").await;
    let nobody = "99999999-9999-4999-8999-999999999999";
    let mut story = Transcript::of(&world);
    story.ask("DELETE", &format!("/tokens/{b}"), "").await;
    let ids = json!({ "ids": [a, nobody, b, a] }).to_string();
    let revoked = story.ask("POST", "/tokens/revoke", &ids).await;
    let revoked = revoked.json();
    let outcomes = revoked["tokens"].as_array().expect("a list");
    let words: Vec<_> = outcomes.iter().map(|one| one["outcome"].as_str()).collect();
    assert_eq!(
        words,
        [Some("revoked"), Some("not_found"), Some("already_revoked")]
    );
    story
        .ask(
            "POST",
            "/management-tokens/revoke",
            &json!({ "ids": [m] }).to_string(),
        )
        .await;
    for wrong in [
        "{}".to_owned(),
        r#"{"ids":[]}"#.to_owned(),
        r#"{"ids":["x"]}"#.to_owned(),
        r#"{"ids":null}"#.to_owned(),
    ] {
        story.ask("POST", "/tokens/revoke", &wrong).await;
    }
    let many = json!({ "ids": vec![nobody; 100_001] }).to_string();
    let refused = world.ask("POST", "/tokens/revoke", &many).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.message().starts_with("ids"), "{refused}");
    insta::assert_snapshot!(story.text());
}

#[tokio::test]
async fn a_leaked_secret_is_revoked_by_itself() {
    let world = World::new().await;
    let leaked = world.make("/tokens", r#"{"description":"leaked"}"#).await;
    let secret = leaked["accessToken"].as_str().expect("a secret");
    let body = json!({ "secret": format!(" {secret}\n") }).to_string();
    let revoked = world.ask("POST", "/tokens/revoke", &body).await;
    assert_eq!(
        revoked.json()["tokens"],
        json!([{ "id": leaked["id"], "outcome": "revoked" }]),
        "{revoked}"
    );
    let path = format!("/tokens/{}", leaked["id"].as_str().expect("an id"));
    let token = world.ask("GET", &path, "").await.json();
    assert!(token["revokedAt"].is_string(), "{token}");
    let again = world.ask("POST", "/tokens/revoke", &body).await;
    assert_eq!(again.json()["tokens"][0]["outcome"], "already_revoked", "{again}");
    for other in ["strange", world.secret.as_str()] {
        let body = json!({ "secret": other }).to_string();
        let refused = world.ask("POST", "/tokens/revoke", &body).await;
        assert!(refused.status.is_client_error(), "{refused}");
        assert!(!refused.body.contains(&world.secret[5..]), "{refused}");
    }
    assert_eq!(world.ask("GET", "/tokens", "").await.status, 200, "it goes on");
}

#[tokio::test]
async fn what_tokens_have_in_common_revokes_them_after_a_dry_run() {
    let world = World::new().await;
    for (description, database) in [("Old one", "a"), ("old two", "b"), ("new", "a")] {
        let body = format!(
            r#"{{"description":"{description}","permissions":[{{"action":"read","resource":"{database}"}}]}}"#
        );
        world.make("/tokens", &body).await;
    }
    let mut counted = Vec::new();
    for body in [
        r#"{"filter":{"search":"old"},"dryRun":true}"#,
        r#"{"filter":{"search":"old","database":"a"},"dryRun":true}"#,
        r#"{"filter":{"unusedSince":"2030-01-01T00:00:00Z"},"dryRun":true}"#,
        r#"{"filter":{"createdBy":"operator"},"dryRun":true}"#,
        r#"{"filter":{"search":"old"}}"#,
        r#"{"filter":{"search":"old"}}"#,
        r#"{"filter":{"database":"a"}}"#,
    ] {
        let answer = world.ask("POST", "/tokens/revoke", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        let outcomes = answer.json();
        let outcomes = outcomes["tokens"].as_array().expect("a list");
        let total = answer.header("rescind-total-count").map(str::to_owned);
        assert_eq!(total, Some(outcomes.len().to_string()), "{answer}");
        let has_receipt = answer.header("rescind-revision").is_some();
        let words: Vec<_> = outcomes
            .iter()
            .filter_map(|one| one["outcome"].as_str())
            .collect();
        counted.push(format!("{} {has_receipt} {body}", words.join(",")));
    }
    insta::assert_snapshot!(counted.join("\n"));
}

#[tokio::test]
async fn a_member_revokes_with_others_only_what_is_its_own() {
    let world = World::new().await;
    let member = world.user("grace@example.com", Role::Member).await;
    let authorization = format!("Bearer {}", world.access_token(&member).await);
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    let foreign = world.make("/tokens", r#"{"description":"foreign"}"#).await;
    let own = world
        .send("POST", "/tokens", &headers, r#"{"description":"own"}"#)
        .await
        .json();
    let ids = json!({ "ids": [foreign["id"], own["id"]] }).to_string();
    let answer = world.send("POST", "/tokens/revoke", &headers, ids).await.json();
    let answer = &answer["tokens"];
    assert_eq!(
        (&answer[0]["outcome"], &answer[1]["outcome"]),
        (&json!("forbidden"), &json!("revoked"))
    );
    let path = format!("/tokens/{}", foreign["id"].as_str().expect("an id"));
    let kept = world.ask("GET", &path, "").await.json();
    assert!(kept["revokedAt"].is_null(), "{kept}");

    // What fits a filter is its own, not what it might not revoke.
    let other = world
        .send("POST", "/tokens", &headers, r#"{"description":"foreign too"}"#)
        .await
        .json();
    let body = r#"{"filter":{"search":"foreign"}}"#;
    let answer = world.send("POST", "/tokens/revoke", &headers, body).await;
    assert_eq!(answer.header("rescind-total-count"), Some("1"), "{answer}");
    let outcomes = &answer.json()["tokens"];
    assert_eq!(
        (&outcomes[0]["id"], &outcomes[0]["outcome"]),
        (&other["id"], &json!("revoked"))
    );
}

#[tokio::test]
async fn a_token_says_what_it_is_used_for() {
    let world = World::new().await;
    world.make("/databases", r#"{"name":"weather"}"#).await;
    let body = r#"{"description":"t","permissions":[{"action":"write","resource":"weather"}]}"#;
    let made = world.make("/tokens", body).await;
    let path = format!("/tokens/{}/usage", made["id"].as_str().expect("an id"));
    assert_eq!(world.ask("GET", &path, "").await.json(), json!({ "hours": [] }));
    let database = "weather".parse().expect("a name");
    let ask = rescind_domain::Ask {
        action: rescind_domain::Action::Write,
        database: &database,
    };
    let secret = made["accessToken"].as_str().expect("a secret");
    for _ in 0..3 {
        let admission = world.authority.admit(secret.as_bytes(), ask).expect("admitted");
        world
            .authority
            .note_use(admission.permit(), [192, 0, 2, 9].into(), "Telegraf/1.30");
    }
    world.authority.record_uses().await.expect("recorded");
    let mut story = Transcript::of(&world);
    story.ask("GET", &path, "").await;
    story
        .ask("GET", "/tokens/99999999-9999-4999-8999-999999999999/usage", "")
        .await;
    insta::assert_snapshot!(story.text());
}
