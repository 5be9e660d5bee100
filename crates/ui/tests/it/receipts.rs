//! A node that does not answer: the page says so in time, names it, and waits again when it is asked to.

use std::time::Duration;

use rescind_testkit::{Postgres, Signal};

use crate::stage::{Stage, fresh};

/// Longer than a page waits, and not by much.
const TERM: &str = "14s";

#[test]
fn a_page_says_which_node_it_waits_for_and_waits_again() {
    let postgres = Postgres::start().unwrap_or_else(|reason| panic!("{reason}"));
    let node = |name: &str| {
        let setup = fresh().catalog(&postgres.url());
        setup.arg("--node-name").arg(name).arg("--lease-ttl").arg(TERM)
    };
    let stage = Stage::with(node("node-1"));
    stage.database("weather");
    let token = stage.token("Seattle station", "weather");
    stage.token("Portland station", "weather");
    let second = node("node-2").joining(&stage.server).start();
    let browser = stage.browser();
    let revoke = |name: &str| {
        browser.row(name).click(&format!("Options of {name}"));
        browser.click("Revoke Token");
        browser.tick("I understand the risk of this action");
        browser.click("Revoke Token");
    };
    browser.goto(&stage.cluster("database-tokens"));

    // Both answer: the notice says which, to whoever asks.
    revoke("Portland station");
    browser.sees("Refused on 2 of 2 nodes after");
    browser.click("Nodes");
    browser.sees("node-2 acts by it since");

    second.signal(Signal::STOP);
    revoke("Seattle station");
    browser.sees("Refused on 1 of 2 nodes so far. Still waiting for node-2");
    browser.click("Nodes");
    browser.sees("node-2 has not answered yet");
    assert_eq!(stage.write_status(&token.secret), 401, "it is done");
    assert_eq!(browser.axe(), Vec::new());

    browser.click("Wait again");
    // Of two, or of one if the lease lapsed before the button was pressed.
    browser.sees("In force on");
    browser.does_not_see("Still waiting");

    // What the page told is in the audit log a moment later, and what came of it.
    let log = format!("{}/audit-log?act=database_token.receipt", stage.account());
    while !stage.admin.get(&log).text().contains("node-2 lapsed") {
        std::thread::sleep(Duration::from_millis(100));
    }
    browser.goto(&log);
    browser.sees("Database token receipt");
    browser.sees("node-2 lapsed");
    browser.sees("node-2 awaited");
    second.signal(Signal::CONT);
}
