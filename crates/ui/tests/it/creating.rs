//! Making and changing tokens: what the dialogs ask, what they show once, and that it works at once.

use serde_json::{Value, json};

use crate::hostile::TEXTS;
use crate::stage::Stage;

/// The database token in a text.
fn secret_in(text: &str, prefix: &str) -> String {
    let at = text
        .find(prefix)
        .unwrap_or_else(|| panic!("no {prefix} in {text}"));
    text[at..]
        .chars()
        .take_while(|letter| letter.is_ascii_alphanumeric() || "_.".contains(*letter))
        .collect()
}

#[test]
fn a_database_token_is_created_and_works_when_the_dialog_shows_it() {
    let stage = Stage::start();
    stage.database("archive");
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    browser.click("New Database Token");
    browser.sees("Create Database Token");
    browser.fill("Token Description", "Seattle station");
    browser.tick("Expiration");
    browser.fill("Expiration Date", "2090-12-31");
    browser.fill("Expiration Time (UTC)", "23:45");
    browser.choose("Database", "weather");
    browser.tick("Write");
    browser.click("Create Token");

    browser.sees("Token secret");
    let secret = secret_in(&browser.text_of("#secret"), "apiv1_");
    assert_eq!(stage.write_status(&secret), 204);
    assert_eq!(
        stage
            .client(&secret)
            .post("/api/v2/write?bucket=archive", "a b=1")
            .status,
        403
    );
    assert!(!browser.url().contains("apiv1_") && !browser.title().contains("apiv1_"));
    browser.click("Done");
    browser.sees("Seattle station");

    // Never again: not in the list, not on the token's page, not by the button Back.
    let id = {
        let list = stage
            .server
            .management()
            .get(&format!("{}/tokens", stage.server.cluster_path()));
        let list: Value = serde_json::from_slice(&list.bytes).expect("JSON");
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
        list[0]["id"].as_str().expect("an id").to_owned()
    };
    let token = stage.look_up(&id);
    assert!(
        token["expiresAt"]
            .as_str()
            .is_some_and(|at| at.starts_with("2090-12-31") || at.starts_with("2091-01-01"))
    );
    assert_eq!(
        token["permissions"],
        json!([
            {"action": "read", "resource": "weather"},
            {"action": "write", "resource": "weather"},
        ])
    );
    browser.goto(&stage.cluster(&format!("database-tokens/{id}")));
    assert!(!browser.source().contains(&secret));
    browser.back();
    assert!(!browser.source().contains(&secret));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(stage.server.leaks(&[secret]), Vec::<String>::new());
}

#[test]
fn several_permissions_are_given_and_all_databases_are_one_of_them() {
    let stage = Stage::start();
    stage.database("archive");
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens/new"));
    browser.fill("Token Description", "Everything");
    browser.choose("Database", "All Databases");
    browser.click("Create Token");
    browser.sees("Token secret");
    let secret = secret_in(&browser.text_of("#secret"), "apiv1_");
    assert_eq!(
        stage.write_status(&secret),
        403,
        "a new row reads and does not write"
    );
    let query = "/api/v3/query_sql?db=archive&q=SELECT%201";
    assert_eq!(stage.client(&secret).get(query).status, 200);
}

#[test]
fn what_is_missing_is_said_beside_the_field_and_nothing_is_lost() {
    let stage = Stage::start();
    let browser = stage.browser_with(rescind_testkit::BrowserSetup::default().without_scripts());
    browser.goto(&stage.cluster("database-tokens/new"));
    browser.run_js(
        "for (const field of document.querySelectorAll('[required]')) field.required = false",
        &json!([]),
    );
    browser.fill("Token Description", "   ");
    browser.click("Create Token");
    browser.sees("Create Database Token");
    assert_eq!(
        browser.run_js(
            "return document.querySelectorAll('[aria-invalid=true]').length > 0",
            &json!([])
        ),
        json!(true)
    );
    browser.fill("Token Description", "Kept");
    browser.tick("Expiration");
    browser.fill("Expiration Date", "1999-01-01");
    browser.fill("Expiration Time (UTC)", "00:00");
    browser.choose("Database", "weather");
    browser.click("Create Token");
    browser.sees("Expiration Date");
    assert_eq!(browser.value_of("Token Description"), "Kept");
    assert_eq!(browser.value_of("Expiration Date"), "1999-01-01");
    browser.fill("Expiration Date", "2090-01-01");
    browser.click("Create Token");
    browser.sees("Token secret");
}

#[test]
fn a_management_token_is_created_and_works() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&format!("{}/management-tokens", stage.account()));
    browser.click("New Management Token");
    browser.sees("Create Management Token");
    browser.fill("Token Description (optional)", "Nightly job");
    browser.click("Create Token");
    browser.sees("Token secret");
    let secret = secret_in(&browser.text_of("#secret"), "M.V1.");
    let databases = format!("{}/databases", stage.server.cluster_path());
    assert_eq!(stage.client(&secret).get(&databases).status, 200);
    browser.click("Done");
    browser.sees("Nightly job");
}

#[test]
fn a_token_is_edited_and_the_change_holds_at_once() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    browser.click("Options of Seattle station");
    browser.click("Edit Token");
    browser.sees("Edit Database Token");
    browser.fill("Description", "Seattle station, reading only");
    browser.tick("Write");
    browser.click("Save Changes");
    browser.sees("Seattle station, reading only");
    browser.sees("Revision");
    assert_eq!(stage.write_status(&token.secret), 403);
    assert_eq!(
        stage.look_up(&token.id)["permissions"],
        json!([{"action": "read", "resource": "weather"}])
    );
}

/// The second of two administrators who edit one token is told, and sees both.
#[test]
fn a_change_that_somebody_else_made_meanwhile_is_not_overwritten_unseen() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let edit = stage.cluster(&format!("database-tokens/{}/edit", token.id));
    let (first, second) = (stage.browser(), stage.browser());
    first.goto(&edit);
    second.goto(&edit);
    first.fill("Description", "By the first");
    first.click("Save Changes");
    first.sees("Revision");
    second.fill("Description", "By the second");
    second.click("Save Changes");
    second.sees("Nothing of yours was saved yet");
    second.sees("By the first");
    assert_eq!(second.value_of("Description"), "By the second");
    assert_eq!(stage.look_up(&token.id)["description"], "By the first");
    second.click("Save mine");
    second.sees("Revision");
    assert_eq!(stage.look_up(&token.id)["description"], "By the second");
}

#[test]
fn sending_a_form_twice_makes_one_token() {
    let stage = Stage::start();
    let path = stage.cluster("database-tokens/new");
    let form = stage.admin.form(&path).with(&[
        ("description", "Twice"),
        ("permissions", "1"),
        ("database-0", "weather"),
        ("read-0", "1"),
    ]);
    let first = stage.admin.post(&form);
    let second = stage.admin.post(&form);
    assert!(first.status < 400 && second.status < 400, "{first}\n{second}");
    let list = stage
        .server
        .management()
        .get(&format!("{}/tokens", stage.server.cluster_path()));
    let list: Value = serde_json::from_slice(&list.bytes).expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    assert!(first.text().contains("apiv1_"), "the first shows the secret");
    assert!(!second.text().contains("apiv1_"), "and no other answer does");
}

#[test]
fn hostile_descriptions_are_text_and_nothing_else() {
    let stage = Stage::start();
    let browser = stage.browser();
    for text in TEXTS {
        let token = stage.token(text, "weather");
        for page in ["", "/edit", "/revoke"] {
            browser.goto(&stage.cluster(&format!("database-tokens/{}{page}", token.id)));
            assert_eq!(
                browser.run_js("return window.hacked ?? null", &json!([])),
                Value::Null,
                "{text}"
            );
        }
    }
    browser.goto(&stage.cluster("database-tokens?rows=50"));
    for text in TEXTS {
        let start: String = text.chars().take(40).collect();
        browser.sees(&start);
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_permission_is_added_and_holds_at_once() {
    let stage = Stage::start();
    stage.database("archive");
    let token = stage.token("Seattle station", "archive");
    assert_eq!(stage.write_status(&token.secret), 403);
    let browser = stage.browser();
    browser.goto(&stage.cluster(&format!("database-tokens/{}", token.id)));
    browser.click("Edit Token");
    browser.sees("Edit Database Token");
    let expiry = "return [...document.querySelectorAll('dialog .field')].find((field) => \
                  field.innerText.startsWith('Expiration Date and Time')).querySelector('input') === null";
    assert_eq!(
        browser.run_js(expiry, &json!([])),
        json!(true),
        "an expiry cannot be changed"
    );
    browser.click("Add Permission");
    browser.run_js(
        "const rows = document.querySelectorAll('dialog [data-row]'); const row = rows[rows.length - 1]; \
         row.querySelector('select').value = 'weather'; \
         const write = row.querySelector('[name^=write]'); if (!write.checked) write.click(); \
         row.querySelector('select').dispatchEvent(new Event('input', { bubbles: true }))",
        &json!([]),
    );
    browser.click("Save Changes");
    browser.sees("In force on 1 of 1 nodes");
    assert_eq!(stage.write_status(&token.secret), 204);
}

#[test]
fn a_management_token_may_expire() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&format!("{}/management-tokens/new", stage.account()));
    browser.fill("Token Description (optional)", "Nightly job");
    browser.tick("Expiration");
    browser.fill("Expiration Date", "2090-12-31");
    browser.fill("Expiration Time (UTC)", "12:00");
    browser.click("Create Token");
    browser.sees("Token secret");
    let secret = secret_in(&browser.text_of("#secret"), "M.V1.");
    let databases = format!("{}/databases", stage.server.cluster_path());
    assert_eq!(stage.client(&secret).get(&databases).status, 200);
    browser.click("Done");
    browser.sees("2090-12-31");
    assert_eq!(stage.server.leaks(&[secret]), Vec::<String>::new());
}
