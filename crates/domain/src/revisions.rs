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

/// What one node has made of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReceipt {
    /// The node's name.
    pub node: String,
    /// What is known of it.
    pub state: NodeState,
}

/// How a node came to act by a change, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// It applied the change.
    Applied {
        /// How long after the act began this was known.
        after: Duration,
    },
    /// It did not answer, and its lease lapsed: it admits nothing until it has caught up.
    Lapsed,
    /// It had not answered when the wait ended, and its lease may still run: it may act by the former state.
    Awaited,
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

impl Receipt {
    /// Whether every node acts by the revision: nobody is awaited any more.
    pub fn is_complete(&self) -> bool {
        self.nodes.iter().all(|node| node.state != NodeState::Awaited)
    }
}
