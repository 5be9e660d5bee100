//! One WebDriver session (W3C WebDriver 2): commands out, values or faults back.

use std::fmt;

use serde_json::{Value, json};

use crate::http::Http;

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    code: String,
    message: String,
}

impl Fault {
    /// Whether the same command may succeed a moment later: the page is changing under our feet.
    pub(super) fn may_pass(&self) -> bool {
        const PASSING: [&str; 7] = [
            "stale element reference",
            "no such element",
            "element not interactable",
            "element click intercepted",
            "javascript error",
            "no such execution context",
            "unknown error",
        ];
        PASSING.contains(&self.code.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What follows the first line is a stack trace of the driver's own code.
        let first = self.message.lines().next().unwrap_or_default();
        write!(f, "{}: {first}", self.code)
    }
}

/// A session with one browser; ending it closes the browser.
pub(super) struct Session {
    http: Http,
    path: String,
}

/// A reference to an element of the page as it was when it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element(pub(super) String);

/// The key under which WebDriver puts a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Element {
    pub(super) fn of(value: &Value) -> Option<Self> {
        Some(Self(value.get(ELEMENT)?.as_str()?.to_owned()))
    }

    pub(super) fn to_value(&self) -> Value {
        json!({ ELEMENT: self.0 })
    }
}

impl Session {
    pub(super) fn begin(driver: &str, capabilities: &Value) -> Result<Self, Fault> {
        let http = Http::new(driver);
        let asked = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let begun = answer(&http, "POST", "/session", &asked)?;
        let id = begun["sessionId"].as_str().expect("a new session has an id");
        Ok(Self {
            path: format!("/session/{id}"),
            http,
        })
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, Fault> {
        self.call("GET", path, &Value::Null)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Fault> {
        self.call("POST", path, body)
    }

    pub(super) fn delete(&self, path: &str) -> Result<Value, Fault> {
        self.call("DELETE", path, &Value::Null)
    }

    /// Runs the body of a function in the page. Neither its Content-Security-Policy nor a ban on its scripts keeps
    /// this from running, but without scripts no timer fires and no promise is kept.
    pub(super) fn run(&self, script: &str, arguments: &Value) -> Result<Value, Fault> {
        self.post("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// A command of the browser's own protocol for developers.
    pub(super) fn devtools(&self, command: &str, parameters: &Value) -> Result<Value, Fault> {
        self.post(
            "/goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        )
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Fault> {
        answer(&self.http, method, &format!("{}{path}", self.path), body)
    }
}

fn answer(http: &Http, method: &str, path: &str, body: &Value) -> Result<Value, Fault> {
    let reply = match body {
        Value::Null => http.try_send(method, path, &[], ""),
        body => http.try_send(
            method,
            path,
            &[("content-type", "application/json")],
            body.to_string(),
        ),
    };
    let reply = reply.map_err(|error| Fault {
        code: "no answer".to_owned(),
        message: format!("{method} {path}: {error}"),
    })?;
    let mut said: Value = serde_json::from_slice(&reply.bytes).map_err(|error| Fault {
        code: "no JSON".to_owned(),
        message: format!("{method} {path}: {error}: {}", reply.text()),
    })?;
    let value = said["value"].take();
    if reply.status == 200 {
        return Ok(value);
    }
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    Err(Fault {
        code: text("error"),
        message: text("message"),
    })
}
