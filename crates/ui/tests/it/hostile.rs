//! Texts that somebody may type who wishes no good, or who merely has a long name for things.

use std::time::{Duration, Instant};

use rescind_testkit::{Browser, BrowserSetup};
use serde_json::{Value, json};

use crate::stage::{ADMIN, PASSWORD, Stage};
use crate::visitors::{Visitor, escape};

/// How long uses may take to be written down.
const PATIENCE: Duration = Duration::from_secs(30);

/// Each is accepted as a description and must be shown as typed.
pub(crate) const TEXTS: [&str; 7] = [
    "<script>window.hacked = 1</script>",
    "\"><img src=x onerror=\"window.hacked = 2\">",
    "'-alert(1)-' {{7*7}} ${7*7} <%= 7*7 %>",
    "</textarea></dialog></table><h1>Sign in again</h1>",
    "\u{645}\u{62d}\u{637}\u{629} \u{5ea}\u{5d7}\u{5e0}\u{5d4} right to left",
    "\u{1f33b}\u{1f469}\u{200d}\u{1f4bb}\u{1f1e8}\u{1f1ed} sensors of the greenhouse",
    "a-very-long-description-without-a-single-space-that-somebody-generated-from-the-path-of-a-deployment-in-a-\
     cluster-far-away-and-nobody-ever-shortened-because-nobody-had-to-read-it-until-now-0123456789",
];

/// Opens a page, which must show these texts as texts: none ran, made an element or was stopped only by the policy.
pub(crate) fn is_harmless(browser: &Browser, page: &str, texts: &[&str]) {
    browser.goto(page);
    for text in texts {
        browser.sees(text);
    }
    let found = browser.run_js(
        "return [window.hacked ?? null, document.querySelectorAll('img[src=x], main h1 ~ h1').length]",
        &json!([]),
    );
    assert_eq!(found, json!([Value::Null, 0]), "{page}");
    let refused = browser.complaints().into_iter();
    let refused: Vec<String> = refused
        .filter(|line| line.contains("Content Security Policy"))
        .collect();
    assert_eq!(refused, Vec::<String>::new(), "{page}");
}

/// As much of each text as a name takes.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Those that fit into a header of HTTP.
fn of_header() -> impl Iterator<Item = &'static str> {
    TEXTS.into_iter().filter(|text| text.is_ascii())
}

#[test]
fn names_of_people_are_text_wherever_they_are_shown() {
    let stage = Stage::empty();
    let names = TEXTS.map(short);
    for (number, name) in names.iter().enumerate() {
        let link = stage.invitation("admin", &format!("user{number}@example.org"));
        let visitor = Visitor::new(&stage.server);
        let fields = [
            ("first_name", name.as_str()),
            ("last_name", name),
            ("password", PASSWORD),
            ("password_again", PASSWORD),
        ];
        assert_eq!(visitor.submit(&link, &fields).status, 303, "{name}");
        let code = device(&stage, "influxctl", name);
        let browser = stage.browser_of(&visitor, BrowserSetup::default());
        // In the menu, in the profile, in "Act as you", and in the host that a program claims.
        is_harmless(&browser, "/profile", &[name]);
        is_harmless(&browser, &format!("/device?user_code={code}"), &[name]);
    }
    let browser = stage.browser();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let users = format!("{}/users", stage.account());
    is_harmless(&browser, &users, &all);
    is_harmless(&browser, &format!("{}/audit-log?rows=50", stage.account()), &[]);
    for (number, name) in all[..4].iter().enumerate() {
        for act in ["Change Role", "Disable User", "Delete User"] {
            browser.goto(&users);
            browser.click(&format!("Actions for user{number}@example.org"));
            browser.click(act);
            browser.sees(name);
            assert_eq!(
                browser.run_js("return window.hacked ?? null", &json!([])),
                Value::Null
            );
        }
    }
}

/// What a stranger writes onto the page on which an administrator decides.
#[test]
fn what_a_program_says_of_itself_is_text() {
    let stage = Stage::empty();
    let browser = stage.browser();
    for text in TEXTS {
        let code = device(&stage, text, text);
        is_harmless(&browser, &format!("/device?user_code={code}"), &[text]);
        browser.click("Deny");
        browser.sees("was told so");
        assert_eq!(
            browser.run_js("return window.hacked ?? null", &json!([])),
            Value::Null
        );
    }
}

/// Clients name themselves: on the page of their token, in its dialog, in the list of sessions.
#[test]
fn what_clients_call_themselves_is_text() {
    let stage = Stage::start();
    let browser = stage.browser();
    for text in of_header() {
        let token = stage.token("Station", "weather");
        let client = stage.client(&token.secret).header("user-agent", text);
        assert_eq!(
            client.post("/api/v2/write?bucket=weather", "weather a=1").status,
            204
        );
        let page = stage.cluster(&format!("database-tokens/{}", token.id));
        let begun = Instant::now();
        while !stage.admin.get(&page).text().contains("Last client") {
            assert!(
                begun.elapsed() < PATIENCE,
                "uses are written down every few seconds"
            );
        }
        is_harmless(&browser, &page, &[text]);
        is_harmless(&browser, &format!("{page}/revoke"), &[]);
        let visitor = Visitor::new(&stage.server);
        let form = visitor
            .form("/sign-in")
            .with(&[("email", ADMIN), ("password", PASSWORD)]);
        assert_eq!(visitor.post_from(&form, &[("user-agent", text)]).status, 303);
    }
    let shown: Vec<String> = of_header().map(|text| text.chars().take(80).collect()).collect();
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    is_harmless(&browser, "/profile", &shown);
}

/// Tables and columns come by line protocol, from whoever holds a token that writes.
#[test]
fn names_of_tables_and_columns_are_text() {
    let stage = Stage::start();
    let token = stage.token("Station", "weather");
    for text in TEXTS {
        let name = text.replace(' ', "\\ ").replace(',', "\\,").replace('=', "\\=");
        // A table's name needs no escape before "="; with one, the backslash stays.
        let table = text.replace(' ', "\\ ").replace(',', "\\,");
        let line = format!("{table},tag-{name}={name} field-{name}=1");
        let reply = stage
            .client(&token.secret)
            .post("/api/v2/write?bucket=weather", line);
        assert_eq!(reply.status, 204, "{text}: {reply}");
    }
    let browser = stage.browser();
    is_harmless(&browser, &stage.cluster("databases/1/tables"), &TEXTS);
    for (number, _) in TEXTS.iter().enumerate() {
        let page = stage.cluster(&format!("databases/1/tables/{}", number + 1));
        browser.goto(&page);
        let title = browser.text_of("main h1");
        assert!(TEXTS.contains(&title.as_str()), "{title}");
        is_harmless(
            &browser,
            &page,
            &[&format!("tag-{title}"), &format!("field-{title}")],
        );
    }
}

/// Ten kilobytes are a description too: shown whole where there is room, in short in lists, and never in the way.
#[test]
fn a_description_of_ten_kilobytes_is_shown() {
    let stage = Stage::start();
    let long = format!("{}the end", "<b>ten kilobytes</b> ".repeat(500));
    let token = stage.token(&long, "weather");
    let job = stage.management_token(&long);
    let browser = stage.browser();
    let one = stage.cluster(&format!("database-tokens/{}", token.id));
    let jobs = format!("{}/management-tokens", stage.account());
    for page in [
        stage.cluster("database-tokens"),
        one.clone(),
        format!("{one}/revoke"),
        jobs.clone(),
        format!("{jobs}/{}", job.id),
        format!("{jobs}/{}/revoke", job.id),
        format!("{}/audit-log", stage.account()),
    ] {
        is_harmless(&browser, &page, &["<b>ten kilobytes</b>"]);
        let is_wide = "const page = document.documentElement; return page.scrollWidth > page.clientWidth";
        assert_eq!(
            browser.run_js(is_wide, &json!([])),
            json!(false),
            "{page} scrolls sideways"
        );
    }
    browser.goto(&format!("{one}/edit"));
    assert_eq!(browser.value_of("Description"), long);
    browser.click("Save Changes");
    browser.sees("Revision");
    assert_eq!(stage.look_up(&token.id)["description"], long.as_str());
}

/// A program asks to act for somebody; the code that it shows.
pub(crate) fn device(stage: &Stage, program: &str, host: &str) -> String {
    let asked = stage.server.http().send(
        "POST",
        "/oauth/device",
        &[("content-type", "application/x-www-form-urlencoded")],
        format!("client_id={}&host_name={}", escape(program), escape(host)),
    );
    let answer: Value = serde_json::from_slice(&asked.bytes).expect("JSON");
    answer["user_code"]
        .as_str()
        .unwrap_or_else(|| panic!("no code in {answer}"))
        .to_owned()
}
