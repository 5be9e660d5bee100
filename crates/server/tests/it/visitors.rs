//! Someone with a browser, as far as these tests need one: keeps cookies and fills in forms.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rescind_testkit::{Reply, TestServer};

/// The password that everybody chooses.
pub(crate) const PASSWORD: &str = "quiet-otter-counts-9-rivers";

/// Someone with a browser.
pub(crate) struct Visitor<'a> {
    server: &'a TestServer,
    pub(crate) cookies: RefCell<BTreeMap<String, String>>,
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(server: &'a TestServer) -> Self {
        Self {
            server,
            cookies: RefCell::default(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "")
    }

    /// The same browser at another node.
    pub(crate) fn at<'b>(&self, server: &'b TestServer) -> Visitor<'b> {
        Visitor {
            server,
            cookies: self.cookies.clone(),
        }
    }

    /// Opens a page and sends its form back to it.
    pub(crate) fn submit(&self, path: &str, fields: &str) -> Reply {
        let page = self.get(path).text();
        let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
        self.send("POST", path, &format!("csrf={csrf}&{fields}"))
    }

    pub(crate) fn accept(&self, path: &str) -> Reply {
        let fields =
            format!("first_name=Ada&last_name=Lovelace&password={PASSWORD}&password_again={PASSWORD}");
        self.submit(path, &fields)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Reply {
        let pairs: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookie = pairs.join("; ");
        let headers = [
            ("cookie", cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", self.server.url()),
            ("sec-fetch-site", "same-origin"),
        ];
        let reply = self.server.http().send(method, path, &headers, body);
        for (_, line) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a name and a value");
            self.cookies
                .borrow_mut()
                .insert(name.to_owned(), value.to_owned());
        }
        reply
    }
}

/// What stands between two texts.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(after).next().unwrap_or_default()
}

/// The path of the last link in a text.
pub(crate) fn link(text: &str) -> String {
    let at = text.rfind("/invitations/I.V1.").expect("a link");
    let secret: String = text[at + "/invitations/I.V1.".len()..]
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    format!("/invitations/I.V1.{secret}")
}
