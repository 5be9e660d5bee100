//! The project's own commands: `cargo xtask test|chaos|tidy|bench|dist`.
//!
//! This program knows no crate of the house from the inside: it starts cargo, reads what cargo says about the
//! workspace, and reads the source as text.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these commands talk to the person who runs them"
)]

mod bench;
mod chaos;
mod debian;
mod dist;
mod failure;
mod npm;
mod programs;
mod test;
mod tidy;

use std::env;
use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = "\
usage: cargo xtask <command>

  test [--only STEP]   everything that must hold before a change goes in; steps:
                       packages, fmt, clippy, build, tests, tidy
  chaos [--minutes M] [--seeds N] [--seed N]
                       the long form of the proof: the model, N simulated seeds, M minutes of faults
                       against real processes, from the seed given
  tidy                 the rules of the house that the compiler does not check
  bench [NAME]         the benchmarks, in release; NAME is the beginning of a benchmark's name
  dist                 shell completions and manual pages of influxctl, into target/dist";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["test"] => test::run(None),
        ["test", "--only", step] => test::run(Some(step)),
        ["chaos", words @ ..] => chaos::run(words),
        ["tidy"] => tidy::run(),
        ["bench"] => bench::run(""),
        ["bench", name] => bench::run(name),
        ["dist"] => dist::run(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure::usage(USAGE)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.code()
        }
    }
}
