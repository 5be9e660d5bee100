//! A real headless Chromium, driven as a person drives it: by what stands on buttons, links and fields.
//!
//! It speaks WebDriver itself, over the HTTP client that is here anyway. The library for it, fantoccini, is
//! asynchronous and would bring tokio, a second `http` and a second ICU into tests that need a dozen commands.

mod acts;
mod audit;
mod driver;
mod keys;
mod pictures;
mod reading;
mod session;
mod setup;

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub use acts::Row;
use acts::Trouble;
pub use audit::Violation;
use driver::Driver;
pub use keys::Key;
pub use reading::{Cookie, Focus};
use session::{Fault, Session};
pub use setup::BrowserSetup;

/// How long something may take to appear before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(25);

/// The colour scheme that a page is told its reader prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark text on a light ground.
    Light,
    /// Light text on a dark ground.
    Dark,
}

/// A browser with one tab and a profile of its own; dropping it closes it.
pub struct Browser {
    session: Session,
    base: String,
    #[expect(dead_code, reason = "held for its end: the driver goes after the session")]
    driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// A browser with the default set-up. Panics as [`BrowserSetup::start`] does.
    pub fn start(base: impl Into<String>) -> Self {
        BrowserSetup::default().start(base)
    }

    /// Opens a path of the server, or a whole address, and waits until the page is loaded.
    pub fn goto(&self, path: &str) {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        self.expect("open a page", self.session.post("/url", &json!({ "url": url })));
    }

    /// The button Back.
    pub fn back(&self) {
        self.expect("go back", self.session.post("/back", &json!({})));
    }

    /// The button Reload.
    pub fn reload(&self) {
        self.expect("reload", self.session.post("/refresh", &json!({})));
    }

    /// Makes the page's area this large, in CSS pixels; as small as a telephone's.
    pub fn resize(&self, width: u32, height: u32) {
        let asked = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.expect(
            "resize",
            self.session
                .devtools("Emulation.setDeviceMetricsOverride", &asked),
        );
    }

    /// Tells pages which colours are preferred, and that nothing should move: pictures must not depend on the moment.
    pub fn scheme(&self, scheme: Scheme) {
        let word = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let asked = json!({ "features": [
            { "name": "prefers-color-scheme", "value": word },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.expect(
            "set the scheme",
            self.session.devtools("Emulation.setEmulatedMedia", &asked),
        );
    }

    /// Tells pages that their reader is in this time zone, by its IANA name.
    pub fn zone(&self, name: &str) {
        let asked = json!({ "timezoneId": name });
        self.expect(
            "set the time zone",
            self.session.devtools("Emulation.setTimezoneOverride", &asked),
        );
    }

    /// Runs the body of a function in the page and returns what it returns, a kept promise included.
    pub fn run_js(&self, script: &str, arguments: &Value) -> Value {
        self.expect("run a script", self.session.run(script, arguments))
    }

    /// The value, or a failure that says what was tried and where.
    fn expect<T>(&self, act: &str, outcome: Result<T, Fault>) -> T {
        outcome.unwrap_or_else(|fault| self.fail(act, &fault.to_string()))
    }

    /// Tries until it succeeds or patience ends.
    fn until<T>(&self, act: &str, attempt: impl Fn() -> Result<T, Trouble>) -> T {
        let begun = Instant::now();
        loop {
            match attempt() {
                Ok(value) => return value,
                Err(Trouble::Stop(why)) => self.fail(act, &why),
                Err(Trouble::Wait(why)) if begun.elapsed() > PATIENCE => self.fail(act, &why),
                Err(Trouble::Wait(_)) => thread::sleep(INTERVAL),
            }
        }
    }

    /// Ends the test with the page before its eyes: address, text and a picture.
    fn fail(&self, act: &str, why: &str) -> ! {
        let url = self.session.get("/url").unwrap_or_default();
        let text = self
            .session
            .run("return document.body?.innerText ?? ''", &json!([]))
            .unwrap_or_default();
        let current = thread::current();
        let test = current.name().unwrap_or("test").replace("::", "-");
        let path = pictures::directory().join("failed").join(format!("{test}.png"));
        let _ = std::fs::create_dir_all(path.parent().expect("a file is in a directory"));
        if let Ok(picture) = self.picture() {
            let _ = std::fs::write(&path, picture);
        }
        panic!(
            "cannot {act} at {url}: {why}\nsee {}\nthe page says:\n{}",
            path.display(),
            text.as_str().unwrap_or_default()
        );
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closes Chromium; a test that already panics must not panic again.
        let _ = self.session.delete("");
    }
}

#[cfg(test)]
mod tests;
