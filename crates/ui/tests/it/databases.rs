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

#[test]
fn a_database_is_created_with_its_limits() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&stage.cluster("databases/new"));
    browser.fill("Database Name", "weather");
    browser.tick("Retain Forever");
    browser.fill("Amount", "30");
    browser.choose("Units", "Days");
    browser.tick("Custom Table Limits");
    browser.fill("Max Tables", "7");
    browser.fill("Max Columns Per Table", "40");
    browser.click("Create Database");
    browser.sees("30 days");
    assert_eq!(browser.column("Max Tables"), ["7"]);
    assert_eq!(browser.column("Max Columns Per Table"), ["40"]);
    assert_eq!(browser.column("Retention Period"), ["30 days"]);
    browser.goto(&stage.cluster("databases/new"));
    browser.fill("Database Name", "weather");
    browser.click("Create Database");
    browser.sees("already");
    assert_eq!(
        browser.value_of("Database Name"),
        "weather",
        "nothing typed is lost"
    );
}

#[test]
fn a_table_is_partitioned_in_a_way_of_its_own() {
    let stage = Stage::start();
    let browser = stage.browser();
    browser.goto(&stage.cluster("tables?database=weather"));
    browser.click("New Table");
    browser.fill("Table Name", "tides");
    browser.tick("Use Custom Partitioning");
    browser.choose("Time Format", "%Y-%m (Monthly)");
    browser.fill("Tag Name", "station");
    browser.click("Create Table");
    browser.sees("tides");
    let tables = stage.server.management().get(&format!(
        "{}/databases/weather/tables",
        stage.server.cluster_path()
    ));
    let tables: serde_json::Value = serde_json::from_slice(&tables.bytes).expect("JSON");
    let template = tables[0]["partitionTemplate"].to_string();
    assert!(
        template.contains("%Y-%m") && template.contains("station"),
        "{tables}"
    );
}

#[test]
fn a_deleted_table_is_restored() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    assert_eq!(stage.write_status(&token.secret), 204);
    let table = format!("{}/databases/weather/tables/weather", stage.server.cluster_path());
    assert_eq!(stage.server.management().delete(&table).status, 204);
    let browser = stage.browser();
    browser.goto(&stage.cluster("tables?database=weather"));
    browser.sees("No tables in weather yet");
    browser.tick("Show Deleted Tables");
    browser.sees("Deleted");
    browser.click("Options of weather");
    browser.click("Restore Table");
    browser.click("Restore Table");
    browser.sees("Restored table weather in weather.");
    browser.goto(&stage.cluster("tables?database=weather"));
    assert_eq!(browser.column("Table Name"), ["weather"]);
}
