//! `cargo xtask test`: everything that must hold before a change goes in.

use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::programs::{self, cargo, run_and_read};
use crate::{debian, npm, tidy};

/// How many tests ran, over all test programs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
}

struct Step {
    name: &'static str,
    run: fn(&mut Tally) -> Result,
}

/// Else what `cargo xtask dist` alone compiles would be neither linted nor tested.
const DIST: &str = "xtask/dist";

/// In the order of what fails soonest. Clippy, build and tests share the dev profile, so that nothing is built twice
/// without need; the programs are built before the tests because process-level tests start them.
const STEPS: [Step; 6] = [
    Step {
        name: "packages",
        run: |_| ensure_packages(),
    },
    Step {
        name: "fmt",
        run: |_| programs::run(&mut cargo(&["fmt", "--all", "--check"])),
    },
    Step {
        name: "clippy",
        run: |_| {
            let scope = ["clippy", "--workspace", "--all-targets", "--features", DIST];
            programs::run(cargo(&scope).args(["--", "-D", "warnings"]))
        },
    },
    Step {
        name: "build",
        run: |_| programs::run(&mut cargo(&["build", "--workspace", "--bins"])),
    },
    Step {
        name: "tests",
        run: run_tests,
    },
    Step {
        name: "tidy",
        run: |_| tidy::run(),
    },
];

/// Runs every step, or the one named.
pub(crate) fn run(only: Option<&str>) -> Result {
    let steps: Vec<&Step> = STEPS
        .iter()
        .filter(|step| only.is_none_or(|name| name == step.name))
        .collect();
    if steps.is_empty() {
        let names = STEPS.map(|step| step.name).join(", ");
        return Err(Failure::usage(format!("no such step; there are: {names}")));
    }
    let begun = Instant::now();
    let mut tally = Tally::default();
    for step in steps {
        println!("\n=== {} (at {})", step.name, clock(begun.elapsed()));
        let step_begun = Instant::now();
        let outcome = (step.run)(&mut tally);
        println!("=== {} took {}", step.name, clock(step_begun.elapsed()));
        if outcome.is_err() {
            tally.print();
            return outcome;
        }
    }
    tally.print();
    Ok(())
}

fn ensure_packages() -> Result {
    debian::ensure()?;
    // For whoever runs `cargo test` without us.
    println!("present: {}={}", npm::AXE_VARIABLE, npm::axe()?.display());
    Ok(())
}

fn run_tests(tally: &mut Tally) -> Result {
    // All programs run even when one fails: the reader of a log wants every failure at once.
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast", "--features", DIST]);
    tests.env(npm::AXE_VARIABLE, npm::axe()?);
    run_and_read(&mut tests, |line| tally.count(line))
}

impl Tally {
    /// The last line of a run; nothing when no test ran.
    fn print(self) {
        if self != Self::default() {
            println!("{self}");
        }
    }

    /// Counts the closing line of one test program: `test result: ok. 14 passed; 0 failed; 0 ignored; …`.
    fn count(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else {
            return;
        };
        let Some((_, counts)) = rest.split_once(". ") else {
            return;
        };
        for part in counts.split("; ") {
            match part.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_summed_and_others_are_not() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.54s",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "a test that prints 99 passed; 99 failed",
            "test result: nonsense",
        ] {
            tally.count(line);
        }
        assert_eq!(
            tally,
            Tally {
                passed: 16,
                failed: 3
            }
        );
        assert_eq!(tally.to_string(), "16 passed, 3 failed");
    }

    #[test]
    fn an_unknown_step_names_the_known_ones() {
        let failure = run(Some("tets")).expect_err("no such step");
        assert!(
            failure
                .to_string()
                .contains("packages, fmt, clippy, build, tests, tidy")
        );
    }

    #[test]
    fn time_reads_as_minutes_and_seconds() {
        assert_eq!(clock(Duration::from_secs(125)), "2:05");
    }
}
