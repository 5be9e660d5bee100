//! `rescind user …`: acts on the catalog itself. Beside one in a file no server may run meanwhile; a shared one is what
//! several processes may act on.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rescind_authority::{
    AddUser, Authority, Caller, Invite, Location, NodeCondition, NodeSettings, NodeStatus, Page,
    SessionLimits,
};
use rescind_domain::{AccountId, Email, Receipt, User, UserState};
use rescind_wire::ReceiptHeaders;

use crate::ambient::{SystemClock, SystemStopwatch};
use crate::args::UserCommand;
use crate::authorities::Opened;
use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::links;
use crate::profile_file::ProfileFile;
use crate::values::PublicUrl;
use crate::{authorities, profile_file, terminal};

/// What was done.
struct Done {
    /// In words, for stdout.
    text: String,
    /// What else there is to know, for stderr.
    told: Vec<String>,
    /// Which nodes may still act as before, if any is not known to act by it.
    open: Option<String>,
}

impl Done {
    fn so(text: String) -> Self {
        Self {
            text,
            told: Vec::new(),
            open: None,
        }
    }

    /// What a receipt proves. A catalog in a file has no other nodes that it could tell of.
    fn proven(text: String, authority: &Authority, receipt: &Receipt) -> Self {
        if !authority.is_shared() {
            return Self::so(text);
        }
        let receipt = ReceiptHeaders::from(receipt);
        let refused = receipt.refused();
        let open = || {
            format!(
                "this is done (revision {}), but {}",
                receipt.revision,
                receipt.open("may still act as before")
            )
        };
        Self {
            text,
            open: refused.is_none().then(open),
            told: refused.into_iter().chain(receipt.named()).collect(),
        }
    }
}

/// Does what was asked and says so on stdout, and on stderr what the nodes make of it.
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
    let Done { text, told, open } = done?;
    // What was done stays done, whether or not anyone reads about it.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    for line in told {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
    open.map_or(Ok(()), |open| Err(Failure::new(open)))
}

async fn act(authority: &Arc<Authority>, directory: &Path, command: UserCommand) -> Result<Done, Failure> {
    let operator = operator(authority).await?;
    let account = operator.account();
    Ok(match command {
        UserCommand::List { .. } => Done::so(list(authority, &operator).await?),
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
            let address = address(authority, &operator, public_url, directory).await?;
            invite(authority, &operator, request, address).await?
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
            Done::so(format!(
                "added {} ({}, {}); {advice}",
                user.email, user.role, user.id
            ))
        }
        UserCommand::Passwd { email, .. } => {
            let user = find(authority, &operator, &email).await?;
            let password = terminal::read_password()?;
            let receipt = authority.set_password(&operator, user.id, password).await?;
            Done::proven(format!("set the password of {}", user.email), authority, &receipt)
        }
        UserCommand::Disable { email, .. } => {
            let user = find(authority, &operator, &email).await?;
            let receipt = authority.disable_user(&operator, account, user.id).await?;
            Done::proven(format!("disabled {}", user.email), authority, &receipt)
        }
        UserCommand::Enable { email, .. } => {
            let user = find(authority, &operator, &email).await?;
            authority.enable_user(&operator, account, user.id).await?;
            Done::so(format!("enabled {}", user.email))
        }
        UserCommand::Delete { email, .. } => {
            let user = find(authority, &operator, &email).await?;
            let receipt = authority.delete_user(&operator, account, user.id).await?;
            Done::proven(format!("deleted {}", user.email), authority, &receipt)
        }
    })
}

async fn invite(
    authority: &Arc<Authority>,
    operator: &Caller,
    request: Invite,
    Address { url, told }: Address,
) -> Result<Done, Failure> {
    let invited = authority.invite(operator, operator.account(), request).await?;
    let text = format!(
        "{}\n\nThis link works once, until {}: give it to {}",
        links::invitation(&url, &invited.secret),
        invited.item.expires_at.to_rfc3339(0),
        invited.item.email
    );
    Ok(Done {
        told,
        ..Done::so(text)
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

/// Where people reach the server.
struct Address {
    url: String,
    /// What to know of it, if it is a guess.
    told: Vec<String>,
}

impl From<String> for Address {
    fn from(url: String) -> Self {
        Self {
            url,
            told: Vec::new(),
        }
    }
}

/// As told, or where a node serves, or as the last start on `directory` said in `influxctl.toml`.
async fn address(
    authority: &Authority,
    operator: &Caller,
    told: Option<PublicUrl>,
    directory: &Path,
) -> Result<Address, Failure> {
    if let Some(url) = told {
        return Ok(url.as_str().to_owned().into());
    }
    if let Some(node) = serving(authority, operator).await? {
        let told = format!(
            "the link leads to {}, the last to renew its lease; if people reach it by another address, give \
             --public-url",
            node.name
        );
        return Ok(Address {
            url: node.address,
            told: vec![told],
        });
    }
    match (last_address(directory, operator.account()), authority.is_shared()) {
        (Some(url), _) => Ok(url.into()),
        (None, false) => Ok("http://127.0.0.1:8181".to_owned().into()),
        (None, true) => Err(Failure::new(
            "no node is running whose address the link could have: give --public-url",
        )
        .into_usage()),
    }
}

/// The node that renewed its lease last, of those that share the catalog.
async fn serving(authority: &Authority, operator: &Caller) -> Result<Option<NodeStatus>, Failure> {
    if !authority.is_shared() {
        return Ok(None);
    }
    let nodes = authority.nodes(operator).await?.nodes.into_iter();
    let serving = nodes.filter(|node| node.state == NodeCondition::Serving);
    Ok(serving.max_by_key(|node| node.lease.map(|lease| lease.renewed_at)))
}

fn last_address(directory: &Path, account: AccountId) -> Option<String> {
    let text = std::fs::read_to_string(ProfileFile::of(directory).path()).ok()?;
    let table: toml::Table = text.parse().ok()?;
    let profile = table.get("profile")?.get(0)?;
    // Of another catalog.
    profile
        .get("account_id")?
        .as_str()
        .filter(|owner| *owner == account.to_string())?;
    let is_plain = profile.get("tls").and_then(|tls| tls.get("disable")?.as_bool());
    let address = profile_file::Address {
        host: profile.get("host")?.as_str()?.to_owned(),
        port: profile.get("port")?.as_str()?.parse().ok()?,
        certificate: (is_plain != Some(true)).then(PathBuf::new),
    };
    Some(address.url())
}
