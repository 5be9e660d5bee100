//! The first start on an empty catalog, and what every later start owes to `influxctl.toml` and the embedded database.

use std::sync::Arc;

use rescind_authority::Authority;
use rescind_domain::Email;

use crate::data_dir::DataDir;
use crate::engine_owner::EngineOwner;
use crate::failure::Failure;
use crate::profile_file::{Address, ProfileFile};

/// Makes the first account with all that belongs to it, or points the profile of an earlier start to where this one
/// listens. Fails when the data directory belongs to another catalog.
///
/// The profile is written before the catalog and renamed after it: whenever the process dies, either nothing exists yet
/// or the next start finds the secret that opens what exists.
pub(crate) async fn run(
    authority: &Arc<Authority>,
    data: &DataDir,
    address: &Address,
    administrator: &Email,
) -> Result<(), Failure> {
    let (file, owner) = (ProfileFile::of(data.path()), EngineOwner::of(data.engine()));
    let cannot = |e| Failure::because(format!("{} cannot be written", file.path().display()), e);
    if authority.is_unfounded().await? {
        owner.must_be_nobody()?;
        must_be_free(&file)?;
        let founding = authority.draw_up(administrator.clone())?;
        let (account, cluster) = (founding.account.id, founding.cluster.id);
        file.prepare(&founding, address).map_err(cannot)?;
        authority.found(founding).await?;
        file.publish().map_err(cannot)?;
        let profile = file.path().display();
        tracing::info!(%account, %cluster, %profile, "first start: made an account, a cluster and a management token");
        return owner.must_be(account);
    }
    let account = authority.operator().await?.account();
    owner.must_be(account)?;
    let account = account.to_string();
    file.recover(&account).map_err(cannot)?;
    file.point_to(address, &account).map_err(cannot)
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
