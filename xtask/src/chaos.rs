//! `cargo xtask chaos`: the long form of the proof. The model, the simulation and the real processes, one after the
//! other, and one summary.

use std::process::Command;
use std::time::{Duration, Instant};

use cargo_metadata::MetadataCommand;

use crate::failure::{Failure, Result};
use crate::programs::{self, cargo, run_and_read};

/// How much of each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// For how long rounds of real processes begin.
    minutes: u64,
    /// How many seeds are simulated.
    seeds: u64,
    /// The seed of the first round of real processes; drawn by them when absent.
    seed: Option<u64>,
}

/// What came of one part.
struct Part {
    name: &'static str,
    outcome: Result,
    took: Duration,
    /// The lines that say how much was tried.
    lines: Vec<String>,
}

/// How the sum over all rounds of real processes begins.
const SUM: &str = "rounds:";

/// Runs all parts, even when one fails.
pub(crate) fn run(words: &[&str]) -> Result {
    let extent = Extent::parse(words)?;
    programs::run(&mut cargo(&["build", "--workspace", "--bins"]))?;
    let parts = [
        part("model", model),
        part("simulation", |lines| simulation(&extent, lines)),
        part("processes", |lines| processes(&extent, lines)),
    ];
    println!("\n=== summary");
    for part in &parts {
        let verdict = if part.outcome.is_ok() { "holds" } else { "FAILED" };
        println!("{}: {verdict}, {} s", part.name, part.took.as_secs());
        for line in &part.lines {
            println!("  {line}");
        }
    }
    let failed = parts.into_iter().find(|part| part.outcome.is_err());
    failed.map_or(Ok(()), |part| part.outcome)
}

fn part(name: &'static str, work: impl FnOnce(&mut Vec<String>) -> Result) -> Part {
    println!("\n=== {name}");
    let begun = Instant::now();
    let mut lines = Vec::new();
    let outcome = work(&mut lines);
    Part {
        name,
        outcome,
        took: begun.elapsed(),
        lines,
    }
}

fn model(lines: &mut Vec<String>) -> Result {
    let mut command = beside_the_server("rescind-model")?;
    run_and_read(command.arg("--long"), |line| {
        // What a trace adds is indented.
        if !line.starts_with(' ') {
            lines.push(line.to_owned());
        }
    })
}

fn simulation(extent: &Extent, lines: &mut Vec<String>) -> Result {
    let mut command = cargo(&[
        "test",
        "--package",
        "rescind-authority",
        "--lib",
        "simulation::promises",
    ]);
    command
        .args(["--", "--nocapture"])
        .env("SIMULATION_SEEDS", extent.seeds.to_string());
    run_and_read(&mut command, |line| {
        if line.contains(" seeds with violations") {
            lines.push(line.to_owned());
        }
    })?;
    // A test that was renamed would run nothing and succeed.
    match lines.is_empty() {
        true => Err(Failure::new(
            "no simulation ran: is there still a test simulation::promises…?",
        )),
        false => Ok(()),
    }
}

fn processes(extent: &Extent, lines: &mut Vec<String>) -> Result {
    let mut command = beside_the_server("rescind-chaos")?;
    command.args(["--minutes", &extent.minutes.to_string()]);
    if let Some(seed) = extent.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    let mut is_sum = false;
    run_and_read(&mut command, |line| {
        is_sum |= line.starts_with(SUM);
        if is_sum {
            lines.push(line.to_owned());
        }
    })
}

/// A program that was built together with the server, which it may start.
fn beside_the_server(name: &str) -> Result<Command> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .current_dir(programs::root())
        .exec();
    let metadata = metadata.map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
    let mut command = Command::new(metadata.target_directory.join("debug").join(name));
    command.current_dir(programs::root());
    Ok(command)
}

impl Extent {
    fn parse(words: &[&str]) -> Result<Self> {
        let mut extent = Self {
            minutes: 10,
            seeds: 10_000,
            seed: None,
        };
        let known = "cargo xtask chaos knows --minutes M, --seeds N and --seed N";
        for pair in words.chunks(2) {
            let [name, value] = pair else {
                return Err(Failure::usage(format!(
                    "{}: needs a value; {known}",
                    pair.join(" ")
                )));
            };
            let number = value
                .parse()
                .map_err(|_| Failure::usage(format!("{name}: not a number: {value}")))?;
            match *name {
                "--minutes" => extent.minutes = number,
                "--seeds" => extent.seeds = number,
                "--seed" => extent.seed = Some(number),
                _ => return Err(Failure::usage(format!("{name}: no such option; {known}"))),
            }
        }
        Ok(extent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_a_default_and_nonsense_is_named() {
        let extent = Extent::parse(&["--seeds", "5", "--seed", "7"]).expect("understood");
        assert_eq!((extent.minutes, extent.seeds, extent.seed), (10, 5, Some(7)));
        for (words, named) in [
            (&["--minutes"][..], "--minutes: needs a value"),
            (&["--minutes", "x"], "not a number: x"),
            (&["--hours", "1"], "--hours: no such option"),
        ] {
            let problem = Extent::parse(words).expect_err("refused").to_string();
            assert!(problem.contains(named), "{problem}");
        }
    }
}
