//! Accounts and the clusters they own.

use crate::{AccountId, ClusterId, Timestamp};

/// Owns clusters, users and management tokens.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What people call it.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Owns databases and database tokens.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its id.
    pub id: ClusterId,
    /// The account that owns it.
    pub account: AccountId,
    /// What people call it.
    pub name: String,
    /// Whether it serves.
    pub state: ClusterState,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Where a cluster stands (contract, influxctl section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterState {
    /// Serves.
    Ready,
    /// Gone.
    Deleted,
}

impl ClusterState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Deleted => "deleted",
        }
    }
}
