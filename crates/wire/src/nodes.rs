//! Nodes: an extension.

use serde::{Deserialize, Serialize};

use crate::Moment;

/// A process that admits requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Where clients reach it.
    pub address: String,
    /// Which release it runs.
    pub version: String,
    /// Whether it may admit.
    pub state: NodeState,
    /// The revision it acts by.
    pub applied_revision: i64,
    /// How many revisions of the catalog it does not act by yet.
    pub revisions_behind: u64,
    /// Whether it is the one that gave this answer.
    pub answering: bool,
    /// Its lease; absent where a node is alone with its catalog and needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// How many tokens and sessions it holds in memory; of the one that gave this answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<u64>,
    /// What its operator should change, as sentences; absent where nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A node's right to admit, for one term after another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lease {
    /// How long a term lasts, in milliseconds.
    pub term_ms: u64,
    /// When the node joined, by its own clock.
    pub joined_at: Moment,
    /// When it last renewed its lease, by its own clock.
    pub renewed_at: Moment,
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
    /// It was stopped.
    Left,
}
