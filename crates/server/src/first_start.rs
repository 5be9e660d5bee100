//! The first start on an empty catalog, and what every later start owes to `influxctl.toml` and the embedded database.

use std::sync::Arc;

use rescind_authority::{Authority, Caller, Error, Page};
use rescind_domain::{Email, Role, UserState};

use crate::data_dir::DataDir;
use crate::engine_owner::EngineOwner;
use crate::failure::Failure;
use crate::links::SetUp;
use crate::profile_file::{Address, ProfileFile};

/// Makes the first account with all that belongs to it, or points the profile of an earlier start to where this one
/// listens. Fails when the data directory belongs to another catalog. Says what the administrator still has to do.
///
/// The profile is written before the catalog and renamed after it: whenever the process dies, either nothing exists yet
/// or the next start finds the secret that opens what exists.
pub(crate) async fn run(
    authority: &Arc<Authority>,
    data: &DataDir,
    address: &Address,
    administrator: &Email,
) -> Result<SetUp, Failure> {
    let (file, owner) = (ProfileFile::of(data.path()), EngineOwner::of(data.engine()));
    if authority.is_unfounded().await? {
        owner.must_be_nobody()?;
        must_be_free(&file)?;
        if let Some(set_up) = found(authority, &file, address, administrator).await? {
            owner.must_be(authority.operator().await?.account())?;
            return Ok(set_up);
        }
        tracing::info!("another node was quicker: this installation was made just now");
    }
    let operator = authority.operator().await?;
    let joins = owner.must_be_nobody().is_ok();
    owner.must_be(operator.account())?;
    let account = operator.account().to_string();
    file.recover(&account).map_err(|e| cannot(&file, e))?;
    file.point_to(address, &account).map_err(|e| cannot(&file, e))?;
    let later = later(authority, &operator, administrator).await?;
    // The secret is where the first start was, and nowhere else.
    let is_elsewhere = joins && !file.path().exists();
    Ok(match is_elsewhere {
        true => SetUp::Elsewhere {
            later: Box::new(later),
        },
        false => later,
    })
}

/// Makes the first account and all that belongs to it; `None` when another node was quicker.
async fn found(
    authority: &Arc<Authority>,
    file: &ProfileFile,
    address: &Address,
    administrator: &Email,
) -> Result<Option<SetUp>, Failure> {
    let founding = authority.draw_up(administrator.clone())?;
    let (account, cluster) = (founding.account.id, founding.cluster.id);
    let set_up = SetUp::Open {
        administrator: founding.administrator.clone(),
        secret: founding.invitation_secret.clone(),
    };
    file.prepare(&founding, address).map_err(|e| cannot(file, e))?;
    match authority.found(founding).await {
        Ok(_) => {}
        Err(Error::Conflict(_)) => {
            file.discard().map_err(|e| cannot(file, e))?;
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    }
    file.publish().map_err(|e| cannot(file, e))?;
    let profile = file.path().display();
    tracing::info!(%account, %cluster, %profile, "first start: made an account, a cluster and a management token");
    Ok(Some(set_up))
}

fn cannot(file: &ProfileFile, error: std::io::Error) -> Failure {
    Failure::because(format!("{} cannot be written", file.path().display()), error)
}

/// What a later start owes to whoever lost the link of the first one.
async fn later(
    authority: &Arc<Authority>,
    operator: &Caller,
    administrator: &Email,
) -> Result<SetUp, Failure> {
    if authority.can_be_administered(operator.account()).await? {
        return Ok(SetUp::Done);
    }
    let users = authority
        .users(operator, operator.account(), &Page::first(Page::MAX))
        .await?;
    let known = users
        .items
        .into_iter()
        .find(|user| user.role == Role::Admin && user.state == UserState::Enabled);
    let administrator = known.map_or_else(|| administrator.clone(), |user| user.email);
    Ok(SetUp::Invite { administrator })
}

/// What is there holds the only copy of somebody's token, never of the one that is about to be made.
fn must_be_free(file: &ProfileFile) -> Result<(), Failure> {
    let path = file.path().display();
    let Some(owner) = file
        .owner()
        .map_err(|e| Failure::because(format!("{path} cannot be read"), e))?
    else {
        return Ok(());
    };
    Err(Failure::new(format!(
        "{path} exists and belongs to {owner}: move it away or give another --data-dir"
    )))
}
