//! The documented walks of revocation (contract, SEED-1, SEED-3 and SEED-4), each while a client is at work.

use std::time::{Duration, Instant};

use rescind_testkit::{Browser, BrowserSetup, Key};

use crate::stage::{ADMIN, PASSWORD, Stage};
use crate::writers::Client;

/// How long a use may take to be shown.
const PATIENCE: Duration = Duration::from_secs(60);
const RISK: &str = "I understand the risk of this action";

/// Opens the menu at the right end of a row.
fn options(browser: &Browser, name: &str) {
    browser.row(name).click(&format!("Options of {name}"));
}

/// Whoever watches is told: what was done, on how many nodes, how fast.
fn is_told_of_the_receipt(browser: &Browser) {
    browser.sees("efused on 1 of 1 nodes after");
    browser.sees("Revision");
}

#[test]
fn a_database_token_is_revoked_by_the_documented_steps() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let other = stage.token("Portland station", "weather");
    let writer = Client::writing(stage.client(&token.secret), "weather");
    let bystander = Client::writing(stage.client(&other.secret), "weather");

    // Log in, open the cluster, Database Tokens.
    let browser = stage.stranger();
    browser.goto("/");
    browser.fill("Email address", ADMIN);
    browser.fill("Password", PASSWORD);
    browser.click("Continue");
    browser.click("Database Tokens");
    browser.sees("Seattle station");
    writer.is_served();
    // Uses are written down every few seconds.
    let begun = Instant::now();
    while browser.column("Last Used").iter().any(|used| used == "Never") {
        assert!(begun.elapsed() < PATIENCE, "the list shows no use");
        browser.reload();
    }

    // 6.3, steps 2 to 6.
    options(&browser, "Seattle station");
    browser.click("Revoke Token");
    browser.sees("Revoke Database Token");
    assert_eq!(browser.fact("Token Description"), "Seattle station");
    assert_eq!(browser.fact("Expiration Date"), "Does not expire");
    browser.click("See more details");
    assert_eq!(browser.fact("From"), "127.0.0.1");
    assert!(browser.is_disabled("Revoke Token"), "before the box is ticked");
    writer.is_served();
    browser.tick(RISK);
    assert!(!browser.is_disabled("Revoke Token"));
    browser.click("Revoke Token");

    // Step 7.
    is_told_of_the_receipt(&browser);
    assert_eq!(stage.write_status(&token.secret), 401);
    assert_eq!(writer.refusal().status, 401);
    assert!(bystander.goes_on());
    assert_eq!(browser.column("Description"), ["Portland station"]);
    browser.tick("Show Inactive Tokens");
    browser.sees("Seattle station");
    browser.sees("Revoked");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_management_token_is_revoked_by_the_documented_steps() {
    let stage = Stage::empty();
    let token = stage.management_token("Nightly job");
    let databases = format!("{}/databases", stage.server.cluster_path());
    let caller = Client::reading(stage.client(&token.secret), databases.clone());

    let browser = stage.browser();
    browser.goto(&stage.account());
    // The documented step is the button at the upper right, not the entry of the side bar.
    browser.run_js(
        "document.querySelector('main .head .acts a').click()",
        &serde_json::json!([]),
    );
    browser.fill("Search by description or ID", "nightly");
    browser.press(Key::Enter);
    options(&browser, "Nightly job");
    browser.click("Revoke Token");
    browser.sees("Revoke Management Token");
    caller.is_served();
    assert!(browser.is_disabled("Revoke Token"));
    browser.tick(RISK);
    browser.click("Revoke Token");

    is_told_of_the_receipt(&browser);
    assert_eq!(stage.client(&token.secret).get(&databases).status, 401);
    assert_eq!(caller.refusal().status, 401);
    browser.sees("No match");
    browser.click("Clear search and filters");
    assert!(!browser.column("Description").contains(&"Nightly job".to_owned()));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn without_scripts_the_same_steps_revoke() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let writer = Client::writing(stage.client(&token.secret), "weather");

    let browser = BrowserSetup::default()
        .without_scripts()
        .start(stage.server.url());
    browser.goto("/");
    browser.fill("Email address", ADMIN);
    browser.fill("Password", PASSWORD);
    browser.click("Continue");
    browser.click("Database Tokens");
    options(&browser, "Seattle station");
    browser.click("Revoke Token");
    browser.sees("Revoke Database Token");
    writer.is_served();
    // Nothing disables the button where no script runs: the form asks for the box instead.
    browser.click("Revoke Token");
    writer.is_served();
    browser.tick(RISK);
    browser.click("Revoke Token");

    is_told_of_the_receipt(&browser);
    assert_eq!(writer.refusal().status, 401);
}

#[test]
fn cancel_and_escape_change_nothing() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    for leave in [(|browser| browser.click("Cancel")) as fn(&Browser), |browser| {
        browser.press(Key::Escape)
    }] {
        options(&browser, "Seattle station");
        browser.click("Revoke Token");
        browser.tick(RISK);
        leave(&browser);
        browser.does_not_see("Revoke Database Token");
        browser.sees("Seattle station");
        assert_eq!(stage.write_status(&token.secret), 204);
    }
}

#[test]
fn several_tokens_are_revoked_together() {
    let stage = Stage::start();
    let tokens: Vec<_> = (0..4)
        .map(|number| stage.token(&format!("Station {number}"), "weather"))
        .collect();
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    for description in ["Station 1", "Station 3"] {
        browser.row(description).tick(&format!("Select {description}"));
    }
    browser.click("Revoke Tokens");
    browser.sees("Station 1");
    browser.sees("Station 3");
    browser.tick(RISK);
    browser.click("Revoke 2 tokens");
    is_told_of_the_receipt(&browser);
    let statuses: Vec<u16> = tokens
        .iter()
        .map(|token| stage.write_status(&token.secret))
        .collect();
    assert_eq!(statuses, [204, 401, 204, 401]);
}

#[test]
fn a_token_that_somebody_else_revoked_meanwhile_is_no_error() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    options(&browser, "Seattle station");
    browser.click("Revoke Token");
    browser.tick(RISK);
    stage.revoke(&token);
    browser.click("Revoke Token");
    browser.sees("was revoked before");
    assert_eq!(stage.write_status(&token.secret), 401);
}

#[test]
fn back_after_a_revocation_offers_nothing_that_is_done() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let browser = stage.browser();
    browser.goto(&stage.cluster(&format!("database-tokens/{}/revoke", token.id)));
    browser.tick(RISK);
    browser.click("Revoke Token");
    is_told_of_the_receipt(&browser);
    browser.back();
    browser.sees("was revoked before");
    assert_eq!(stage.write_status(&token.secret), 401);
}

/// No mouse at all: Tab to the list, Enter, arrows in the menu, Space for the box.
#[test]
fn the_keyboard_alone_revokes() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let writer = Client::writing(stage.client(&token.secret), "weather");
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));

    tab_to(&browser, "Options of Seattle station");
    browser.press(Key::Enter);
    browser.press(Key::Down);
    for _ in 0..10 {
        if browser.focused().name == "Revoke Token" {
            break;
        }
        browser.press(Key::Down);
    }
    assert_eq!(browser.focused().name, "Revoke Token");
    browser.press(Key::Enter);
    browser.sees("Revoke Database Token");
    writer.is_served();
    tab_to(&browser, RISK);
    browser.press(Key::Space);
    tab_to(&browser, "Revoke Token");
    browser.press(Key::Enter);
    is_told_of_the_receipt(&browser);
    assert_eq!(writer.refusal().status, 401);
}

/// Presses Tab until the focus is on something of this name.
fn tab_to(browser: &Browser, name: &str) {
    for _ in 0..80 {
        if browser.focused().name == name {
            return;
        }
        browser.press(Key::Tab);
    }
    panic!("Tab never reaches {name:?}; it ends at {}", browser.focused());
}
