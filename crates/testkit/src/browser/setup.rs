//! What a browser is started with.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::driver::Driver;
use super::session::Session;
use super::{Browser, Scheme};

/// Nothing that fetches, phones home or asks; names and roles of elements as assistive technology hears them.
const ARGUMENTS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-default-browser-check",
    "--lang=en-US",
    "--hide-scrollbars",
    "--enable-blink-features=ComputedAccessibilityInfo",
];

/// What a browser is started with: by default 1280 × 900, light, scripts on.
pub struct BrowserSetup {
    width: u32,
    height: u32,
    scheme: Scheme,
    scripts: bool,
}

impl Default for BrowserSetup {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 900,
            scheme: Scheme::Light,
            scripts: true,
        }
    }
}

impl BrowserSetup {
    /// The size of the page's area in CSS pixels.
    #[must_use]
    pub fn size(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// The colour scheme that the page is told to prefer.
    #[must_use]
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Runs no script of any page, as its user can set a browser up.
    #[must_use]
    pub fn without_scripts(mut self) -> Self {
        self.scripts = false;
        self
    }

    /// Starts a browser with a fresh profile; its paths are those of the server at `base`.
    ///
    /// # Panics
    /// When chromedriver or Chromium do not start.
    pub fn start(self, base: impl Into<String>) -> Browser {
        let driver = Driver::start();
        let profile = tempfile::tempdir().expect("a temporary directory can be made");
        let session = Session::begin(driver.url(), &self.capabilities(&profile))
            .unwrap_or_else(|fault| panic!("Chromium does not start: {fault}"));
        let browser = Browser {
            session,
            base: base.into(),
            driver,
            _profile: profile,
        };
        browser.resize(self.width, self.height);
        browser.scheme(self.scheme);
        browser
    }

    fn capabilities(&self, profile: &TempDir) -> Value {
        let own = format!("--user-data-dir={}", profile.path().display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([own.as_str()]).collect();
        let scripts = if self.scripts { 1 } else { 2 };
        json!({
            "browserName": "chrome",
            // An open alert is a failure of the test that met it, not something to be clicked away.
            "unhandledPromptBehavior": "dismiss and notify",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": {
                    "profile.managed_default_content_settings.javascript": scripts,
                    "credentials_enable_service": false,
                    "profile.password_manager_leak_detection": false,
                },
            },
        })
    }
}
