//! The audit for accessibility, by axe-core.

use std::{env, fmt, fs};

use serde_json::{Value, json};

use super::Browser;

/// Which environment variable says where axe-core's script is.
const AXE_VARIABLE: &str = "RESCIND_AXE";

/// A rule that the page breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name, such as `color-contrast`.
    pub rule: String,
    /// What the rule asks for.
    pub help: String,
    /// Each element that breaks it: its selector, and what is wrong there.
    pub places: Vec<(String, String)>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.help)?;
        for (selector, wrong) in &self.places {
            write!(f, "\n    {selector}: {}", wrong.replace('\n', " "))?;
        }
        Ok(())
    }
}

impl Browser {
    /// All that axe-core finds wrong with the page as it is now, by all its rules, recommended practice included.
    ///
    /// # Panics
    /// When axe-core is not there, saying how to get it; when scripts are off.
    pub fn axe(&self) -> Vec<Violation> {
        const PRESENT: &str = "return typeof axe !== 'undefined'";
        const RUN: &str =
            "return axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)";
        let here = self.expect("ask for axe-core", self.session.run(PRESENT, &json!([])));
        if here != Value::Bool(true) {
            self.expect("inject axe-core", self.session.run(&script(), &json!([])));
        }
        let found = self.expect("run axe-core", self.session.run(RUN, &json!([])));
        found.as_array().into_iter().flatten().map(violation).collect()
    }
}

fn violation(found: &Value) -> Violation {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let places = found["nodes"].as_array().into_iter().flatten().map(|node| {
        let selectors = node["target"].as_array().into_iter().flatten().map(text);
        let selector = selectors.collect::<Vec<_>>().join(" ");
        (selector, text(&node["failureSummary"]))
    });
    Violation {
        rule: text(&found["id"]),
        help: text(&found["help"]),
        places: places.collect(),
    }
}

fn script() -> String {
    let path = env::var_os(AXE_VARIABLE).unwrap_or_else(|| {
        panic!(
            "{AXE_VARIABLE} does not say where axe-core is: run `cargo xtask test`; or run `cargo xtask test --only \
             packages` once and set {AXE_VARIABLE} as it prints"
        )
    });
    fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{AXE_VARIABLE} is {}: {error}; `cargo xtask test --only packages` fetches it",
            path.display()
        )
    })
}
