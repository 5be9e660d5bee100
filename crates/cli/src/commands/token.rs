//! `token`: database tokens (contract, influxctl section 10).

use clap::{Args, Subcommand, ValueEnum};
use rescind_domain::{DatabaseTokenId, PermissionId, Resource, SecretKind, Timestamp};
use rescind_wire::{
    CreateDatabaseToken, CreatedDatabaseToken, DatabaseToken, Moment, Permission, UpdateDatabaseToken,
};
use serde::Serialize;
use ureq::http::Method;

use crate::commands::{Session, distinct, revocations};
use crate::exit::Failure;
use crate::output::json::{Seconds, print_json};
use crate::output::tables::{Cell, Table, vertical};
use crate::output::{Format, print};
use crate::secrets::database_token_id;

/// `token …`
#[derive(Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum TokenCommand {
    /// Create a database token
    Create(CreateArgs),
    /// Show one database token
    Get(GetArgs),
    /// Show database tokens
    List(ListArgs),
    /// Revoke database tokens, for good
    #[command(visible_alias = "delete")]
    Revoke(RevokeArgs),
    /// Change a database token's description or permissions
    Update(UpdateArgs),
}

/// What a token may do.
#[derive(Args)]
struct PermissionArgs {
    /// Let the token query this database, '*' for all; can be repeated
    #[arg(long, value_name = "DATABASE")]
    read_database: Vec<Resource>,
    /// Let the token write to this database, '*' for all; can be repeated
    #[arg(long, value_name = "DATABASE")]
    write_database: Vec<Resource>,
}

/// `token create`
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// What the token is for
    #[arg(value_name = "TOKEN_DESCRIPTION")]
    description: String,
    #[command(flatten)]
    permissions: PermissionArgs,
    /// When it expires, in RFC 3339 such as 2026-12-31T23:59:59Z; never when not given
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// `token get`
#[derive(Args)]
pub(crate) struct GetArgs {
    /// The token
    #[arg(value_name = "TOKEN_ID", value_parser = database_token_id)]
    id: DatabaseTokenId,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show it even when it was revoked
    #[arg(long)]
    include_revoked: bool,
}

/// `token list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show revoked ones too
    #[arg(long)]
    include_revoked: bool,
    /// What to sort them by
    #[arg(long, value_enum, default_value_t)]
    sort: SortKey,
}

/// `token revoke`
#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// The tokens
    #[arg(value_name = "TOKEN_ID", required = true, value_parser = database_token_id)]
    ids: Vec<DatabaseTokenId>,
    /// Do not ask for confirmation
    #[arg(long)]
    force: bool,
}

/// `token update`
#[derive(Args)]
pub(crate) struct UpdateArgs {
    /// The token
    #[arg(value_name = "TOKEN_ID", value_parser = database_token_id)]
    id: DatabaseTokenId,
    /// What the token is for from now on
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    permissions: PermissionArgs,
}

/// What `token list` is sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum SortKey {
    #[default]
    Id,
    Description,
}

/// A database token as JSON shows it (contract, influxctl section 10.3). The documented sample ends with the
/// permissions; the rest is there when it says something.
#[derive(Serialize)]
struct TokenJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_id: Option<String>,
    id: String,
    description: String,
    permissions: Vec<PermissionJson>,
    /// In the answer to its creation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Seconds>,
    /// In the answer to its creation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
}

#[derive(Serialize)]
struct PermissionJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    action: String,
    resource: String,
}

impl From<DatabaseToken> for TokenJson {
    fn from(token: DatabaseToken) -> Self {
        let id = token.id.parse::<DatabaseTokenId>().ok();
        let permission = |Permission { action, resource }| PermissionJson {
            id: id.map(|id| PermissionId::derive(id, &action, &resource).to_string()),
            action,
            resource,
        };
        Self {
            account_id: token.account_id,
            cluster_id: token.cluster_id,
            id: token.id,
            description: token.description,
            permissions: token.permissions.into_iter().map(permission).collect(),
            created_at: None,
            expires_at: token.expires_at.map(Seconds::from),
            revoked_at: token.revoked_at.map(Seconds::from),
            access_token: None,
        }
    }
}

impl PermissionArgs {
    /// `None` without flags.
    fn permissions(&self) -> Option<Vec<Permission>> {
        let permission = |action: &str, resource: &Resource| Permission {
            action: action.to_owned(),
            resource: resource.to_string(),
        };
        let reads = self
            .read_database
            .iter()
            .map(|resource| permission("read", resource));
        let writes = self
            .write_database
            .iter()
            .map(|resource| permission("write", resource));
        let all = distinct(&reads.chain(writes).collect::<Vec<_>>());
        (!all.is_empty()).then_some(all)
    }
}

/// Runs `token …`.
pub(crate) fn run(command: TokenCommand, session: &Session) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => create(args, session),
        TokenCommand::Get(args) => get(&args, session),
        TokenCommand::List(args) => list(&args, session),
        TokenCommand::Revoke(args) => revoke(&args, session),
        TokenCommand::Update(args) => update(args, session),
    }
}

fn create(args: CreateArgs, session: &Session) -> Result<(), Failure> {
    if args.description.is_empty() {
        let message = "the description must not be empty: say what the token is for";
        return Err(Failure::Usage(message.to_owned()));
    }
    let request = CreateDatabaseToken {
        description: args.description,
        permissions: Some(args.permissions.permissions().unwrap_or_default()),
        expires_at: args.expires_at.map(|at| at.to_string()),
        expiration_type: None,
    };
    let path = session.cluster_path("/tokens")?;
    let created: CreatedDatabaseToken = session.api.send(&Method::POST, &path, &request)?;
    let secret = created.access_token.clone();
    let created_at = created.created_at;
    let token = without_secret(created);
    match args.format {
        Format::Json => {
            session.warn_about_secret();
            print_json(&TokenJson {
                created_at: Some(created_at.into()),
                access_token: Some(secret.expose().to_owned()),
                ..TokenJson::from(token)
            })
        }
        Format::Table => {
            print(vertical(&[
                ("id", Cell::text(&token.id)),
                ("description", Cell::text(&token.description)),
                ("expires at", Cell::moment(token.expires_at)),
                ("revoked at", Cell::moment(token.revoked_at)),
            ]))?;
            session.warn_about_secret();
            print(secret.expose())
        }
    }
}

fn without_secret(created: CreatedDatabaseToken) -> DatabaseToken {
    DatabaseToken {
        account_id: created.account_id,
        cluster_id: created.cluster_id,
        id: created.id,
        description: created.description,
        permissions: created.permissions,
        created_at: created.created_at,
        expires_at: created.expires_at,
        revoked_at: created.revoked_at,
    }
}

fn get(args: &GetArgs, session: &Session) -> Result<(), Failure> {
    let path = session.cluster_path(&format!("/tokens/{}", args.id))?;
    let token: DatabaseToken = session.api.get(&path)?;
    if let (Some(Moment(at)), false) = (token.revoked_at, args.include_revoked) {
        return Err(Failure::Failed(format!(
            "token {} was revoked at {}: give --include-revoked to see it",
            args.id,
            at.to_rfc3339(0)
        )));
    }
    match args.format {
        Format::Json => print_json(&TokenJson::from(token)),
        Format::Table => show(&token),
    }
}

fn show(token: &DatabaseToken) -> Result<(), Failure> {
    let permissions: Vec<String> = token
        .permissions
        .iter()
        .map(|permission| format!("{} {}", permission.action, permission.resource))
        .collect();
    print(vertical(&[
        ("id", Cell::text(&token.id)),
        ("description", Cell::text(&token.description)),
        ("permissions", Cell::text(permissions.join(", "))),
        ("created at", Cell::moment(Some(token.created_at))),
        ("expires at", Cell::moment(token.expires_at)),
        ("revoked at", Cell::moment(token.revoked_at)),
    ]))
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let status = if args.include_revoked {
        "all"
    } else {
        "active,expired"
    };
    let path = session.cluster_path(&format!("/tokens?status={status}&limit=1000"))?;
    let mut tokens: Vec<DatabaseToken> = session.api.list(&path)?;
    tokens.retain(|token| args.include_revoked || token.revoked_at.is_none());
    match args.sort {
        SortKey::Id => tokens.sort_by(|a, b| a.id.cmp(&b.id)),
        SortKey::Description => tokens.sort_by(|a, b| (&a.description, &a.id).cmp(&(&b.description, &b.id))),
    }
    match args.format {
        Format::Json => print_json(&tokens.into_iter().map(TokenJson::from).collect::<Vec<_>>()),
        Format::Table => {
            let row = |token: &DatabaseToken| [&token.id, &token.description].map(Cell::text).into();
            print(Table::new(&["ID", "DESCRIPTION"], tokens.iter().map(row).collect()).render())
        }
    }
}

fn update(args: UpdateArgs, session: &Session) -> Result<(), Failure> {
    let request = UpdateDatabaseToken {
        description: args.description,
        permissions: args.permissions.permissions(),
    };
    if request == UpdateDatabaseToken::default() {
        let message = "give at least one of --description, --read-database and --write-database";
        return Err(Failure::Usage(message.to_owned()));
    }
    let path = session.cluster_path(&format!("/tokens/{}", args.id))?;
    let token: DatabaseToken = session.api.send(&Method::PATCH, &path, &request)?;
    show(&token)
}

fn revoke(args: &RevokeArgs, session: &Session) -> Result<(), Failure> {
    let path = session.cluster_path("/tokens")?;
    revocations::revoke(
        session,
        SecretKind::Database,
        &path,
        &distinct(&args.ids),
        args.force,
    )
}
