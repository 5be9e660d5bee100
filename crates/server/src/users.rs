//! `rescind user …`: acts on the data directory itself, while no server runs on it.

use std::io::Write as _;
use std::sync::Arc;

use rescind_authority::{AddUser, Authority, SessionLimits};

use crate::args::UserCommand;
use crate::authorities::Opened;
use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::{authorities, terminal};

/// Does what was asked and says so on stdout.
pub(crate) async fn run(command: UserCommand) -> Result<(), Failure> {
    let data = match &command {
        UserCommand::Add { data, .. }
        | UserCommand::Passwd { data, .. }
        | UserCommand::Disable { data, .. } => data,
    };
    let location = data.existing_location()?;
    let _dir = DataDir::open(&data.data_dir)?;
    let Opened {
        authority,
        catalog,
        lock: _lock,
    } = authorities::open(&location, "rescind-user".to_owned(), SessionLimits::default()).await?;
    let done = act(&authority, command).await;
    catalog.close().await;
    // What was done stays done, whether or not anyone reads about it.
    let _ = writeln!(std::io::stdout().lock(), "{}", done?);
    Ok(())
}

async fn act(authority: &Arc<Authority>, command: UserCommand) -> Result<String, Failure> {
    let operator = authority.operator().await?;
    Ok(match command {
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
            let user = authority.add_user(&operator, operator.account(), request).await?;
            let advice = "give it a password with `rescind user passwd`";
            format!("added {} ({}, {}); {advice}", user.email, user.role, user.id)
        }
        UserCommand::Passwd { email, .. } => {
            let password = terminal::read_password()?;
            let user = authority.user_by_email(&operator, &email).await?;
            authority.set_password(&operator, user.id, password).await?;
            format!("set the password of {email}")
        }
        UserCommand::Disable { email, .. } => {
            let user = authority.user_by_email(&operator, &email).await?;
            authority.disable_user(&operator, user.account, user.id).await?;
            format!("disabled {email}")
        }
    })
}
