//! Finding a token: search, sort, filters, pages, and the address that holds all of it.

use rescind_testkit::Key;

use crate::stage::Stage;

#[test]
fn search_finds_by_description_and_by_id_as_one_types() {
    let stage = Stage::start();
    let mut wanted = None;
    for number in 0..30 {
        let token = stage.token(&format!("Station {number:02}"), "weather");
        if number == 17 {
            wanted = Some(token);
        }
    }
    let wanted = wanted.expect("made");
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    browser.sees("of 30");
    browser.press(Key::Letter('/'));
    assert_eq!(browser.focused().name, "Search by description or ID");
    browser.type_text("station 17");
    browser.sees("1–1 of 1");
    assert_eq!(browser.column("Description"), ["Station 17"]);
    assert!(browser.url().contains("station"), "{}", browser.url());
    browser.reload();
    assert_eq!(browser.column("Description"), ["Station 17"]);
    assert_eq!(browser.value_of("Search by description or ID"), "station 17");

    browser.fill("Search by description or ID", "nowhere");
    browser.does_not_see("Station");
    browser.fill("Search by description or ID", &wanted.id);
    browser.sees("1–1 of 1");
    assert_eq!(browser.column("Description"), ["Station 17"]);
    browser.fill("Search by description or ID", "nowhere at all");
    browser.does_not_see("Station");
    browser.click("Clear search and filters");
    browser.sees("of 30");
}

#[test]
fn headers_sort_and_the_pager_turns_and_the_address_remembers() {
    let stage = Stage::start();
    for number in 0..25 {
        stage.token(&format!("Station {number:02}"), "weather");
    }
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    browser.click("Description");
    browser.sees("1–10 of 25");
    let first = browser.column("Description");
    let expected: Vec<String> = (0..10).map(|number| format!("Station {number:02}")).collect();
    assert_eq!(first, expected);
    browser.click("Description");
    browser.sees("Station 24");
    assert_eq!(browser.column("Description")[0], "Station 24");
    browser.click("Next page");
    browser.sees("11–20 of 25");
    assert_eq!(browser.column("Description")[0], "Station 14");
    browser.reload();
    assert_eq!(browser.column("Description")[0], "Station 14");
    browser.back();
    browser.sees("1–10 of 25");
    browser.choose("Rows per page", "50");
    browser.sees("1–25 of 25");
}

#[test]
fn inactive_tokens_are_shown_on_demand() {
    let stage = Stage::start();
    let gone = stage.token("Long gone", "weather");
    stage.token("Still here", "weather");
    stage.revoke(&gone);
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    assert_eq!(browser.column("Description"), ["Still here"]);
    browser.tick("Show Inactive Tokens");
    browser.sees("Long gone");
    assert_eq!(browser.column("Description").len(), 2);
}

#[test]
fn filters_narrow_the_list() {
    let stage = Stage::start();
    stage.database("tides");
    let used = stage.token("Seattle station", "weather");
    stage.token("Tide gauge", "tides");
    assert_eq!(stage.write_status(&used.secret), 204);
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    browser.choose("Database", "tides");
    browser.does_not_see("Seattle station");
    assert_eq!(browser.column("Description"), ["Tide gauge"]);
    browser.choose("Database", "Any database");
    browser.sees("Seattle station");
    browser.choose("Created by", "Created by me");
    browser.sees("The filters hide every one of the database tokens.");
    browser.click("Clear search and filters");
    browser.sees("1–2 of 2");
}

/// Whoever made tokens is there to choose, by name; others are not.
#[test]
fn the_list_is_narrowed_to_what_one_creator_made() {
    let stage = Stage::start();
    let grace = stage.user("member", "grace@example.org");
    stage.token("Made by a token", "weather");
    grace.submit(
        &stage.cluster("database-tokens/new"),
        &[
            ("description", "Made by Grace"),
            ("permissions", "1"),
            ("database-0", "weather"),
            ("read-0", "1"),
        ],
    );
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    browser.sees("1–2 of 2");
    let choices = || {
        browser.run_js(
            "return [...document.querySelector('select[name=creator]').options].map((option) => option.label)",
            &serde_json::json!([]),
        )
    };
    // Everybody is called Ada here; the administrator, who made none, is only "me".
    let offered = ["Any creator", "Created by me", "Ada Lovelace", "First start"];
    assert_eq!(choices(), serde_json::json!(offered));
    browser.choose("Created by", "Ada Lovelace");
    browser.sees("1–1 of 1");
    assert_eq!(browser.column("Description"), ["Made by Grace"]);
    browser.choose("Created by", "First start");
    browser.sees("Made by a token");
    assert_eq!(browser.column("Description"), ["Made by a token"]);
    // The address remembers, and the form shows what it says.
    browser.reload();
    assert_eq!(browser.column("Description"), ["Made by a token"]);
    assert!(browser.value_of("Created by").starts_with("management_token:"));

    // A member sees who made a token, and not what tokens of the account are called.
    let browser = stage.browser_of(&grace, rescind_testkit::BrowserSetup::default());
    browser.goto(&stage.cluster("database-tokens"));
    browser.sees("1–2 of 2");
    assert!(!browser.source().contains("First start"));
    browser.choose("Created by", "Created by me");
    browser.sees("1–1 of 1");
    assert_eq!(browser.column("Description"), ["Made by Grace"]);

    let browser = stage.browser();
    browser.goto(&format!("{}/management-tokens", stage.account()));
    browser.choose("Created by", "Rescind");
    browser.sees("1–1 of 1");
    assert_eq!(browser.column("Description"), ["First start"]);
}

#[test]
fn every_header_sorts() {
    let stage = Stage::start();
    stage.database("archive");
    stage.token("Beta", "weather");
    stage.token("Alpha", "archive");
    let browser = stage.browser();
    for (header, key) in [
        ("Status", "status"),
        ("Description", "description"),
        ("Databases", "databases"),
        ("Created At", "created"),
        ("Expires At", "expires"),
        ("Last Used", "used"),
    ] {
        browser.goto(&stage.cluster("database-tokens"));
        browser.click(header);
        browser.sees("1–2 of 2");
        assert!(
            browser.url().contains(&format!("sort={key}")),
            "{}",
            browser.url()
        );
    }
    browser.goto(&stage.cluster("database-tokens?sort=databases&dir=asc"));
    assert_eq!(browser.column("Description"), ["Alpha", "Beta"]);
    browser.goto(&stage.cluster("database-tokens?sort=created&dir=asc"));
    assert_eq!(browser.column("Description"), ["Beta", "Alpha"]);
    browser.goto(&stage.cluster("database-tokens?sort=created&dir=desc"));
    assert_eq!(browser.column("Description"), ["Alpha", "Beta"]);
}

#[test]
fn management_tokens_are_searched_sorted_and_shown_when_inactive() {
    let stage = Stage::empty();
    stage.management_token("Nightly job");
    stage.management_token("Terraform");
    let browser = stage.browser();
    let list = format!("{}/management-tokens", stage.account());
    browser.goto(&list);
    browser.click("Description");
    browser.sees("1–3 of 3");
    assert_eq!(
        browser.column("Description"),
        ["First start", "Nightly job", "Terraform"]
    );
    browser.click("Description");
    browser.sees("Terraform");
    assert!(browser.url().contains("dir=desc"), "{}", browser.url());
    browser.fill("Search by description or ID", "terra");
    browser.sees("1–1 of 1");
    browser.click("Options of Terraform");
    browser.click("Revoke Token");
    browser.tick("I understand the risk of this action");
    browser.click("Revoke Token");
    browser.sees("Refused on 1 of 1 nodes");
    browser.goto(&list);
    browser.sees("1–2 of 2");
    browser.tick("Show Inactive Tokens");
    browser.sees("1–3 of 3");
    browser.sees("Revoked");
}
