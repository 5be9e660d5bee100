//! Watches: what a fence knows of the other nodes, and for how much longer one of them may act by the former state.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rescind_catalog::NodeLease;
use rescind_domain::{NodeId, NodeReceipt, NodeState, Revision};

use crate::NodeSettings;
use crate::endings::Endings;
use crate::terms::outlasting;
use crate::timers::Instant;

/// What a fence knows of the other nodes.
#[derive(Default)]
pub(crate) struct Watch {
    /// Those that may hold a lease from before the change; `None` until they were read.
    held: Option<BTreeMap<NodeId, Held>>,
    /// How long after the change was committed they were read last.
    looked: Duration,
}

struct Held {
    name: String,
    ttl: Duration,
    /// The number that its lease had at first.
    lease: i64,
    /// It has another number by now: the node lives, and renewing brought the change to it.
    is_renewed: bool,
    is_lapsed: bool,
    /// How long after the act began the node was seen to act by the change.
    applied: Option<Duration>,
}

impl Watch {
    /// Notes what was read when `waited` had passed since the change was committed. Whoever joins later begins with the change.
    pub(crate) fn note(
        &mut self,
        leases: &[NodeLease],
        own: NodeId,
        revision: Revision,
        began: Instant,
        waited: Duration,
    ) {
        self.looked = waited;
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
                        lease: lease.lease,
                        is_renewed: false,
                        is_lapsed: false,
                        applied: None,
                    },
                );
            }
            let Some(node) = held.get_mut(&lease.node.id) else {
                continue;
            };
            node.is_lapsed |= lease.is_lapsed;
            node.is_renewed |= lease.lease != node.lease;
            if lease.applied >= revision && node.applied.is_none() {
                node.applied = Some(began.elapsed());
            }
        }
    }

    /// Notes what the nodes told by themselves.
    pub(crate) fn hear(&mut self, answers: &HashMap<NodeId, Revision>, revision: Revision, began: Instant) {
        for (id, node) in self.held.iter_mut().flatten() {
            let acts = answers.get(id).is_some_and(|through| *through >= revision);
            if acts && node.applied.is_none() {
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
        held.values()
            .filter_map(|node| node.left(waited, self.looked))
            .max()
    }

    /// What is known of each, and how much longer somebody may act by the former state.
    pub(crate) fn told(self, waited: Duration) -> (Vec<NodeReceipt>, Option<Duration>) {
        let (left, looked) = (self.left(waited), self.looked);
        let nodes = self
            .held
            .unwrap_or_default()
            .into_values()
            .map(|node| NodeReceipt {
                state: match (node.applied, node.left(waited, looked)) {
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
    /// How much longer it may act by the former state, or have work to end that the change cut.
    ///
    /// The term that it had is over once a term and the drift have passed. A node that has renewed meanwhile acts by the
    /// change, but acknowledges only once such work has ended or was given up (promise G2). One that was not seen lately
    /// may have renewed, too.
    fn left(&self, waited: Duration, looked: Duration) -> Option<Duration> {
        if self.is_lapsed || self.applied.is_some() {
            return None;
        }
        let over = outlasting(self.ttl);
        let may_live = self.is_renewed || looked + self.ttl / 2 < over;
        let bound = match may_live && waited >= over || self.is_renewed {
            true => over + Endings::PATIENCE + self.ttl,
            false => over,
        };
        bound.checked_sub(waited).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescind_catalog::NodeInfo;
    use rescind_domain::Timestamp;

    const TTL: Duration = Duration::from_secs(2);
    const OWN: NodeId = NodeId::from_bytes([1; 16]);
    const CHANGE: Revision = Revision::new(7);

    fn row(lease: i64, applied: i64) -> NodeLease {
        NodeLease {
            node: NodeInfo {
                id: NodeId::from_bytes([2; 16]),
                name: "node-2".to_owned(),
                address: String::new(),
                version: String::new(),
                ttl: TTL,
            },
            applied: Revision::new(applied),
            lease,
            is_lapsed: false,
            has_left: false,
            joined_at: Timestamp::from_micros(0),
            renewed_at: Timestamp::from_micros(0),
        }
    }

    /// A watch that saw these rows, so many milliseconds after the change was committed.
    fn watch(seen: &[(u64, NodeLease)]) -> Watch {
        let mut watch = Watch::default();
        for (waited, row) in seen {
            let rows = std::slice::from_ref(row);
            watch.note(rows, OWN, CHANGE, Instant::now(), Duration::from_millis(*waited));
        }
        watch
    }

    fn state(watch: Watch, waited: Duration) -> NodeState {
        watch.told(waited).0.remove(0).state
    }

    #[test]
    fn a_lease_that_kept_its_number_is_over_after_a_term_and_the_drift() {
        let seen = || watch(&[(0, row(1, 6)), (2_000, row(1, 6))]);
        assert_eq!(state(seen(), TTL), NodeState::Awaited);
        assert_eq!(state(seen(), outlasting(TTL)), NodeState::Lapsed);
    }

    /// G2: cut. The node lives and has cut the work, which has not ended: it would have acknowledged.
    #[test]
    fn a_node_that_renews_without_acknowledging_is_awaited_as_long_as_its_work_may_take() {
        let seen = || watch(&[(0, row(1, 6)), (700, row(2, 6)), (2_000, row(3, 6))]);
        assert_eq!(
            state(seen(), outlasting(TTL) + Endings::PATIENCE),
            NodeState::Awaited
        );
        let end = outlasting(TTL) + Endings::PATIENCE + TTL;
        assert_eq!(seen().left(end), None, "and no longer");
    }

    #[test]
    fn a_node_that_was_not_seen_lately_may_have_renewed() {
        let seen = watch(&[(0, row(1, 6))]);
        assert_eq!(state(seen, outlasting(TTL)), NodeState::Awaited);
    }

    #[test]
    fn who_acknowledges_is_not_awaited() {
        let seen = watch(&[(0, row(1, 6)), (3, row(1, 7))]);
        assert!(matches!(state(seen, TTL), NodeState::Applied { .. }));
    }
}
