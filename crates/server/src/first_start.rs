//! The first start on an empty catalog, and what every later start owes to `influxctl.toml`.

use std::sync::Arc;

use rescind_authority::Authority;
use rescind_domain::Email;

use crate::failure::Failure;
use crate::profile_file::{Address, ProfileFile};

/// Makes the first account with all that belongs to it, or points the profile of an earlier start to where this one
/// listens.
///
/// The profile is written before the catalog and renamed after it: whenever the process dies, either nothing exists yet
/// or the next start finds the secret that opens what exists.
pub(crate) async fn run(
    authority: &Arc<Authority>,
    file: &ProfileFile,
    address: &Address,
    administrator: &Email,
) -> Result<(), Failure> {
    let cannot = |e| Failure::because(format!("{} cannot be written", file.path().display()), e);
    if authority.is_unfounded().await? {
        let founding = authority.draw_up(administrator.clone())?;
        let (account, cluster) = (founding.account.id, founding.cluster.id);
        file.prepare(&founding, address).map_err(cannot)?;
        authority.found(founding).await?;
        file.publish().map_err(cannot)?;
        let profile = file.path().display();
        tracing::info!(%account, %cluster, %profile, "first start: made an account, a cluster and a management token");
        return Ok(());
    }
    file.recover().map_err(cannot)?;
    let account = authority.operator().await?.account().to_string();
    file.point_to(address, &account).map_err(cannot)
}
