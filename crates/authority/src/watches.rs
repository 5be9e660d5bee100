//! Watches: what a fence knows of the other nodes, and for how much longer one of them may act by the former state.

use std::collections::BTreeMap;
use std::time::Duration;

use rescind_catalog::NodeLease;
use rescind_domain::{NodeId, NodeReceipt, NodeState, Revision};

use crate::NodeSettings;
use crate::terms::outlasting;
use crate::timers::Instant;

/// What a fence knows of the other nodes.
#[derive(Default)]
pub(crate) struct Watch {
    /// Those that may hold a lease from before the change; `None` until they were read.
    held: Option<BTreeMap<NodeId, Held>>,
}

struct Held {
    name: String,
    ttl: Duration,
    is_lapsed: bool,
    /// How long after the act began the node was seen to act by the change.
    applied: Option<Duration>,
}

impl Watch {
    /// Notes what was read after the change was committed. Whoever joins later begins with the change.
    pub(crate) fn note(&mut self, leases: &[NodeLease], own: NodeId, revision: Revision, began: Instant) {
        let is_first = self.held.is_none();
        let held = self.held.get_or_insert_default();
        for lease in leases.iter().filter(|lease| lease.node.id != own) {
            if is_first && !lease.is_lapsed {
                let (name, ttl) = (lease.node.name.clone(), lease.node.ttl);
                held.insert(
                    lease.node.id,
                    Held {
                        name,
                        ttl,
                        is_lapsed: false,
                        applied: None,
                    },
                );
            }
            let Some(node) = held.get_mut(&lease.node.id) else {
                continue;
            };
            node.is_lapsed |= lease.is_lapsed;
            if lease.applied >= revision && node.applied.is_none() {
                node.applied = Some(began.elapsed());
            }
        }
    }

    /// How much longer somebody may act by the former state, `waited` after the change was committed; `None` once nobody
    /// does.
    pub(crate) fn left(&self, waited: Duration) -> Option<Duration> {
        let Some(held) = &self.held else {
            return outlasting(NodeSettings::LONGEST_LEASE)
                .checked_sub(waited)
                .filter(|left| !left.is_zero());
        };
        held.values().filter_map(|node| node.left(waited)).max()
    }

    /// What is known of each, and how much longer somebody may act by the former state.
    pub(crate) fn told(self, waited: Duration) -> (Vec<NodeReceipt>, Option<Duration>) {
        let left = self.left(waited);
        let nodes = self
            .held
            .unwrap_or_default()
            .into_values()
            .map(|node| NodeReceipt {
                state: match (node.applied, node.left(waited)) {
                    (Some(after), _) => NodeState::Applied { after },
                    (None, Some(_)) => NodeState::Awaited,
                    (None, None) => NodeState::Lapsed,
                },
                node: node.name,
            });
        let mut nodes: Vec<_> = nodes.collect();
        nodes.sort_by(|a, b| a.node.cmp(&b.node));
        (nodes, left)
    }
}

impl Held {
    /// How much longer it may act by the former state.
    fn left(&self, waited: Duration) -> Option<Duration> {
        if self.is_lapsed || self.applied.is_some() {
            return None;
        }
        outlasting(self.ttl)
            .checked_sub(waited)
            .filter(|left| !left.is_zero())
    }
}
