//! `GET /nodes`

use axum::Json;
use rescind_authority::NodeStatus;
use rescind_wire::{Node, NodeState};

use crate::api::errors::Problem;
use crate::api::extract::Asker;

/// List the nodes that admit requests
#[utoipa::path(
    get,
    path = "/nodes",
    operation_id = "GetNodes",
    tag = "Nodes",
    responses((status = 200, description = "The nodes.", body = [Node]))
)]
pub(crate) async fn list(asker: Asker) -> Result<Json<Vec<Node>>, Problem> {
    let nodes = asker.authority.nodes(&asker.caller)?;
    Ok(Json(nodes.iter().map(shown).collect()))
}

fn shown(node: &NodeStatus) -> Node {
    Node {
        name: node.name.clone(),
        state: if node.is_admitting {
            NodeState::Serving
        } else {
            NodeState::Lapsed
        },
        applied_revision: node.revision.get(),
        // The authority knows of no other node than the process it runs in.
        answering: true,
    }
}
