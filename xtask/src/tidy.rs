//! `cargo xtask tidy`: the rules of the house that the compiler does not check.

mod bans;
mod inventory;
mod law;
mod sizes;
mod sources;

use std::fmt;
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand};

use crate::failure::{Failure, Result};
use crate::programs::root;

/// One broken rule at one place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    file: String,
    line: usize,
    message: String,
}

impl Finding {
    /// A broken rule in `file` (relative to the root), at `line` (from 1).
    pub(crate) fn new(file: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line,
            message: message.into(),
        }
    }
}

/// `file:line: message`, which editors can jump to.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Checks the workspace and prints what is wrong with it, and how long its files are.
pub(crate) fn run() -> Result {
    let (findings, distribution) = check(&root())?;
    println!("{distribution}");
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(Failure::new("tidy: 1 finding")),
        count => Err(Failure::new(format!("tidy: {count} findings"))),
    }
}

fn check(root: &Path) -> Result<(Vec<Finding>, sizes::Distribution)> {
    let sources = sources::read(root)?;
    let distribution = sizes::Distribution::of(&sources);
    let mut findings = law::check(&law::Graph::of(&metadata()?));
    findings.extend(distribution.check());
    findings.extend(bans::check(&sources));
    findings.extend(inventory::check(&sources));
    findings.sort();
    Ok((findings, distribution))
}

/// What cargo knows about the workspace and all that it depends on.
pub(crate) fn metadata() -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .map_err(|error| Failure::new(format!("cargo metadata: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_the_rules() {
        let (findings, _) = check(&root()).expect("the workspace can be read");
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
