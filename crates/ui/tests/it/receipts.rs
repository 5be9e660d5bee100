//! A node that does not answer: the page says so in time, names it, and waits again when it is asked to.

use std::thread;
use std::time::Duration;

use rescind_testkit::{BrowserSetup, Postgres, ServerSetup, Signal};
use serde_json::json;

use crate::looks::look_here;
use crate::stage::{ADMIN, PASSWORD, Stage, fresh};
use crate::visitors::Visitor;

/// So long that two thirds of it, which may be all that is left when a node stops, are well longer than a page waits.
const TERM: &str = "24s";

fn node(postgres: &Postgres, name: &str) -> ServerSetup {
    let setup = fresh().catalog(&postgres.url());
    setup.arg("--node-name").arg(name).arg("--lease-ttl").arg(TERM)
}

/// What was revoked a moment ago by somebody who still waits is not over: whoever comes second is told whom to wait for.
#[test]
fn whoever_comes_second_is_told_which_node_may_not_know_it_yet() {
    let postgres = Postgres::start().unwrap_or_else(|reason| panic!("{reason}"));
    let stage = Stage::with(node(&postgres, "node-1"));
    stage.database("weather");
    let (token, job) = (stage.token("Station", "weather"), stage.management_token("Job"));
    let account = stage.account();
    let lists = [
        (stage.cluster("database-tokens"), &token.id),
        (format!("{account}/management-tokens"), &job.id),
    ];
    let deletes = [
        format!("{}/tokens/{}", stage.server.cluster_path(), token.id),
        format!("/api/v0{account}/management-tokens/{}", job.id),
    ];
    let second = node(&postgres, "node-2").joining(&stage.server).start();
    let forms = lists.clone().map(|(list, id)| {
        let visitor = Visitor::new(&stage.server);
        visitor.submit("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]);
        let form = visitor.form(&format!("{list}/revoke?token={id}"));
        (
            visitor,
            form.with(&[("token", id.as_str()), ("understood", "on")]),
        )
    });
    second.signal(Signal::STOP);
    thread::scope(|scope| {
        for path in &deletes {
            let management = stage.server.management();
            scope.spawn(move || assert_eq!(management.delete(path).status, 204, "{path}"));
        }
        for (list, id) in &lists {
            let page = format!("{list}/{id}");
            while !stage.admin.get(&page).text().contains("This token was revoked") {
                thread::sleep(Duration::from_millis(50));
            }
        }
        for (visitor, form) in forms {
            scope.spawn(move || {
                let reply = visitor.post(&form);
                let page = visitor.get(reply.header("location").expect("a location"));
                let page = page.text();
                assert!(page.contains("None of them is there"), "{page}");
                assert!(page.contains("node-2</strong> has not answered yet"), "{page}");
            });
        }
    });
    second.signal(Signal::CONT);
}

/// Whoever logs out is told which node may still admit the session: not that it is over.
#[test]
fn whoever_logs_out_is_told_which_node_may_not_know_it_yet() {
    let postgres = Postgres::start().unwrap_or_else(|reason| panic!("{reason}"));
    let stage = Stage::with(node(&postgres, "node-1"));
    let grace = stage.user("member", "grace@example.org");
    let second = node(&postgres, "node-2").joining(&stage.server).start();
    let browser = stage.browser_of(&grace, BrowserSetup::default());
    browser.goto("/profile");
    second.signal(Signal::STOP);
    browser.click("Ada Lovelace Member");
    browser.click("Log out");
    browser.sees("You are logged out here. Refused on 1 of 2 nodes so far. Still waiting for node-2");
    browser.click("Nodes");
    browser.sees("node-2 has not answered yet");
    assert!(!browser.offers("Wait again"), "nobody is there to wait");
    let is_warned = "return document.querySelector('.notice').classList.contains('warn')";
    assert_eq!(browser.run_js(is_warned, &json!([])), json!(true));
    look_here(&browser, "logged-out-awaited");
    assert_eq!(grace.get("/profile").status, 303, "it is done");

    // Logging in waits for the node; by then it has stopped serving, and there is nothing to mind.
    browser.fill("Email address", "grace@example.org");
    browser.fill("Password", PASSWORD);
    browser.click("Continue");
    browser.sees("Overview");
    browser.does_not_see("so far");
    second.signal(Signal::CONT);
}

#[test]
fn a_page_says_which_node_it_waits_for_and_waits_again() {
    let postgres = Postgres::start().unwrap_or_else(|reason| panic!("{reason}"));
    let stage = Stage::with(node(&postgres, "node-1"));
    stage.database("weather");
    let token = stage.token("Seattle station", "weather");
    stage.token("Portland station", "weather");
    let second = node(&postgres, "node-2").joining(&stage.server).start();
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
    browser.sees("node-2 acts by it, after");
    look_here(&browser, "receipt-complete");

    second.signal(Signal::STOP);
    revoke("Seattle station");
    browser.sees("Refused on 1 of 2 nodes so far. Still waiting for node-2");
    browser.click("Nodes");
    browser.sees("node-2 has not answered yet");
    assert_eq!(stage.write_status(&token.secret), 401, "it is done");
    look_here(&browser, "receipt-awaited");

    while browser.offers("Wait again") {
        browser.click("Wait again");
    }
    // Of two, or of one if the lease lapsed before the button was pressed.
    browser.sees("In force on");
    browser.does_not_see("Still waiting");

    // What the page told is in the audit log a moment later, and what came of it.
    let log = format!("{}/audit-log?act=database_token.receipt", stage.account());
    while !stage.admin.get(&log).text().contains("node-2 lapsed") {
        thread::sleep(Duration::from_millis(100));
    }
    browser.goto(&log);
    browser.sees("Database token receipt");
    browser.sees("node-2 lapsed");
    browser.sees("node-2 awaited");
    second.signal(Signal::CONT);
}
