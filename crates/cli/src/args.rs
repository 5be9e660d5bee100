//! The command line: global flags, commands, and help on every level.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Resettable;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, CommandFactory, Parser, Subcommand};
use rescind_domain::{AccountId, ClusterId};

use crate::commands::{auth, cluster, database, management, query, table, token, user, write};
use crate::durations::parse_go_duration;
use crate::exit::Failure;
use crate::log::Verbosity;

/// The time limit of a request when nothing else is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// Manage and use a Rescind server: tokens, users, databases, tables, queries and writes
#[derive(Parser)]
#[command(name = "influxctl", disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Commands,
}

/// Flags that every command takes, before or after its name.
#[derive(Args, Clone)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Account to use instead of the profile's
    #[arg(long, global = true, value_name = "ACCOUNT_ID")]
    pub(crate) account: Option<AccountId>,
    /// Cluster to use instead of the profile's
    #[arg(long, global = true, value_name = "CLUSTER_ID")]
    pub(crate) cluster: Option<ClusterId>,
    /// Configuration file to use instead of the default one
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "INFLUXCTL_CONFIG",
        hide_env_values = true
    )]
    pub(crate) config: Option<PathBuf>,
    /// Tell which requests are made
    #[arg(long, global = true)]
    debug: bool,
    /// Connection profile to use
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = "default",
        env = "INFLUXCTL_PROFILE",
        hide_env_values = true
    )]
    pub(crate) profile: String,
    /// Time limit of a request, such as 1m30s [default: 1m0s]
    #[arg(long, global = true, value_name = "DURATION")]
    timeout: Option<String>,
    /// Tell everything about requests but their secrets
    #[arg(long, global = true)]
    trace: bool,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Commands {
    /// Log in and out
    #[command(subcommand)]
    Auth(auth::AuthCommand),
    /// Show clusters
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Manage databases
    #[command(subcommand)]
    Database(database::DatabaseCommand),
    /// Manage management tokens
    #[command(subcommand)]
    Management(management::ManagementCommand),
    /// Query a database
    Query(query::QueryArgs),
    /// Manage tables
    #[command(subcommand)]
    Table(table::TableCommand),
    /// Manage database tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Manage the users of the account
    #[command(subcommand)]
    User(user::UserCommand),
    /// Show the version of this command
    Version,
    /// Write line protocol to a database
    Write(write::WriteArgs),
}

impl GlobalArgs {
    /// How much to tell.
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.trace, self.debug) {
            (true, _) => Verbosity::Trace,
            (false, true) => Verbosity::Debug,
            (false, false) => Verbosity::Normal,
        }
    }

    /// The time limit of a request.
    pub(crate) fn timeout(&self) -> Result<Duration, Failure> {
        self.timeout.as_deref().map_or(Ok(DEFAULT_TIMEOUT), |text| {
            parse_go_duration(text).map_err(|error| Failure::Usage(format!("--timeout: {error}")))
        })
    }

    /// The time limit of one write request, where a whole number is of seconds (contract, influxctl section 11.3).
    pub(crate) fn write_timeout(&self) -> Result<Duration, Failure> {
        let seconds = self.timeout.as_deref().map(str::parse::<u32>);
        match seconds {
            None => Ok(write::DEFAULT_TIMEOUT),
            Some(Ok(seconds @ 1..)) => Ok(Duration::from_secs(u64::from(seconds))),
            Some(_) => self.timeout(),
        }
    }
}

/// The whole command, as completions and manual pages are made from it.
pub(crate) fn command() -> Command {
    with_help(CommandLine::command())
}

/// A variable set to nothing counts as not set, as shells and units set variables that way to unset them.
pub(crate) fn without_empty_variables(command: Command) -> Command {
    command.mut_args(|arg| {
        let is_empty = arg
            .get_env()
            .and_then(std::env::var_os)
            .is_some_and(|value| value.is_empty());
        if is_empty { arg.env(Resettable::Reset) } else { arg }
    })
}

/// `help` and `h` in every group (contract, influxctl section 1).
fn with_help(command: Command) -> Command {
    if !command.has_subcommands() {
        return command;
    }
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let command = names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, with_help));
    let help = Command::new("help")
        .visible_alias("h")
        .about("Show the commands, or the help of one of them")
        .disable_help_flag(true)
        .arg(
            Arg::new("command")
                .value_name("COMMAND")
                .num_args(0..)
                .action(ArgAction::Append),
        );
    command.subcommand(help)
}

/// The help that `help` or `h` asks for; `None` when the command is another.
pub(crate) fn requested_help(
    command: &mut Command,
    matches: &ArgMatches,
) -> Option<clap::error::Result<String>> {
    let mut path = Vec::new();
    let mut below = matches;
    loop {
        match below.subcommand()? {
            ("help", matches) => {
                below = matches;
                break;
            }
            (name, matches) => {
                path.push(name);
                below = matches;
            }
        }
    }
    // Gives every command the whole name by which it is called.
    command.build();
    let mut target = command;
    let asked = below.get_many::<String>("command").into_iter().flatten();
    for word in path.into_iter().chain(asked.map(String::as_str)) {
        if target.find_subcommand(word).is_none() {
            let message = format!("unrecognized subcommand {word:?}");
            return Some(Err(
                target.error(clap::error::ErrorKind::InvalidSubcommand, message)
            ));
        }
        target = target.find_subcommand_mut(word)?;
    }
    Some(Ok(target.render_help().to_string()))
}
