//! `auth`: logging in and out (contract, influxctl section 5).

use clap::Subcommand;

use crate::args::GlobalArgs;
use crate::exit::Failure;
use crate::log::Log;
use crate::login::{LoggedOut, Login};
use crate::output::print;
use crate::profiles::Profile;

/// `auth …`
#[derive(Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum AuthCommand {
    /// Log in with a browser, even if you are logged in; commands that need it do so themselves
    Login,
    /// Log out: the token of the login is refused at once and removed from this machine
    Logout,
}

/// Runs `auth …`.
pub(crate) fn run(command: &AuthCommand, global: &GlobalArgs, log: Log) -> Result<(), Failure> {
    let timeout = global.timeout()?;
    let profile = Profile::open(global, log)?;
    let login = Login::of(&profile, timeout, log)?;
    match command {
        AuthCommand::Login => log_in(&profile, &login, log),
        AuthCommand::Logout => log_out(&login, log),
    }
}

fn log_in(profile: &Profile, login: &Login, log: Log) -> Result<(), Failure> {
    if profile.has_token_file() {
        return Err(Failure::Failed(format!(
            "{} uses auth.token.token_file, which replaces the login: remove it to log in",
            profile.place
        )));
    }
    if let Some(token) = profile.manual_token() {
        log.warn(format_args!(
            "{} goes before the login: commands will use it",
            token?.source
        ));
    }
    let (_, expires_at) = login.renew()?;
    let until = expires_at.to_rfc3339(0);
    print(format!("Logged in to {} until {until}", login.origin()))
}

fn log_out(login: &Login, log: Log) -> Result<(), Failure> {
    match login.end()? {
        LoggedOut::NotLoggedIn => print(format!("Not logged in to {}", login.origin())),
        LoggedOut::Ended => print(format!("Logged out of {}", login.origin())),
        LoggedOut::RemovedUntil(expires_at) => {
            log.info(format_args!(
                "the token is removed here; its provider ends it at {}",
                expires_at.to_rfc3339(0)
            ));
            print(format!("Logged out of {}", login.origin()))
        }
    }
}
