//! Nodes: an extension.

use serde::{Deserialize, Serialize};

/// A process that admits requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether it may admit.
    pub state: NodeState,
    /// The revision it acts by.
    pub applied_revision: i64,
    /// Whether it is the one that gave this answer.
    pub answering: bool,
}

/// Whether a node may admit requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum NodeState {
    /// Holds a lease.
    Serving,
    /// Its lease has lapsed: it answers 503.
    Lapsed,
}
