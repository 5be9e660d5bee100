//! `cargo xtask bench`: every benchmark of the workspace, in release, and what it printed.

use cargo_metadata::{Metadata, TargetKind};

use crate::failure::{Failure, Result};
use crate::programs::{self, cargo};
use crate::tidy::metadata;

/// One benchmark: a bench target of a workspace crate, named `crate/target`.
#[derive(Debug, PartialEq, Eq)]
struct Bench {
    name: String,
    package: String,
    target: String,
    /// What the package must be built with for it, separated by commas.
    features: String,
}

/// Runs the benchmarks whose name begins with `wanted`.
pub(crate) fn run(wanted: &str) -> Result {
    let all = benches(&metadata()?);
    let chosen: Vec<&Bench> = all
        .iter()
        .filter(|bench| bench.name.starts_with(wanted))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = all.iter().map(|bench| bench.name.as_str()).collect();
        return Err(Failure::usage(format!(
            "no benchmark begins with {wanted:?}; there are: {}",
            names.join(", ")
        )));
    }
    // Benchmarks that measure processes start the release programs.
    programs::run(&mut cargo(&["build", "--release", "--bins"]))?;
    for bench in chosen {
        println!("\n=== {}", bench.name);
        programs::run(&mut cargo(&[
            "bench",
            "--package",
            &bench.package,
            "--bench",
            &bench.target,
            "--features",
            &bench.features,
        ]))?;
    }
    Ok(())
}

/// Every bench target, in the order of names.
fn benches(metadata: &Metadata) -> Vec<Bench> {
    let mut found = Vec::new();
    for package in metadata.workspace_packages() {
        let short = package.name.trim_start_matches("rescind-");
        let targets = package
            .targets
            .iter()
            .filter(|target| target.kind.contains(&TargetKind::Bench));
        found.extend(targets.map(|target| Bench {
            name: format!("{short}/{}", target.name),
            package: package.name.to_string(),
            target: target.name.clone(),
            features: target.required_features.join(","),
        }));
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}
