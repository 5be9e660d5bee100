//! Someone who speaks to the Admin UI without a browser: sends forms as a browser would, and forged ones as it would not.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rescind_testkit::{Browser, Http, Reply, TestServer};

/// A client that keeps cookies and fills in forms.
pub(crate) struct Visitor {
    http: Http,
    origin: String,
    cookies: RefCell<BTreeMap<String, String>>,
}

/// A form of a page, with what stands in it.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Visitor {
    /// Someone unknown.
    pub(crate) fn new(server: &TestServer) -> Self {
        Self {
            http: server.http(),
            origin: server.url().to_owned(),
            cookies: RefCell::default(),
        }
    }

    /// Opens a page; follows no redirect.
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "")
    }

    /// Opens a page and sends its form to the same path, with these fields in place of what stands in it.
    pub(crate) fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let form = self.form(path);
        self.post(&form.with(fields))
    }

    /// The form of a page that posts to the page's own path.
    pub(crate) fn form(&self, path: &str) -> Form {
        self.form_on(path, path.split('?').next().unwrap_or(path))
    }

    /// The form of a page that posts to `action`.
    pub(crate) fn form_on(&self, path: &str, action: &str) -> Form {
        let form = self.shown_form_on(path, action);
        form.unwrap_or_else(|| panic!("{path} shows no form that posts to {action}"))
    }

    /// The same as [`Self::form`], where there is one.
    pub(crate) fn shown_form(&self, path: &str) -> Option<Form> {
        self.shown_form_on(path, path)
    }

    /// The same as [`Self::form_on`], where there is one.
    pub(crate) fn shown_form_on(&self, path: &str, action: &str) -> Option<Form> {
        let page = self.get(path);
        let forms = match page.status {
            200 => posting_forms(&page.text(), path),
            _ => Vec::new(),
        };
        let is_it = |form: &Form| form.action.split('?').next() == Some(action);
        forms.into_iter().find(is_it)
    }

    /// Sends a form, saying that it comes from our own pages as browsers do.
    pub(crate) fn post(&self, form: &Form) -> Reply {
        let headers = [
            ("origin", self.origin.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        self.post_from(form, &headers)
    }

    /// Sends a form with these headers instead.
    pub(crate) fn post_from(&self, form: &Form, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.send("POST", &form.action, &all, &form.body())
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    /// Takes this cookie for its own.
    pub(crate) fn put_cookie(&self, name: &str, value: &str) {
        self.cookies
            .borrow_mut()
            .insert(name.to_owned(), value.to_owned());
    }

    /// Hands the cookies to a browser: whoever signed in here is signed in there.
    pub(crate) fn lend(&self, browser: &Browser) {
        // A cookie is set for the page that is open.
        browser.goto("/sign-in");
        for (name, value) in &*self.cookies.borrow() {
            browser.put_cookie(name, value);
        }
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let pairs: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let line = pairs.join("; ");
        let mut all = headers.to_vec();
        if !line.is_empty() {
            all.push(("cookie", line.as_str()));
        }
        let reply = self.http.send(method, path, &all, body);
        for (_, line) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a name and a value");
            if line.contains("Max-Age=0") {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.put_cookie(name, value);
            }
        }
        reply
    }
}

impl Form {
    /// With these values instead of those of the same names.
    pub(crate) fn with(mut self, fields: &[(&str, &str)]) -> Self {
        for (name, _) in fields {
            self.fields.retain(|(kept, _)| kept != name);
        }
        self.fields.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self
    }

    fn body(&self) -> String {
        let pairs = self
            .fields
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// The title of a page, for messages.
pub(crate) fn title(page: &Reply) -> String {
    let text = page.text();
    let rest = text.split_once("<title>").map_or("", |(_, rest)| rest);
    rest.split("</title>").next().unwrap_or_default().to_owned()
}

/// Every form of a page that posts, with its hidden fields. A form without an action posts to the page itself.
fn posting_forms(page: &str, own: &str) -> Vec<Form> {
    let forms = page
        .split("<form")
        .skip(1)
        .map(|rest| rest.split("</form>").next().unwrap_or(rest));
    let posting =
        forms.filter(|form| attribute(form, "method").is_some_and(|it| it.eq_ignore_ascii_case("post")));
    posting
        .map(|form| {
            let hidden = form
                .split("<input")
                .skip(1)
                .filter(|input| attribute(input, "type").as_deref() == Some("hidden"));
            let fields = hidden.map(|input| {
                (
                    attribute(input, "name").unwrap_or_default(),
                    attribute(input, "value").unwrap_or_default(),
                )
            });
            Form {
                action: attribute(form, "action").unwrap_or_else(|| own.to_owned()),
                fields: fields.collect(),
            }
        })
        .collect()
}

/// An attribute of the tag that `text` is in.
fn attribute(text: &str, name: &str) -> Option<String> {
    let tag = text.split('>').next()?;
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    let value = rest.split('"').next()?;
    let plain = value
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'");
    let plain = plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#60;", "<")
        .replace("&#62;", ">");
    Some(plain.replace("&#38;", "&").replace("&amp;", "&"))
}

/// Percent-encoding of everything but letters and digits.
pub(crate) fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        if byte.is_ascii_alphanumeric() {
            all.push(char::from(byte));
        } else {
            all.push_str(&format!("%{byte:02X}"));
        }
        all
    })
}
