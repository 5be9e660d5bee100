//! `user`: the people of the account (contract, influxctl section 11.1).

use clap::{Args, Subcommand, ValueEnum};
use rescind_domain::UserId;
use rescind_wire::{CreateInvitation, CreatedInvitation, User};
use serde::Serialize;
use ureq::http::Method;

use crate::commands::Session;
use crate::exit::Failure;
use crate::output::json::{Seconds, print_json};
use crate::output::tables::{Cell, Table};
use crate::output::{Format, print};
use crate::prompt::{Question, confirm};

/// `user …`
#[derive(Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum UserCommand {
    /// Delete a user, for good
    Delete(DeleteArgs),
    /// Invite a person: makes a link that works once
    Invite(InviteArgs),
    /// Show the users of the account
    List(ListArgs),
}

/// `user delete`
#[derive(Args)]
pub(crate) struct DeleteArgs {
    /// The user
    #[arg(value_name = "USER_ID")]
    id: UserId,
    /// Do not ask for confirmation
    #[arg(long)]
    force: bool,
}

/// `user invite`
#[derive(Args)]
pub(crate) struct InviteArgs {
    /// Given name
    #[arg(value_name = "FIRST_NAME")]
    first_name: String,
    /// Family name
    #[arg(value_name = "LAST_NAME")]
    last_name: String,
    /// E-mail address; that of a user lets the user set a new password
    #[arg(value_name = "EMAIL")]
    email: String,
    /// What the user will be
    #[arg(long, value_enum, default_value_t)]
    role: Role,
}

/// `user list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What a user may do (contract, admin-ui section 8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Everything on the account
    Admin,
    /// See databases; create tokens for them, change and revoke its own
    #[default]
    Member,
    /// See everything and change nothing
    Auditor,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Auditor => "auditor",
        }
    }
}

/// A user as JSON shows it.
#[derive(Serialize)]
struct UserJson {
    id: String,
    first_name: String,
    last_name: String,
    email: String,
    roles: [String; 1],
    created_at: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<Seconds>,
}

impl From<User> for UserJson {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.email,
            roles: [user.role],
            created_at: user.created_at.into(),
            disabled_at: user.disabled_at.map(Seconds::from),
        }
    }
}

/// Runs `user …`.
pub(crate) fn run(command: UserCommand, session: &Session) -> Result<(), Failure> {
    match command {
        UserCommand::Delete(args) => delete(&args, session),
        UserCommand::Invite(args) => invite(args, session),
        UserCommand::List(args) => list(&args, session),
    }
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let users: Vec<User> = session.api.list(&session.account_path("/users?limit=1000")?)?;
    match args.format {
        Format::Json => print_json(&users.into_iter().map(UserJson::from).collect::<Vec<_>>()),
        Format::Table => {
            let row = |user: &User| {
                vec![
                    Cell::text(&user.id),
                    Cell::text(&user.first_name),
                    Cell::text(&user.last_name),
                    Cell::text(&user.email),
                    Cell::text(&user.role),
                    Cell::moment(Some(user.created_at)),
                    Cell::moment(user.disabled_at),
                ]
            };
            let header = [
                "ID",
                "FIRST NAME",
                "LAST NAME",
                "EMAIL",
                "ROLES",
                "CREATED AT",
                "DISABLED AT",
            ];
            print(Table::new(&header, users.iter().map(row).collect()).render())
        }
    }
}

fn invite(args: InviteArgs, session: &Session) -> Result<(), Failure> {
    let request = CreateInvitation {
        email: args.email,
        first_name: args.first_name,
        last_name: args.last_name,
        role: args.role.as_str().to_owned(),
    };
    let path = session.account_path("/invitations")?;
    let created: CreatedInvitation = session.api.send(&Method::POST, &path, &request)?;
    let (invitation, link) = (created.details, created.link);
    session.log.info(format_args!(
        "{} is invited as {}: hand over the link below, it works once and until {}",
        invitation.email,
        invitation.role,
        invitation.expires_at.0.to_rfc3339(0)
    ));
    session.log.warn("this is the only time that it is shown");
    print(link)
}

fn delete(args: &DeleteArgs, session: &Session) -> Result<(), Failure> {
    let path = session.account_path(&format!("/users/{}", args.id))?;
    if !args.force {
        let about = match session.api.get::<User>(&path) {
            Ok(user) => format!("{} {} <{}>", user.first_name, user.last_name, user.email),
            Err(error) if error.is_not_found() => "(no such user)".to_owned(),
            Err(error) => return Err(error.into()),
        };
        confirm(&Question {
            what: "Delete this user?",
            subjects: vec![(args.id.to_string(), Some(about))],
            consequence: "The user is logged out everywhere. This cannot be undone.",
        })?;
    }
    session.end(&path, format!("Deleted user {}", args.id))
}
