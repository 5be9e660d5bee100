//! `GET /nodes`

use axum::Json;
use rescind_authority::{NodeCondition, NodeStatus};
use rescind_wire::{Lease, Node, NodeState};

use crate::api::errors::Problem;
use crate::api::extract::Asker;

/// List the nodes and their leases
#[utoipa::path(
    get,
    path = "/nodes",
    operation_id = "GetNodes",
    tag = "Nodes",
    responses((status = 200, description = "The nodes, by name.", body = [Node]))
)]
pub(crate) async fn list(asker: Asker) -> Result<Json<Vec<Node>>, Problem> {
    let nodes = asker.authority.nodes(&asker.caller).await?;
    Ok(Json(nodes.nodes.iter().map(shown).collect()))
}

fn shown(node: &NodeStatus) -> Node {
    Node {
        name: node.name.clone(),
        address: node.address.clone(),
        version: node.version.clone(),
        state: match node.state {
            NodeCondition::Serving => NodeState::Serving,
            NodeCondition::Lapsed => NodeState::Lapsed,
            NodeCondition::Left => NodeState::Left,
        },
        applied_revision: node.revision.get(),
        revisions_behind: node.behind,
        answering: node.is_answering,
        lease: node.lease.map(|lease| Lease {
            term_ms: u64::try_from(lease.ttl.as_millis()).unwrap_or(u64::MAX),
            joined_at: lease.joined_at.into(),
            renewed_at: lease.renewed_at.into(),
        }),
        grants: node.grants.map(|grants| grants as u64),
        remarks: node.remarks.clone(),
    }
}
