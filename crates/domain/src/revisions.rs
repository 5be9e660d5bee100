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

/// The number.
impl std::str::FromStr for Revision {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
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

/// What a change of rights returns: from `effective_at` on, every node acts by `revision`. What was waited for too long is
/// not known, but the change is made all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The revision that made the change.
    pub revision: Revision,
    /// When the last node had applied it, by the clock of the node that acted; `None` if the wait ended before that.
    pub effective_at: Option<Timestamp>,
    /// How long the act took, from its start to the last node or to the end of the wait.
    pub took: Duration,
    /// Every node that held a lease, as far as is known.
    pub nodes: Vec<NodeReceipt>,
    /// After how much longer every node acts by it or has stopped by itself, at the latest; `None` if they do already.
    pub settled_within: Option<Duration>,
}

impl Receipt {
    /// Whether every node acts by the revision. If not, some are awaited; or, where none is, the leases could not be read.
    pub const fn is_complete(&self) -> bool {
        self.effective_at.is_some()
    }
}
