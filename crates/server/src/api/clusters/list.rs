//! `GET /accounts/{accountId}/clusters`

use axum::Json;
use rescind_wire::Cluster;

use crate::api::errors::Problem;
use crate::api::extract::Within;

/// List an account's clusters
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/clusters",
    operation_id = "GetClusters",
    tag = "Clusters",
    params(Within),
    responses((status = 200, description = "The clusters.", body = [Cluster]))
)]
pub(crate) async fn list(Within { asker, account }: Within) -> Result<Json<Vec<Cluster>>, Problem> {
    let clusters = asker.authority.clusters(&asker.caller, account).await?;
    Ok(Json(
        clusters
            .iter()
            .map(|cluster| Cluster::of(cluster, &*asker.url))
            .collect(),
    ))
}
