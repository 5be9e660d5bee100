//! What pages show: of a token, of an account, of the cluster, and the way from one to the other.

use std::time::Duration;

use rescind_testkit::{Postgres, ServerSetup};
use serde_json::json;

use crate::stage::{Stage, fresh};

/// The texts of the headers of the page's first table; hidden ones, for ticks and menus, left out.
fn headers(browser: &rescind_testkit::Browser) -> serde_json::Value {
    browser.run_js(
        "return [...document.querySelectorAll('table th')].filter((th) => !th.matches('.tick, .row-menu')) \
         .map((th) => th.innerText.trim())",
        &json!([]),
    )
}

#[test]
fn a_token_page_shows_what_it_opens_who_uses_it_and_its_trail() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    assert_eq!(stage.write_status(&token.secret), 204);
    let browser = stage.browser();
    browser.goto(&stage.cluster(&format!("database-tokens/{}", token.id)));
    browser.sees("Seattle station");
    assert_eq!(browser.fact("Token ID"), token.id);
    assert!(browser.fact("Created by").starts_with("Management token"));
    assert_eq!(browser.fact("Expires At"), "N/A");
    let of = |label: &str| {
        browser.run_js(
            "const table = document.querySelector(`[aria-label=\"${arguments[0]}\"] tbody`); \
             return [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))",
            &json!([label]),
        )
    };
    assert_eq!(of("Permissions"), json!([["weather", "Read, Write"]]));
    let trail = of("Audit trail");
    assert_eq!(trail[0][1], "Created", "{trail}");
    // Uses are written down every few seconds.
    let begun = std::time::Instant::now();
    while !["Last client", "Use by database"]
        .iter()
        .all(|part| browser.source().contains(part))
    {
        assert!(begun.elapsed().as_secs() < 30, "the use is not shown");
        browser.reload();
    }
    assert!(browser.fact("Last client").starts_with("127.0.0.1"));
    assert_eq!(of("Use by database"), json!([["weather", "1", "0"]]));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_account_page_leads_to_management_tokens() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto("/accounts");
    assert_eq!(browser.column("Account ID"), [stage.server.account_id()]);
    assert_eq!(browser.column("Status"), ["Active"]);
    browser.row("Default account").click("Default account");
    browser.arrives_at(&stage.account());
    assert_eq!(browser.fact("ID"), stage.server.account_id());
    browser.sees("Account Started");
    // The button at the upper right, not the entry of the side bar.
    browser.run_js("document.querySelector('main .head .acts a').click()", &json!([]));
    browser.arrives_at(&format!("{}/management-tokens", stage.account()));
    let member = stage.user("member", "grace@example.org");
    let page = member.get(&stage.account());
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("management-tokens"));
}

#[test]
fn accounts_and_clusters_are_chosen() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&stage.cluster("databases"));
    browser.click("Account Default account");
    browser.click("All Accounts");
    browser.arrives_at("/accounts");
    browser.click("Cluster Default cluster");
    browser.click("All Clusters");
    browser.arrives_at(&format!("{}/clusters", stage.account()));
    assert_eq!(
        headers(&browser),
        json!(["Name", "Cluster ID", "Status", "Created At"])
    );
    assert_eq!(browser.column("Cluster ID"), [stage.server.cluster_id()]);
    assert_eq!(browser.column("Status"), ["Ready"]);
    browser.fill("Search by name or ID", "nowhere");
    browser.sees("No match");
    browser.click("Clear search and filters");
    browser.tick("Show Deleted Clusters");
    browser.sees("Default cluster");
    browser.click("Options of Default cluster");
    assert!(browser.offers("Copy Cluster ID") && browser.offers("Copy Cluster URL"));
    browser.click("View overview");
    browser.sees("Cluster Details");
}

#[test]
fn the_overview_says_what_wants_a_look() {
    let stage = Stage::start();
    let path = format!("{}/tokens", stage.server.cluster_path());
    let browser = stage.browser();
    let soon = browser.run_js(
        "return new Date(Date.now() + 3 * 86400e3).toISOString()",
        &json!([]),
    );
    let body = json!({ "description": "Ends soon", "permissions": [], "expiresAt": soon });
    assert_eq!(
        stage
            .server
            .management()
            .json("POST", &path, &body.to_string())
            .status,
        200
    );
    let gone = stage.token("Leaked in a chat", "weather");
    stage.revoke(&gone);
    browser.goto("/");
    browser.sees("Cluster Details");
    assert_eq!(browser.fact("Name"), "Default cluster");
    assert_eq!(browser.fact("Cluster ID"), stage.server.cluster_id());
    assert_eq!(browser.fact("Cluster URL"), stage.server.url());
    assert!(browser.fact("Storage Used").ends_with('B'));
    browser.sees("Ends soon");
    browser.sees("1 in the next 14 days");
    browser.sees("Leaked in a chat");
    browser.sees("Cluster Metrics");
    browser.click("Leaked in a chat");
    browser.sees("This token was revoked");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_navigation_folds() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&stage.cluster("databases"));
    let entries = browser.run_js(
        "return [...document.querySelectorAll('.side-list a')].map((a) => a.innerText.trim())",
        &json!([]),
    );
    assert_eq!(
        entries,
        json!([
            "Overview",
            "Databases",
            "Tables",
            "Database Tokens",
            "Management Tokens",
            "Users",
            "Audit Log",
            "Nodes",
            "Help"
        ])
    );
    let is_labelled = || {
        browser.run_js(
            "return document.querySelector('.side-list .label').getClientRects().length > 0",
            &json!([]),
        )
    };
    assert_eq!(is_labelled(), json!(true));
    browser.click("Fold the side bar");
    assert_eq!(is_labelled(), json!(false));
    browser.reload();
    assert_eq!(is_labelled(), json!(false), "remembered");
}

#[test]
fn help_is_there() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto("/help");
    for heading in ["Documentation", "Keyboard", "Contact"] {
        browser.sees(heading);
    }
}

#[test]
fn nodes_are_shown() {
    let stage = Stage::start();
    let browser = stage.browser();
    browser.goto("/nodes");
    assert_eq!(browser.column("Status"), ["Admitting"]);
    let revision: u64 = browser.column("Revision")[0].parse().expect("a number");
    assert!(revision > 0);
    assert_eq!(browser.fact("Version"), env!("CARGO_PKG_VERSION"));
}

#[test]
fn several_nodes_are_shown_with_their_leases() {
    let postgres = Postgres::start().unwrap_or_else(|reason| panic!("{reason}"));
    let node = |setup: ServerSetup, name: &str| {
        let arguments = ["--node-name", name, "--lease-ttl", "1s"];
        arguments
            .iter()
            .fold(setup.catalog(&postgres.url()), |setup, argument| {
                setup.arg(*argument)
            })
    };
    let stage = Stage::with(node(fresh(), "node-1"));
    let mut second = node(ServerSetup::default(), "node-2")
        .joining(&stage.server)
        .start();
    let mut third = node(ServerSetup::default(), "node-3")
        .joining(&stage.server)
        .start();
    let browser = stage.browser();
    browser.goto("/nodes");
    assert_eq!(browser.column("Node"), ["node-1 this page", "node-2", "node-3"]);
    assert_eq!(browser.column("Status"), ["Admitting", "Admitting", "Admitting"]);
    assert_eq!(
        browser.column("Address"),
        [stage.server.url(), second.url(), third.url()]
    );
    for lease in browser.column("Lease") {
        assert!(
            lease.starts_with("1 s, renewed ") && lease.contains(" joined "),
            "{lease}"
        );
    }
    browser.sees("Points are not");
    browser.goto(&stage.cluster("databases"));
    browser.sees("Sizes are those on the node that shows this page");
    browser.goto("/nodes");
    second.stop();
    third.kill();
    let management = stage.server.management();
    while !management.get("/api/v0/nodes").text().contains("\"lapsed\"") {
        std::thread::sleep(Duration::from_millis(100));
    }
    browser.reload();
    assert_eq!(browser.column("Status"), ["Admitting", "Stopped", "Lapsed"]);
}

#[test]
fn the_audit_log_is_filtered() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    stage.revoke(&token);
    let browser = stage.browser();
    let log = format!("{}/audit-log", stage.account());
    browser.goto(&log);
    browser.sees("Database token revoked");
    browser.sees("Invitation accepted");
    // Receipts come a moment after what they are about.
    while !stage.admin.get(&log).text().contains("Database token receipt") {
        std::thread::sleep(Duration::from_millis(100));
    }
    browser.choose("Act", "Database tokens");
    browser.does_not_see("Invitation accepted");
    assert_eq!(browser.column("What").len(), 3);
    browser.choose("Done by", "By me");
    browser.sees("No match");
    browser.goto(&format!("{log}?subject={}", token.id));
    assert_eq!(browser.column("What").len(), 3);
    browser.sees("Seattle station");
    browser.goto(&format!("{log}?to=2001-01-01"));
    browser.sees("No match");
    browser.click("Clear search and filters");
    browser.sees("Database token revoked");
}

#[test]
fn the_columns_are_the_documented_ones() {
    let stage = Stage::start();
    stage.token("Seattle station", "weather");
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    assert_eq!(
        headers(&browser),
        json!([
            "Status",
            "Description",
            "Token ID",
            "Databases",
            "Created At",
            "Expires At",
            "Last Used"
        ])
    );
    assert_eq!(browser.column("Databases"), ["weather"]);
    assert_eq!(browser.column("Expires At"), ["N/A"]);
    assert_eq!(browser.column("Last Used"), ["Never"]);
    browser.goto(&format!("{}/management-tokens", stage.account()));
    assert_eq!(
        headers(&browser),
        json!([
            "Status",
            "Description",
            "Token ID",
            "Created At",
            "Expires At",
            "Last Used"
        ])
    );
    browser.goto(&stage.cluster("databases"));
    assert_eq!(
        headers(&browser),
        json!([
            "Name",
            "Database ID",
            "Max Tables",
            "Max Columns Per Table",
            "Retention Period",
            "Size"
        ])
    );
    browser.click("Options of weather");
    assert!(browser.offers("Copy Database ID"));
    browser.goto(&format!("{}/users", stage.account()));
    assert_eq!(
        headers(&browser),
        json!(["Status", "First Name", "Last Name", "Email", "Roles", "Joined On"])
    );
}

/// The browser itself counts what moved on the page without anybody doing anything (Layout Instability).
#[test]
fn nothing_moves_while_a_list_loads() {
    let stage = Stage::start();
    for number in 0..12 {
        stage.token(&format!("Station {number:02}"), "weather");
    }
    let browser = stage.browser();
    for path in [
        stage.cluster("database-tokens"),
        format!("{}/management-tokens", stage.account()),
        stage.cluster("databases"),
        "/".to_owned(),
        "/profile".to_owned(),
    ] {
        browser.goto(&path);
        browser.sees("Times are in");
        let moved = browser.run_js(
            "return new Promise((done) => { let sum = 0; \
             new PerformanceObserver((list) => { for (const shift of list.getEntries()) sum += shift.value; }) \
               .observe({ type: 'layout-shift', buffered: true }); \
             requestAnimationFrame(() => setTimeout(() => done(sum), 100)); })",
            &json!([]),
        );
        assert_eq!(moved, json!(0), "{path}");
    }
}
