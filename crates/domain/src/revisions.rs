//! Revisions, and the receipt that a revocation returns.

use std::fmt;
use std::time::Duration;

use crate::Timestamp;

/// The catalog's one monotone counter: each transaction that changes what anyone may do takes the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(i64);

impl Revision {
    /// The revision with this number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How one node came to refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReceipt {
    /// The node's name.
    pub node: String,
    /// How long after the act began the node had applied it; `None` when its lease had lapsed instead.
    pub applied_after: Option<Duration>,
}

/// What a change of rights returns: from `effective_at` on, every node acts by `revision`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The revision that made the change.
    pub revision: Revision,
    /// When the last node had applied it.
    pub effective_at: Timestamp,
    /// How long the act took, from its start to the last node.
    pub took: Duration,
    /// Every node that held a lease.
    pub nodes: Vec<NodeReceipt>,
}
