//! `rescind user …`: acts on the catalog itself. Beside one in a file no server may run meanwhile; a shared one is what
//! several processes may act on.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rescind_authority::{AddUser, Authority, Caller, Invite, Location, NodeSettings, Page, SessionLimits};
use rescind_domain::{Email, User, UserState};

use crate::ambient::{SystemClock, SystemStopwatch};
use crate::args::UserCommand;
use crate::authorities::Opened;
use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::links;
use crate::profile_file::{Address, ProfileFile};
use crate::values::PublicUrl;
use crate::{authorities, terminal};

/// Does what was asked and says so on stdout.
pub(crate) async fn run(command: UserCommand) -> Result<(), Failure> {
    let data = command.data();
    let location = data.existing_location()?;
    let directory = data.data_dir.clone();
    let _dir = match &location {
        Location::Sqlite(_) => Some(DataDir::open(&directory)?),
        // A guest among the nodes, on a machine that may have no data directory.
        Location::Postgres(_) => None,
    };
    let Opened {
        authority,
        catalog,
        lock: _lock,
    } = authorities::open(
        &location,
        NodeSettings {
            admits: false,
            ..NodeSettings::alone("rescind-user")
        },
        (Arc::new(SystemClock), Arc::new(SystemStopwatch)),
        SessionLimits::default(),
    )
    .await?;
    let done = act(&authority, &directory, command).await;
    authority.flush().await;
    catalog.close().await;
    // What was done stays done, whether or not anyone reads about it.
    let _ = writeln!(std::io::stdout().lock(), "{}", done?);
    Ok(())
}

async fn act(authority: &Arc<Authority>, directory: &Path, command: UserCommand) -> Result<String, Failure> {
    let operator = operator(authority).await?;
    let account = operator.account();
    Ok(match command {
        UserCommand::List { .. } => list(authority, &operator).await?,
        UserCommand::Invite {
            email,
            role,
            first_name,
            last_name,
            public_url,
            ..
        } => {
            let request = Invite {
                email,
                first_name,
                last_name,
                role,
            };
            let invited = authority.invite(&operator, account, request).await?;
            let link = links::invitation(&address(public_url, directory), &invited.secret);
            format!(
                "{link}\n\nThis link works once, until {}: give it to {}",
                invited.item.expires_at.to_rfc3339(0),
                invited.item.email
            )
        }
        UserCommand::Add {
            email,
            first_name,
            last_name,
            role,
            ..
        } => {
            let request = AddUser {
                email,
                first_name,
                last_name,
                role,
            };
            let user = authority.add_user(&operator, account, request).await?;
            let advice =
                "give it a password with `rescind user passwd`, or a link with `rescind user invite`";
            format!("added {} ({}, {}); {advice}", user.email, user.role, user.id)
        }
        UserCommand::Passwd { email, .. } => {
            let user = find(authority, &operator, &email).await?;
            let password = terminal::read_password()?;
            authority.set_password(&operator, user.id, password).await?;
            format!("set the password of {}", user.email)
        }
        UserCommand::Disable { email, .. } => {
            let user = find(authority, &operator, &email).await?;
            authority.disable_user(&operator, account, user.id).await?;
            format!("disabled {}", user.email)
        }
        UserCommand::Enable { email, .. } => {
            let user = find(authority, &operator, &email).await?;
            authority.enable_user(&operator, account, user.id).await?;
            format!("enabled {}", user.email)
        }
        UserCommand::Delete { email, .. } => {
            let user = find(authority, &operator, &email).await?;
            authority.delete_user(&operator, account, user.id).await?;
            format!("deleted {}", user.email)
        }
    })
}

async fn operator(authority: &Authority) -> Result<Caller, Failure> {
    match authority.is_unfounded().await? {
        true => Err(Failure::new(
            "nobody has started on this catalog yet: start `rescind serve` with it first",
        )),
        false => Ok(authority.operator().await?),
    }
}

async fn find(authority: &Authority, operator: &Caller, email: &Email) -> Result<User, Failure> {
    Ok(authority.user_by_email(operator, email).await?)
}

/// One line for each user: id, role, state, address, name.
async fn list(authority: &Authority, operator: &Caller) -> Result<String, Failure> {
    let mut lines = String::new();
    let mut page = Page::first(Page::MAX);
    loop {
        let found = authority.users(operator, operator.account(), &page).await?;
        for user in found.items {
            let state = match user.state {
                UserState::Enabled => "enabled",
                UserState::Disabled { .. } => "disabled",
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                lines,
                "{}  {:<7}  {state:<8}  {}  {} {}",
                user.id,
                user.role.as_str(),
                user.email,
                user.first_name,
                user.last_name
            );
        }
        match found.next {
            Some(next) => page = Page::after(Page::MAX, next),
            None => return Ok(lines.trim_end().to_owned()),
        }
    }
}

/// Where people reach the server: as told, or as its last start said in `influxctl.toml`, or as it does by default.
fn address(told: Option<PublicUrl>, directory: &Path) -> String {
    if let Some(url) = told {
        return url.as_str().to_owned();
    }
    last_address(directory).unwrap_or_else(|| "http://127.0.0.1:8181".to_owned())
}

fn last_address(directory: &Path) -> Option<String> {
    let text = std::fs::read_to_string(ProfileFile::of(directory).path()).ok()?;
    let table: toml::Table = text.parse().ok()?;
    let profile = table.get("profile")?.get(0)?;
    let is_plain = profile.get("tls").and_then(|tls| tls.get("disable")?.as_bool());
    let address = Address {
        host: profile.get("host")?.as_str()?.to_owned(),
        port: profile.get("port")?.as_str()?.parse().ok()?,
        certificate: (is_plain != Some(true)).then(PathBuf::new),
    };
    Some(address.url())
}
