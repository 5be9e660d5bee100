//! `management`: management tokens (contract, influxctl section 9).

use clap::{Args, Subcommand, ValueEnum};
use rescind_domain::{ManagementTokenId, SecretKind, Timestamp, UserId};
use rescind_wire::{CreateManagementToken, CreatedManagementToken, ManagementToken};
use serde::Serialize;
use ureq::http::Method;

use crate::commands::{Session, distinct, revocations};
use crate::exit::Failure;
use crate::output::json::{Seconds, print_json};
use crate::output::tables::{Cell, Table, vertical};
use crate::output::{Format, print};
use crate::secrets::management_token_id;

/// `management …`
#[derive(Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ManagementCommand {
    /// Create a management token
    Create(CreateArgs),
    /// Show management tokens, revoked ones too
    List(ListArgs),
    /// Revoke management tokens, for good
    Revoke(RevokeArgs),
}

/// `management create`
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// What the token is for; a generated text when not given
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// When it expires, in RFC 3339 such as 2026-12-31T23:59:59Z; never when not given
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// `management list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// What to sort them by
    #[arg(long, value_enum, default_value_t)]
    sort: SortKey,
}

/// `management revoke`
#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// The tokens
    #[arg(value_name = "TOKEN_ID", required = true, value_parser = management_token_id)]
    ids: Vec<ManagementTokenId>,
    /// Do not ask for confirmation
    #[arg(long)]
    force: bool,
}

/// What `management list` is sorted by; what is not set comes last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum SortKey {
    #[default]
    Created,
    Id,
    Description,
    Prefix,
    Expires,
    Revoked,
}

/// A management token as JSON shows it (contract, influxctl section 9.2).
#[derive(Serialize)]
struct TokenJson {
    id: String,
    account_id: String,
    token_prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Seconds>,
    created_at: Seconds,
    description: String,
    created_by: String,
    /// In the answer to its creation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<ManagementToken> for TokenJson {
    fn from(token: ManagementToken) -> Self {
        // The documented value is a bare id; `user:ID` is how the server tells kinds of creators apart. The nil UUID
        // stands for the system and its operator, who have none.
        let creator = token.created_by.rsplit(':').next().map(str::parse::<UserId>);
        let created_by = creator
            .and_then(Result::ok)
            .unwrap_or(UserId::from_bytes([0; 16]))
            .to_string();
        Self {
            id: token.id,
            account_id: token.account_id,
            token_prefix: token.prefix,
            expires_at: token.expires_at.map(Seconds::from),
            revoked_at: token.revoked_at.map(Seconds::from),
            created_at: token.created_at.into(),
            description: token.description,
            created_by,
            token: None,
        }
    }
}

/// Runs `management …`.
pub(crate) fn run(command: ManagementCommand, session: &Session) -> Result<(), Failure> {
    match command {
        ManagementCommand::Create(args) => create(args, session),
        ManagementCommand::List(args) => list(&args, session),
        ManagementCommand::Revoke(args) => revoke(&args, session),
    }
}

fn create(args: CreateArgs, session: &Session) -> Result<(), Failure> {
    if args.description.as_deref() == Some("") {
        let message = "--description must not be empty; leave it out to have one generated";
        return Err(Failure::Usage(message.to_owned()));
    }
    let request = CreateManagementToken {
        description: args.description,
        expires_at: args.expires_at.map(|at| at.to_string()),
    };
    let path = session.account_path("/management-tokens")?;
    let created: CreatedManagementToken = session.api.send(&Method::POST, &path, &request)?;
    let (token, secret) = (created.details, created.token);
    match args.format {
        Format::Json => {
            session.warn_about_secret();
            print_json(&TokenJson {
                token: Some(secret.expose().to_owned()),
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

impl Session {
    /// What accompanies every new secret (contract, influxctl section 9.1).
    pub(super) fn warn_about_secret(&self) {
        self.log.warn("copy the token below and keep it in a safe place");
        self.log.warn("this is the only time that it is shown");
    }
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let path = session.account_path("/management-tokens?limit=1000")?;
    let mut tokens: Vec<ManagementToken> = session.api.list(&path)?;
    sort(&mut tokens, args.sort);
    match args.format {
        Format::Json => print_json(&tokens.into_iter().map(TokenJson::from).collect::<Vec<_>>()),
        Format::Table => {
            let row = |token: &ManagementToken| {
                vec![
                    Cell::text(&token.id),
                    Cell::text(&token.description),
                    Cell::text(&token.prefix),
                    Cell::moment(Some(token.created_at)),
                    Cell::moment(token.expires_at),
                    Cell::moment(token.revoked_at),
                ]
            };
            let header = [
                "ID",
                "DESCRIPTION",
                "PREFIX",
                "CREATED AT",
                "EXPIRES AT",
                "REVOKED AT",
            ];
            print(Table::new(&header, tokens.iter().map(row).collect()).render())
        }
    }
}

fn sort(tokens: &mut [ManagementToken], key: SortKey) {
    let unset_last = |moment: Option<rescind_wire::Moment>| (moment.is_none(), moment);
    tokens.sort_by(|a, b| {
        let first = match key {
            SortKey::Created => a.created_at.cmp(&b.created_at),
            SortKey::Id => a.id.cmp(&b.id),
            SortKey::Description => a.description.cmp(&b.description),
            SortKey::Prefix => a.prefix.cmp(&b.prefix),
            SortKey::Expires => unset_last(a.expires_at).cmp(&unset_last(b.expires_at)),
            SortKey::Revoked => unset_last(a.revoked_at).cmp(&unset_last(b.revoked_at)),
        };
        first
            .then_with(|| a.created_at.cmp(&b.created_at))
            .then_with(|| a.id.cmp(&b.id))
    });
}

fn revoke(args: &RevokeArgs, session: &Session) -> Result<(), Failure> {
    let path = session.account_path("/management-tokens")?;
    revocations::revoke(
        session,
        SecretKind::Management,
        &path,
        &distinct(&args.ids),
        args.force,
    )
}
