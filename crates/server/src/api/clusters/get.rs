//! `GET /accounts/{accountId}/clusters/{clusterId}`

use axum::Json;
use rescind_wire::Cluster;

use crate::api::errors::Problem;
use crate::api::extract::{ClusterSegment, Within};

/// Read a cluster
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/clusters/{clusterId}",
    operation_id = "GetCluster",
    tag = "Clusters",
    params(Within, ClusterSegment),
    responses((status = 200, description = "The cluster.", body = Cluster))
)]
pub(crate) async fn get(
    Within { asker, account }: Within,
    ClusterSegment(id): ClusterSegment,
) -> Result<Json<Cluster>, Problem> {
    let cluster = asker.authority.cluster(&asker.caller, account, id).await?;
    Ok(Json(Cluster::of(&cluster, &*asker.url)))
}
