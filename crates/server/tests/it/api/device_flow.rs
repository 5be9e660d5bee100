//! The device flow over HTTP, step by step (RFC 8628), and the end of an access token (RFC 7009).

use std::time::Duration;

use axum::http::StatusCode;
use rescind_authority::{Caller, SignedIn};
use rescind_domain::{Role, UserCode};
use serde_json::{Value, json};

use super::world::{Answer, World, send};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl World {
    async fn form(&self, path: &str, body: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        send(&self.router, "POST", path, &headers, body.to_owned()).await
    }

    /// A device code and the code for its user.
    async fn device(&self) -> (String, UserCode) {
        let asked = self
            .form("/oauth/device", "client_id=influxctl&host_name=ada%27s+laptop")
            .await;
        assert_eq!(asked.status, StatusCode::OK, "{asked}");
        let asked = asked.json();
        let text = |key: &str| asked[key].as_str().expect("text").to_owned();
        (text("device_code"), text("user_code").parse().expect("a code"))
    }

    async fn redeem(&self, code: &str) -> Answer {
        let body = format!("grant_type={GRANT}&client_id=influxctl&device_code={code}");
        self.form("/oauth/token", &body).await
    }

    fn caller(&self, signed_in: &SignedIn) -> Caller {
        let caller = self
            .authority
            .authenticate_session(signed_in.secret.expose().as_bytes());
        caller.expect("signed in")
    }

    async fn answer(&self, signed_in: &SignedIn, code: &UserCode, approve: bool) {
        let answered = self
            .authority
            .answer_device(&self.caller(signed_in), code, approve)
            .await;
        answered.expect("answered");
    }

    async fn status_with(&self, token: &str) -> u16 {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        self.send("GET", "/accounts", &headers, "").await.status.as_u16()
    }
}

fn error(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer}");
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{answer}");
    let body = answer.json();
    assert!(body["error_description"].is_string(), "{answer}");
    (
        answer.status.as_u16(),
        body["error"].as_str().expect("a code").to_owned(),
    )
}

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

#[tokio::test]
async fn a_program_gets_its_token_once_its_user_approved_and_only_once() {
    let world = World::new().await;
    let asked = world
        .form("/oauth/device", "client_id=influxctl&scope=openid")
        .await;
    let mut shown = asked.json();
    let code: UserCode = shown["user_code"]
        .as_str()
        .expect("text")
        .parse()
        .expect("a code");
    let secret = shown["device_code"].as_str().expect("text").to_owned();
    assert!(secret.starts_with("D.V1."), "{asked}");
    shown["device_code"] = json!("SECRET");
    assert_eq!(
        shown,
        json!({
            "device_code": "SECRET",
            "user_code": code.to_string(),
            "verification_uri": "https://rescind.example.com/device",
            "verification_uri_complete": format!("https://rescind.example.com/device?user_code={code}"),
            "expires_in": 600,
            "interval": 5,
        })
    );
    assert_eq!(
        error(&world.redeem(&secret).await),
        refused("authorization_pending")
    );
    let admin = world.administrator().await;
    world.answer(&admin, &code, true).await;
    let redeemed = world.redeem(&secret).await;
    assert_eq!(redeemed.status, StatusCode::OK, "{redeemed}");
    assert_eq!(redeemed.header("cache-control"), Some("no-store"));
    let token = redeemed.json();
    assert_eq!(
        (&token["token_type"], &token["expires_in"]),
        (&json!("Bearer"), &json!(3_600))
    );
    let token = token["access_token"].as_str().expect("text").to_owned();
    assert!(token.starts_with("A.V1."), "{redeemed}");
    assert_eq!(world.status_with(&token).await, 200);
    assert_eq!(error(&world.redeem(&secret).await), refused("invalid_grant"));
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(world.status_with(&token).await, 401, "it lives an hour");
}

#[tokio::test]
async fn a_hasty_program_is_slowed_down() {
    let world = World::new().await;
    let (secret, _) = world.device().await;
    assert_eq!(
        error(&world.redeem(&secret).await),
        refused("authorization_pending")
    );
    assert_eq!(error(&world.redeem(&secret).await), refused("slow_down"));
    // Ten seconds from now on.
    world.clock.advance(Duration::from_secs(6));
    assert_eq!(error(&world.redeem(&secret).await), refused("slow_down"));
    world.clock.advance(Duration::from_secs(15));
    assert_eq!(
        error(&world.redeem(&secret).await),
        refused("authorization_pending")
    );
}

#[tokio::test]
async fn a_program_that_was_refused_or_forgotten_gets_nothing() {
    let world = World::new().await;
    let admin = world.administrator().await;
    let (denied, code) = world.device().await;
    world.answer(&admin, &code, false).await;
    assert_eq!(error(&world.redeem(&denied).await), refused("access_denied"));
    let (late, _) = world.device().await;
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(error(&world.redeem(&late).await), refused("expired_token"));
    // Approved in time, but not fetched.
    let admin = world.user("grace@example.com", Role::Admin).await;
    let (slow, code) = world.device().await;
    world.answer(&admin, &code, true).await;
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(error(&world.redeem(&slow).await), refused("expired_token"));
}

#[tokio::test]
async fn a_user_who_was_disabled_meanwhile_lends_nothing() {
    let world = World::new().await;
    world.administrator().await;
    let user = world.user("grace@example.com", Role::Member).await;
    let before = world.access_token(&user).await;
    let (secret, code) = world.device().await;
    world.answer(&user, &code, true).await;
    assert_eq!(world.status_with(&before).await, 200);
    let path = format!("/users/{}", user.user.id);
    let disabled = world.ask("PATCH", &path, r#"{"state":"disabled"}"#).await;
    assert_eq!(disabled.status, StatusCode::OK, "{disabled}");
    assert_eq!(world.status_with(&before).await, 401, "refused at once");
    let (status, code) = error(&world.redeem(&secret).await);
    assert_eq!(status, 400);
    assert!(
        matches!(code.as_str(), "access_denied" | "invalid_grant"),
        "{code}"
    );
    let enabled = world.ask("PATCH", &path, r#"{"state":"enabled"}"#).await;
    assert_eq!(enabled.status, StatusCode::OK, "{enabled}");
    assert_eq!(world.status_with(&before).await, 401, "what has ended stays so");
}

#[tokio::test]
async fn an_access_token_is_ended_at_once_and_ending_it_again_is_no_error() {
    let world = World::new().await;
    let admin = world.administrator().await;
    let (token, other) = (world.access_token(&admin).await, world.access_token(&admin).await);
    for _ in 0..2 {
        let body = format!("token={token}&token_type_hint=access_token");
        let ended = world.form("/oauth/revoke", &body).await;
        assert_eq!(
            (ended.status, ended.body.as_str()),
            (StatusCode::OK, ""),
            "{ended}"
        );
        assert_eq!(world.status_with(&token).await, 401);
    }
    assert_eq!(world.status_with(&other).await, 200);
    assert_eq!(world.form("/oauth/revoke", "token=strange").await.status, 200);
    let manager = world
        .form("/oauth/revoke", &format!("token={}", world.secret))
        .await;
    assert_eq!(error(&manager), refused("unsupported_token_type"));
    assert_eq!(world.ask("GET", "/accounts", "").await.status, 200, "it goes on");
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_the_words_of_the_standard() {
    let world = World::new().await;
    let long = format!("client_id={}", "x".repeat(20_000));
    for (path, body, code) in [
        ("/oauth/device", "", "invalid_request"),
        ("/oauth/device", "client_id=", "invalid_request"),
        ("/oauth/device", "client_id=a&client_id=b", "invalid_request"),
        ("/oauth/device", long.as_str(), "invalid_request"),
        ("/oauth/token", "", "invalid_request"),
        (
            "/oauth/token",
            "grant_type=password&client_id=a",
            "unsupported_grant_type",
        ),
        (
            "/oauth/token",
            "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=a",
            "invalid_request",
        ),
        (
            "/oauth/token",
            "grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=a",
            "invalid_request",
        ),
        (
            "/oauth/token",
            "grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=a&client_id=a",
            "invalid_grant",
        ),
        ("/oauth/revoke", "", "invalid_request"),
    ] {
        let answer = world.form(path, body).await;
        assert_eq!(error(&answer), refused(code), "{path} {body:.80}");
    }
    let json = [("content-type", "application/json")];
    let answer = send(
        &world.router,
        "POST",
        "/oauth/device",
        &json,
        r#"{"client_id":"a"}"#,
    )
    .await;
    assert_eq!(error(&answer), refused("invalid_request"));
    let answer = send(&world.router, "GET", "/oauth/token", &[], "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("allow")),
        (405, Some("POST"))
    );
}

#[tokio::test]
async fn no_secret_is_repeated() {
    let world = World::new().await;
    let (secret, _) = world.device().await;
    for (path, body) in [
        ("/oauth/token", format!("grant_type={secret}&client_id=a")),
        (
            "/oauth/token",
            format!("grant_type={GRANT}&client_id=a&device_code={secret}x"),
        ),
        ("/oauth/device", format!("client_id={}", secret.repeat(4))),
        ("/oauth/revoke", format!("token={secret}")),
    ] {
        let answer = world.form(path, &body).await;
        assert_eq!(answer.status, 400, "{answer}");
        assert!(!answer.to_string().contains(&secret[5..]), "{path} repeats it");
    }
}

#[tokio::test]
async fn programs_find_the_endpoints() {
    let world = World::new().await;
    let path = "/.well-known/oauth-authorization-server";
    let answer = send(&world.router, "GET", path, &[], "").await;
    let expected: Value = json!({
        "issuer": "https://rescind.example.com",
        "device_authorization_endpoint": "https://rescind.example.com/oauth/device",
        "token_endpoint": "https://rescind.example.com/oauth/token",
        "revocation_endpoint": "https://rescind.example.com/oauth/revoke",
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
    });
    assert_eq!(answer.json(), expected);
}
