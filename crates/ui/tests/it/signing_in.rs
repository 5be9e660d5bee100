//! Signing in and out, and being recognised in between.

use rescind_testkit::{Browser, TestServer};

use crate::stage::{ADMIN, PASSWORD, Stage, fresh, set_up_path};
use crate::visitors::Visitor;

const SESSION: &str = "rescind_session";

fn sign_in(browser: &Browser, email: &str, password: &str) {
    browser.fill("Email address", email);
    browser.fill("Password", password);
    browser.click("Continue");
}

#[test]
fn the_link_of_the_first_start_sets_the_password_and_works_once() {
    let server = fresh().start();
    let path = set_up_path(&server);
    let browser = Browser::start(server.url());
    browser.goto(&path);
    browser.sees(ADMIN);
    browser.fill("First Name", "Ada");
    browser.fill("Last Name", "Lovelace");
    browser.fill("Password", PASSWORD);
    browser.fill("Password again", PASSWORD);
    browser.click("Set password and log in");
    browser.sees("Overview");
    assert!(!browser.url().contains("I.V1."));

    let second = Browser::start(server.url());
    second.goto(&path);
    second.does_not_see("Choose a password");
    second.goto("/");
    sign_in(&second, ADMIN, PASSWORD);
    second.sees("Overview");
}

#[test]
fn a_wrong_password_tells_nothing_and_the_sixth_has_to_wait() {
    let stage = Stage::empty();
    let browser = stage.stranger();
    browser.goto("/sign-in");
    sign_in(&browser, "nobody@example.org", "wrong");
    browser.sees("wrong");
    let unknown = browser.text_of("[role=alert]");
    for _ in 0..5 {
        sign_in(&browser, ADMIN, "not the password");
        browser.sees("wrong");
        assert_eq!(browser.text_of("[role=alert]"), unknown);
        assert_eq!(
            browser.value_of("Email address"),
            ADMIN,
            "only the password is asked again"
        );
        assert_eq!(browser.value_of("Password"), "");
    }
    sign_in(&browser, ADMIN, PASSWORD);
    browser.sees("Too many attempts");
    assert!(browser.cookies().iter().all(|cookie| cookie.name != SESSION));
}

#[test]
fn whoever_signs_out_is_out_and_so_is_a_copy_of_the_cookie() {
    let stage = Stage::empty();
    let thief = Visitor::new(&stage.server);
    let cookie = stage.admin.cookie(SESSION).expect("signed in");
    thief.put_cookie(SESSION, &cookie);
    assert_eq!(thief.get("/profile").status, 200);
    let browser = stage.browser();
    browser.goto("/profile");
    browser.click("Ada Lovelace Admin");
    browser.click("Log out");
    browser.sees("Log In");
    assert_eq!(thief.get("/profile").status, 303);
    browser.back();
    browser.does_not_see(ADMIN);
}

#[test]
fn sessions_are_listed_and_ended_one_by_one_and_everywhere() {
    let stage = Stage::empty();
    let elsewhere: Vec<Visitor> = (0..2)
        .map(|_| {
            let visitor = Visitor::new(&stage.server);
            visitor.submit("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]);
            assert_eq!(visitor.get("/profile").status, 200);
            visitor
        })
        .collect();
    let browser = stage.browser();
    browser.goto("/profile");
    browser.click("Log out everywhere");
    browser.sees("Log In");
    for visitor in &elsewhere {
        assert_eq!(visitor.get("/profile").status, 303);
    }
}

#[test]
fn a_deep_link_leads_there_after_signing_in() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let path = stage.cluster(&format!("database-tokens/{}", token.id));
    let browser = stage.stranger();
    browser.goto(&path);
    browser.sees("Log In");
    sign_in(&browser, ADMIN, PASSWORD);
    browser.arrives_at(&path);
    browser.sees("Seattle station");
}

#[test]
fn nobody_is_led_elsewhere_by_a_link_to_sign_in() {
    let stage = Stage::empty();
    for elsewhere in [
        "https://example.com/",
        "//example.com/",
        "/\\example.com",
        "javascript:alert(1)",
    ] {
        let visitor = Visitor::new(&stage.server);
        let path = format!("/sign-in?next={}", crate::visitors::escape(elsewhere));
        let form = visitor
            .form(&path)
            .with(&[("email", ADMIN), ("password", PASSWORD)]);
        let reply = visitor.post(&form);
        assert_eq!(reply.status, 303, "{reply}");
        let location = reply.header("location").expect("a location");
        assert!(
            location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\"),
            "{location}"
        );
    }
}

/// The session ends in the middle of a form: whoever signs in again finds what was typed.
#[test]
fn what_was_typed_survives_the_end_of_the_session() {
    let stage = Stage::start();
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens/new"));
    browser.fill("Token Description", "Typed before the end");
    browser.choose("Database", "weather");
    let elsewhere = Visitor::new(&stage.server);
    elsewhere.submit("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]);
    elsewhere.post(&elsewhere.form_on("/profile", "/profile/sessions/end"));
    assert_eq!(stage.admin.get("/profile").status, 303, "the session is over");
    browser.click("Create Token");
    browser.sees("Your session has ended");
    sign_in(&browser, ADMIN, PASSWORD);
    browser.sees("Typed before the end");
    browser.click("Send again");
    browser.sees("Token secret");
    assert_eq!(browser.complaints().len(), 1, "the console tells of the one 401");
}

/// Session fixation: an attacker, who may log in too, plants the cookie of a session of theirs that lives (ASVS 7.2.4).
#[test]
fn a_session_that_somebody_else_chose_does_not_become_ones_own() {
    let stage = Stage::empty();
    let attacker = stage.user("member", "mallory@example.org");
    let planted = attacker.cookie(SESSION).expect("signed in");
    let victim = Visitor::new(&stage.server);
    victim.put_cookie(SESSION, &planted);
    assert!(
        victim.get("/profile").text().contains("mallory@example.org"),
        "it lives"
    );
    // The page Log In sends whoever is signed in away; the seal, though, is of the session, which the attacker knows.
    let mut form = attacker.form_on("/profile", "/sign-out");
    form.action = "/sign-in".to_owned();
    let reply = victim.post(&form.with(&[("email", ADMIN), ("password", PASSWORD)]));
    assert_eq!(reply.status, 303, "{reply}");
    assert_ne!(victim.cookie(SESSION), Some(planted.clone()), "the cookie is new");
    assert!(victim.get("/profile").text().contains(ADMIN));
    let page = attacker.get("/profile");
    assert!(
        !page.text().contains(ADMIN),
        "the planted session is nobody else's"
    );
    assert_eq!(page.status, 303, "it ended when the browser signed in anew");

    // And each sign-in begins a session of its own.
    let again = Visitor::new(&stage.server);
    again.submit("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]);
    assert_ne!(again.cookie(SESSION), victim.cookie(SESSION));
}

#[test]
fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.forget_cookies();
    browser.goto("/sign-in");
    sign_in(&browser, ADMIN, PASSWORD);
    browser.sees("Overview");
    let cookies = browser.cookies();
    let session = cookies
        .iter()
        .find(|cookie| cookie.name == SESSION)
        .expect("a session");
    assert!(session.http_only, "{session:?}");
    assert_eq!((session.same_site.as_str(), session.path.as_str()), ("Lax", "/"));

    // Behind TLS it is also kept off plain connections, and bound to this host.
    let server = fresh()
        .arg("--public-url")
        .arg("https://rescind.example.org")
        .start();
    let lines = accept_headers(&server);
    let line = lines
        .iter()
        .find(|line| line.contains("session"))
        .expect("a session");
    assert!(
        line.starts_with("__Host-rescind_session="),
        "the name says host and security"
    );
    for part in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(line.contains(part), "{part} is missing");
    }
    assert!(!line.contains("Domain"));
}

/// The `Set-Cookie` lines of accepting the first invitation.
fn accept_headers(server: &TestServer) -> Vec<String> {
    let visitor = Visitor::new(server);
    let fields = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
    ];
    let reply = visitor.submit(&set_up_path(server), &fields);
    assert_eq!(reply.status, 303, "{reply}");
    let lines = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
    lines.map(|(_, line)| line.clone()).collect()
}

#[test]
fn a_disabled_user_is_out_at_once() {
    let stage = Stage::empty();
    let member = stage.user("member", "grace@example.org");
    assert_eq!(member.get("/profile").status, 200);
    let browser = stage.browser();
    browser.goto(&format!("{}/users", stage.account()));
    browser.click("Actions for grace@example.org");
    browser.click("Disable User");
    browser.sees("All sessions of this user end");
    browser.click("Disable User");
    browser.sees("Revision");
    assert_eq!(member.get("/profile").status, 303);
    let back = Visitor::new(&stage.server);
    let refused = back.submit(
        "/sign-in",
        &[("email", "grace@example.org"), ("password", PASSWORD)],
    );
    assert_ne!(refused.status, 303, "{refused}");
}
