//! The faces and the composition root: the management API, signing in from programs, the embedded upstream,
//! configuration, and the `rescind` process with its commands. The Admin UI is a crate of its own, which this one
//! serves.
//!
//! This crate decides nothing about tokens and computes no query: it brings authority, gateway and engine together and
//! gives them a clock, randomness, a port and a place on disk. No other crate knows flags, files or signals.

mod ambient;
mod answers;
pub mod api;
mod args;
mod audit;
mod authorities;
mod crowds;
mod data_dir;
mod demo;
mod engine_owner;
mod failure;
#[cfg(debug_assertions)]
mod faults;
mod figures;
mod first_start;
mod housekeeping;
mod leftovers;
mod links;
mod listener;
mod locks;
mod logs;
mod mail;
mod metrics;
pub mod oauth;
mod openapi;
mod panics;
mod profile_file;
mod proxies;
mod refusals;
mod running;
mod serve;
mod signals;
mod tally;
mod terminal;
mod tls;
mod upstream;
mod users;
mod values;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, AuditCommand, Command};
use crate::failure::Failure;

/// What the `rescind` program does: reads its arguments and environment, runs the command and gives the exit code: 0
/// done, 1 failed, 2 usage.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn execute(command: Command) -> Result<(), Failure> {
    if let Command::Openapi = command {
        return openapi::run();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::because("threads cannot be started", e))?;
    runtime.block_on(async {
        match command {
            Command::Serve(arguments) => serve::run(*arguments).await,
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::User(command) => users::run(command).await,
            Command::Audit(AuditCommand::Verify { data }) => audit::verify(&data).await,
            Command::Openapi => openapi::run(),
        }
    })
}
