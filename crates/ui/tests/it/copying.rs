//! What the script adds to texts: copying, and the reader's own time.

use rescind_testkit::Browser;
use serde_json::{Value, json};

use crate::stage::Stage;

/// Notes what the page puts into the clipboard, by the new way or by the old one.
fn watch(browser: &Browser, has_clipboard: bool) {
    browser.run_js(
        "window.copied = []; \
         navigator.clipboard.writeText = async (text) => { \
           if (!arguments[0]) throw new DOMException('no clipboard', 'NotAllowedError'); \
           window.copied.push(text); \
         }; \
         document.addEventListener('copy', (e) => window.copied.push(e.target.value))",
        &json!([has_clipboard]),
    );
}

fn copied(browser: &Browser) -> Value {
    browser.run_js("return window.copied", &json!([]))
}

#[test]
fn ids_and_secrets_are_copied_whole() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let browser = stage.browser();
    for has_clipboard in [true, false] {
        browser.goto(&stage.cluster("database-tokens"));
        watch(&browser, has_clipboard);
        browser.row("Seattle station").click("Copy token ID");
        browser.sees("Seattle station");
        assert_eq!(copied(&browser), json!([token.id]), "clipboard: {has_clipboard}");
        let said = browser.run_js("return document.getElementById('said').textContent", &json!([]));
        assert_eq!(said, json!("Copied"));
    }
    browser.goto(&stage.cluster("database-tokens/new"));
    browser.fill("Token Description", "Another");
    browser.choose("Database", "weather");
    browser.click("Create Token");
    browser.sees("Token secret");
    watch(&browser, true);
    browser.click("Copy secret");
    browser.sees("Copied");
    assert_eq!(copied(&browser), json!([browser.text_of("#secret")]));
}

/// The text is the reader's own time, the exact one in UTC is on demand: in every zone, and of the same width.
#[test]
fn times_are_the_readers_own_and_exact_on_demand() {
    let stage = Stage::start();
    stage.token("Seattle station", "weather");
    let browser = stage.browser();
    browser.zone("Asia/Kathmandu");
    browser.goto(&stage.cluster("database-tokens"));
    browser.sees("Times are in Asia/Kat");
    let [exact, shown, title] = ["dateTime", "innerText", "title"].map(|what| {
        let of_it = format!("return document.querySelector('td time[data-local]').{what}");
        let value = browser.run_js(&of_it, &json!([]));
        value.as_str().expect("a text").to_owned()
    });
    assert!(exact.ends_with('Z') && exact.len() == 27, "{exact}");
    assert!(title.starts_with(&format!("{exact} (UTC), ")), "{title}");
    let ahead = "const at = new Date(Date.parse(arguments[0]) + (5 * 60 + 45) * 60000); \
                 return at.toISOString().slice(0, 16).replace('T', ' ')";
    assert_eq!(browser.run_js(ahead, &json!([exact])), json!(shown));
}
