//! Databases and tables by the documented dialogs (contract, admin-ui sections 4 and 5).

use crate::stage::Stage;

#[test]
fn a_database_is_created_kept_deleted_and_restored() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&stage.cluster("databases"));
    browser.click("New Database");
    browser.sees("Create Database");
    browser.fill("Database Name", "weather");
    browser.click("Create Database");
    browser.sees("weather");
    browser.sees("Retain Forever");

    browser.click("Options of weather");
    browser.click("Set Retention Period");
    browser.tick("Retain Forever");
    browser.fill("Amount", "30");
    browser.choose("Units", "Days");
    browser.click("Set Retention Period");
    browser.sees("30 days");

    browser.click("Options of weather");
    browser.click("Delete Database");
    assert!(browser.is_disabled("Delete Database"));
    browser.tick("I understand the risk of this action");
    assert!(
        browser.is_disabled("Delete Database"),
        "the name is still to be typed"
    );
    browser.fill("Enter Database Name to Delete", "weather");
    browser.click("Delete Database");
    browser.sees("Revision");

    browser.tick("Show Deleted Databases");
    browser.sees("Deleted");
    browser.click("Options of weather");
    browser.click("Restore Database");
    browser.click("Restore Database");
    browser.sees("Revision");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_table_is_created_and_its_columns_are_shown() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let browser = stage.browser();
    browser.goto(&stage.cluster("tables?database=weather"));
    browser.click("New Table");
    browser.sees("Create Table");
    browser.fill("Table Name", "tides");
    browser.click("Create Table");
    browser.sees("tides");
    assert_eq!(stage.write_status(&token.secret), 204);
    browser.reload();
    browser.click("weather");
    browser.sees("warmest");
}
