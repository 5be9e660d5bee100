//! What a person reads in a browser.

use std::fmt;

use serde_json::{Value, json};

use super::Browser;
use super::acts::Trouble;

/// The text of the page, or of the element with this selector, as it is seen.
const TEXT: &str = "const place = arguments[0] === null ? document.body : document.querySelector(arguments[0]); \
                    return place?.innerText ?? null";

/// What has the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Focus {
    /// The name of its HTML element.
    pub element: String,
    /// Its accessible name.
    pub name: String,
}

impl fmt::Display for Focus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.element, self.name)
    }
}

/// A cookie as the browser keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names are those of RFC 6265 and of its attributes"
)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    pub path: String,
    pub http_only: bool,
    pub secure: bool,
    pub same_site: String,
    /// In seconds since 1970; nothing for a cookie that ends with the browser.
    pub expiry: Option<i64>,
}

impl Browser {
    /// Waits until the page shows this text, spaces and line ends being equal.
    ///
    /// # Panics
    /// When it does not after a while.
    pub fn sees(&self, text: &str) {
        self.until(&format!("see {text:?}"), || match self.shows(text)? {
            true => Ok(()),
            false => Err(Trouble::Wait("it is not there".to_owned())),
        });
    }

    /// Waits until the page does not show this text.
    ///
    /// # Panics
    /// When it still does after a while.
    pub fn does_not_see(&self, text: &str) {
        self.until(&format!("lose sight of {text:?}"), || match self.shows(text)? {
            true => Err(Trouble::Wait("it is there".to_owned())),
            false => Ok(()),
        });
    }

    /// Waits until the address, without the server's part, is this one.
    ///
    /// # Panics
    /// When it is not after a while.
    pub fn arrives_at(&self, path: &str) {
        self.until(&format!("arrive at {path:?}"), || {
            let url = self.session.get("/url")?;
            match url.as_str().and_then(|url| url.strip_prefix(&self.base)) {
                Some(here) if here == path => Ok(()),
                _ => Err(Trouble::Wait(format!("this is {url}"))),
            }
        });
    }

    /// The text of the first element with this CSS selector, as it is seen.
    ///
    /// # Panics
    /// When there is none after a while.
    pub fn text_of(&self, selector: &str) -> String {
        self.until(&format!("read {selector}"), || {
            let text = self.session.run(TEXT, &json!([selector]))?;
            match text.as_str() {
                Some(text) => Ok(plain(text)),
                None => Err(Trouble::Wait("it is not there".to_owned())),
            }
        })
    }

    /// What stands beside this term in a list of facts, in the open dialog if there is one.
    ///
    /// # Panics
    /// When there is no such term after a while.
    pub fn fact(&self, term: &str) -> String {
        const FACT: &str = "const place = document.querySelector('dialog[open]') ?? document; \
             const plain = (cell) => cell.innerText.replace(/\\s+/g, ' ').trim(); \
             const found = [...place.querySelectorAll('dt')].find((dt) => plain(dt) === arguments[0]); \
             return found ? plain(found.nextElementSibling) : null";
        self.until(&format!("read {term:?}"), || {
            match self.session.run(FACT, &json!([term]))? {
                Value::String(text) => Ok(text),
                _ => Err(Trouble::Wait("there is no such term".to_owned())),
            }
        })
    }

    /// The texts of one column of the page's first table, from top to bottom, by the column's header.
    ///
    /// # Panics
    /// When there is no such column.
    pub fn column(&self, header: &str) -> Vec<String> {
        const COLUMN: &str = "const table = document.querySelector('table'); \
             const plain = (cell) => cell.innerText.replace(/\\s+/g, ' ').trim(); \
             const at = [...table?.tHead?.rows[0]?.cells ?? []].findIndex((cell) => plain(cell) === arguments[0]); \
             return at < 0 ? null : [...table.tBodies].flatMap((body) => [...body.rows]) \
                 .filter((row) => row.cells.length > at).map((row) => plain(row.cells[at]))";
        self.until(&format!("read the column {header:?}"), || {
            match self.session.run(COLUMN, &json!([header]))? {
                Value::Array(cells) => Ok(cells
                    .iter()
                    .map(|cell| cell.as_str().unwrap_or_default().to_owned())
                    .collect()),
                _ => Err(Trouble::Wait("there is no such column".to_owned())),
            }
        })
    }

    /// What has the focus.
    pub fn focused(&self) -> Focus {
        const FOCUS: &str = "const it = document.activeElement; \
             return [it.localName, (it.computedName ?? '').replace(/\\s+/g, ' ').trim()]";
        let found = self.run_js(FOCUS, &json!([]));
        let text = |at: usize| found[at].as_str().unwrap_or_default().to_owned();
        Focus {
            element: text(0),
            name: text(1),
        }
    }

    /// The page's title.
    pub fn title(&self) -> String {
        let title = self.expect("read the title", self.session.get("/title"));
        title.as_str().unwrap_or_default().to_owned()
    }

    /// The page's address.
    pub fn url(&self) -> String {
        let url = self.expect("read the address", self.session.get("/url"));
        url.as_str().unwrap_or_default().to_owned()
    }

    /// The page's source as it is now.
    pub fn source(&self) -> String {
        let source = self.expect("read the source", self.session.get("/source"));
        source.as_str().unwrap_or_default().to_owned()
    }

    /// The cookies that the browser would send with a request for this page.
    pub fn cookies(&self) -> Vec<Cookie> {
        let found = self.expect("read the cookies", self.session.get("/cookie"));
        found.as_array().into_iter().flatten().map(cookie).collect()
    }

    /// Puts a cookie for the page's server, as an attacker on a neighbouring name can.
    pub fn put_cookie(&self, name: &str, value: &str) {
        let asked = json!({ "cookie": { "name": name, "value": value, "path": "/" } });
        self.expect("put a cookie", self.session.post("/cookie", &asked));
    }

    /// Forgets all cookies.
    pub fn forget_cookies(&self) {
        self.expect("forget the cookies", self.session.delete("/cookie"));
    }

    /// What the browser's console was told since this was last asked: errors of scripts, refusals by the
    /// Content-Security-Policy, answers with an error's status.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.expect(
            "read the console",
            self.session.post("/se/log", &json!({ "type": "browser" })),
        );
        let entries = log.as_array().into_iter().flatten();
        let serious = entries.filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        serious
            .filter_map(|entry| entry["message"].as_str().map(str::to_owned))
            .collect()
    }

    fn shows(&self, text: &str) -> Result<bool, Trouble> {
        let here = self.session.run(TEXT, &json!([null]))?;
        Ok(plain(here.as_str().unwrap_or_default()).contains(&plain(text)))
    }
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cookie(found: &Value) -> Cookie {
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    Cookie {
        name: text("name"),
        value: text("value"),
        path: text("path"),
        http_only: found["httpOnly"] == true,
        secure: found["secure"] == true,
        same_site: text("sameSite"),
        expiry: found["expiry"].as_i64(),
    }
}
