//! `influxctl`: the command line of Rescind, compatible with the documented one.
//!
//! This crate speaks HTTP and nothing else: it knows no catalog, no authority and no engine, and no async runtime. What
//! it keeps between calls is the token of a login, for its owner alone; it prints a secret in two cases only: the answer
//! to the creation of a token and the link of an invitation.

mod api;
mod args;
mod clock;
mod commands;
mod config;
mod durations;
mod exit;
mod interrupts;
mod log;
mod login;
mod output;
mod profiles;
mod prompt;
mod receipts;
mod secrets;
mod tls;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Command, FromArgMatches};

use crate::args::{CommandLine, Commands};
use crate::commands::Session;
use crate::exit::Failure;
use crate::log::Log;

/// The whole command, for completions and manual pages.
pub fn command() -> Command {
    args::command()
}

/// Runs the command with these arguments, the first being the name it was called by.
///
/// Exits 0 when all was done, 1 when something failed or is not known to hold on every node yet, 2 on wrong usage and 3
/// when a question was not answered with yes.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line = match parse(arguments) {
        Ok(Some(line)) => line,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let log = Log::new(line.global.verbosity());
    match dispatch(line, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::Told | Failure::Closed) {
                log.error(&failure);
            }
            failure.exit_code()
        }
    }
}

/// Help was asked for, or usage is wrong: clap knows which stream. It repeats what was given, which may be a secret.
fn print_error(error: &clap::Error) {
    let text = error.render().to_string();
    // Nothing is left to tell it to when the stream is gone.
    let _ = match secrets::masked(&text) {
        masked if masked == text => error.print(),
        masked => std::io::Write::write_all(&mut std::io::stderr(), masked.as_bytes()),
    };
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> clap::error::Result<Option<CommandLine>> {
    let mut command = args::without_empty_variables(args::command());
    let matches = command.try_get_matches_from_mut(arguments)?;
    if let Some(help) = args::requested_help(&mut command, &matches) {
        // A closed stdout needs no help.
        let _ = output::print(help?.trim_end());
        return Ok(None);
    }
    CommandLine::from_arg_matches(&matches).map(Some)
}

fn dispatch(line: CommandLine, log: Log) -> Result<(), Failure> {
    let global = line.global;
    let session = || Session::open(&global, log);
    match line.command {
        Commands::Auth(command) => commands::auth::run(&command, &global, log),
        Commands::Version => commands::version::run(),
        Commands::Cluster(command) => commands::cluster::run(command, &session()?),
        Commands::Database(command) => commands::database::run(command, &session()?),
        Commands::Management(command) => commands::management::run(command, &session()?),
        Commands::Table(command) => commands::table::run(command, &session()?),
        Commands::Token(command) => commands::token::run(command, &session()?),
        Commands::User(command) => commands::user::run(command, &session()?),
        Commands::Query(query) => commands::query::run(&query, &global, log),
        Commands::Write(write) => commands::write::run(&write, &global, log),
    }
}
