//! Nodes: which processes admit requests, what their leases say, and how far each of them is.

use std::collections::HashMap;
use std::time::Duration;

use rescind_catalog::NodeLease;
use rescind_domain::{NodeId, Revision, Subject, Timestamp, Verb};
use tokio_util::sync::CancellationToken;

use crate::leases::{Leases, Shared};
use crate::terms::outlasting;
use crate::{Authority, Caller, Error};

/// Every node, and the revision that they are to act by.
#[derive(Debug, Clone)]
pub struct Nodes {
    /// The catalog's revision, read before the leases were.
    pub revision: Revision,
    /// By name.
    pub nodes: Vec<NodeStatus>,
    /// Whether several processes may act on the catalog.
    pub is_shared: bool,
}

/// A node as lists show it.
#[derive(Debug, Clone)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// Where clients reach it.
    pub address: String,
    /// Which release it runs.
    pub version: String,
    /// Whether it admits.
    pub state: NodeCondition,
    /// It acts by every change up to here.
    pub revision: Revision,
    /// How many revisions of the catalog it does not act by yet.
    pub behind: u64,
    /// Its lease; `None` where a node is alone with its catalog and needs none.
    pub lease: Option<LeaseStatus>,
    /// Whether it is the one that was asked.
    pub is_answering: bool,
    /// How many tokens and sessions it holds in memory; known of the one that was asked.
    pub grants: Option<usize>,
    /// What its operator should change, as sentences: it has the name of another one, or terms of another length.
    pub remarks: Vec<String>,
}

/// A lease as lists show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseStatus {
    /// How long a term lasts.
    pub ttl: Duration,
    /// When the node joined, by its own clock.
    pub joined_at: Timestamp,
    /// When it last renewed, by its own clock.
    pub renewed_at: Timestamp,
}

/// Whether a node admits, as far as the others know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeCondition {
    /// It holds a lease.
    Serving,
    /// It did not renew its lease in time: it admits nothing, and nobody waits for it.
    Lapsed,
    /// It was stopped and gave its lease up.
    Left,
}

/// What alarms want to know of this node and its catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeHealth {
    /// How much longer it may admit without hearing from the catalog; `None` where it needs no lease.
    pub term_left: Option<Duration>,
    /// How many revisions of the catalog it does not act by yet.
    pub behind: u64,
    /// Nodes that hold a lease.
    pub serving: usize,
    /// Nodes whose lease has lapsed, and which have not come back under their name and address.
    pub lapsed: usize,
}

impl Authority {
    /// The nodes. On SQLite that is this process. Of several starts under one name and address the last is shown, and every
    /// one that still holds a lease.
    ///
    /// # Errors
    /// [`Error::Forbidden`] by policy, [`Error::Unavailable`].
    pub async fn nodes(&self, caller: &Caller) -> Result<Nodes, Error> {
        caller.check(caller.account(), Verb::Read, Subject::Node)?;
        self.all_nodes().await
    }

    /// What alarms want to know.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: what is known without the catalog is [`Self::is_current`] and [`Self::term_left`].
    pub async fn health(&self) -> Result<NodeHealth, Error> {
        let Nodes { nodes, .. } = self.all_nodes().await?;
        let count = |state| nodes.iter().filter(|node| node.state == state).count();
        let own = nodes.iter().find(|node| node.is_answering);
        Ok(NodeHealth {
            term_left: self.term_left(),
            behind: own.map_or(0, |own| own.behind),
            serving: count(NodeCondition::Serving),
            lapsed: count(NodeCondition::Lapsed),
        })
    }

    /// Whether several processes may act on the catalog, each with points of its own.
    pub fn is_shared(&self) -> bool {
        self.catalog.is_shared()
    }

    /// How much longer this node may admit without hearing from the catalog; `None` where it needs no lease.
    pub fn term_left(&self) -> Option<Duration> {
        self.node.term.left()
    }

    async fn all_nodes(&self) -> Result<Nodes, Error> {
        let Leases::Shared(shared) = &self.node.leases else {
            return Ok(Nodes {
                revision: self.revision(),
                nodes: vec![self.only_node()],
                is_shared: false,
            });
        };
        let revision = self.catalog.revision_in_turn().await?;
        let leases = self.node.look(shared, self.settings.stopwatch.elapsed()).await?;
        Ok(Nodes {
            revision,
            nodes: shown(&leases)
                .map(|lease| self.status(lease, &leases, revision))
                .collect(),
            is_shared: true,
        })
    }

    /// Tells the log, a term after the start, what should be changed about this node among the others. Whoever was killed
    /// a moment before, such as a former start of this node itself, is known to be dead by then.
    pub(crate) async fn look_around(&self, shutdown: &CancellationToken) {
        let Leases::Shared(shared) = &self.node.leases else {
            return;
        };
        if !shared.admits {
            return;
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            remarks = self.remarks_on_self(shared) => match remarks {
                Ok(remarks) => {
                    for remark in remarks {
                        tracing::warn!("{remark}");
                    }
                }
                Err(error) => tracing::debug!(%error, "the other nodes were not looked at"),
            }
        }
    }

    async fn remarks_on_self(&self, shared: &Shared) -> Result<Vec<String>, Error> {
        let look = async || self.node.look(shared, self.settings.stopwatch.elapsed()).await;
        let leases = look().await?;
        let held = leases.iter().filter(|lease| !lease.is_lapsed);
        let longest = held.map(|lease| lease.node.ttl).max();
        tokio::time::sleep(outlasting(longest.unwrap_or_default())).await;
        let leases = look().await?;
        let own = leases.iter().find(|lease| lease.node.id == self.node.info.id);
        Ok(own.map(|own| remarks(own, &leases)).unwrap_or_default())
    }

    fn only_node(&self) -> NodeStatus {
        let info = &self.node.info;
        NodeStatus {
            name: info.name.clone(),
            address: info.address.clone(),
            version: info.version.clone(),
            state: match self.is_current() {
                true => NodeCondition::Serving,
                false => NodeCondition::Lapsed,
            },
            revision: self.revision(),
            behind: 0,
            lease: None,
            is_answering: true,
            grants: Some(self.grant_count()),
            remarks: Vec::new(),
        }
    }

    fn status(&self, lease: &NodeLease, all: &[NodeLease], revision: Revision) -> NodeStatus {
        let is_answering = lease.node.id == self.node.info.id;
        // What was acknowledged is what others know; this node knows itself better.
        let applied = match is_answering {
            true => self.revision().max(lease.applied),
            false => lease.applied,
        };
        NodeStatus {
            name: lease.node.name.clone(),
            address: lease.node.address.clone(),
            version: lease.node.version.clone(),
            state: condition(lease),
            revision: applied,
            behind: u64::try_from(revision.get() - applied.get()).unwrap_or_default(),
            lease: Some(LeaseStatus {
                ttl: lease.node.ttl,
                joined_at: lease.joined_at,
                renewed_at: lease.renewed_at,
            }),
            is_answering,
            grants: is_answering.then(|| self.grant_count()),
            remarks: remarks(lease, all),
        }
    }
}

const fn condition(lease: &NodeLease) -> NodeCondition {
    match (lease.is_lapsed, lease.has_left) {
        (false, _) => NodeCondition::Serving,
        (true, false) => NodeCondition::Lapsed,
        (true, true) => NodeCondition::Left,
    }
}

/// Those that hold a lease; of the others the last start under each name and address, unless it serves again. One that
/// died is not hidden by another one that has its name.
fn shown(leases: &[NodeLease]) -> impl Iterator<Item = &NodeLease> {
    fn place(lease: &NodeLease) -> (&str, &str) {
        (&lease.node.name, &lease.node.address)
    }
    let mut last: HashMap<_, (bool, Timestamp, NodeId)> = HashMap::new();
    for lease in leases {
        let rank = (!lease.is_lapsed, lease.joined_at, lease.node.id);
        let best = last.entry(place(lease)).or_insert(rank);
        *best = rank.max(*best);
    }
    leases.iter().filter(move |lease| {
        let is_last = |(_, _, id): &(bool, Timestamp, NodeId)| *id == lease.node.id;
        !lease.is_lapsed || last.get(&place(lease)).is_some_and(is_last)
    })
}

/// What should be changed about a node that serves, beside the others that do.
fn remarks(lease: &NodeLease, all: &[NodeLease]) -> Vec<String> {
    if lease.is_lapsed {
        return Vec::new();
    }
    let own = &lease.node;
    let others: Vec<_> = all
        .iter()
        .filter(|other| !other.is_lapsed && other.node.id != own.id)
        .map(|other| &other.node)
        .collect();
    let mut remarks = Vec::new();
    if let Some(namesake) = others.iter().find(|other| other.name == own.name) {
        let (name, address) = (&own.name, &namesake.address);
        remarks.push(format!(
            "another node that serves, at {address}, is called {name} too: give each its own --node-name"
        ));
    }
    let different: Vec<_> = others.iter().filter(|other| other.ttl != own.ttl).collect();
    if let Some(other) = different.first().filter(|_| different.len() * 2 > others.len()) {
        let (name, term, terms) = (&other.name, own.ttl, other.ttl);
        remarks.push(format!(
            "its terms last {term:?}, those of {name} {terms:?}: give all nodes the same --lease-ttl"
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescind_catalog::NodeInfo;

    fn lease(name: &str, start: u8, is_lapsed: bool) -> NodeLease {
        lease_at(name, "here", start, is_lapsed)
    }

    fn lease_at(name: &str, address: &str, start: u8, is_lapsed: bool) -> NodeLease {
        NodeLease {
            node: NodeInfo {
                id: NodeId::from_bytes([start; 16]),
                name: name.to_owned(),
                address: address.to_owned(),
                version: String::new(),
                ttl: Duration::from_secs(5),
            },
            applied: Revision::new(1),
            lease: 1,
            is_lapsed,
            has_left: false,
            joined_at: Timestamp::from_micros(i64::from(start)),
            renewed_at: Timestamp::from_micros(i64::from(start)),
        }
    }

    #[test]
    fn former_starts_of_a_node_are_left_out() {
        let leases = [
            lease("a", 1, true),
            lease("a", 2, true),
            lease("b", 3, false),
            lease("b", 4, true),
            lease("c", 5, false),
            lease("c", 6, false),
        ];
        let starts: Vec<_> = shown(&leases).map(|lease| lease.joined_at.micros()).collect();
        assert_eq!(starts, [2, 3, 5, 6]);
    }

    /// Whoever copied a unit file, name and all, must not lose sight of the one that died.
    #[test]
    fn no_node_hides_another_one_of_its_name() {
        let leases = [
            lease_at("a", "here", 1, true),
            lease_at("a", "there", 2, false),
            lease_at("a", "there", 3, true),
        ];
        let starts: Vec<_> = shown(&leases).map(|lease| lease.joined_at.micros()).collect();
        assert_eq!(starts, [1, 2]);
    }

    #[test]
    fn names_and_terms_that_do_not_fit_are_remarked_upon() {
        let mut leases = vec![
            lease_at("a", "here", 1, false),
            lease_at("a", "there", 2, false),
            lease_at("a", "nowhere", 3, true),
            lease_at("b", "elsewhere", 4, false),
        ];
        leases[3].node.ttl = Duration::from_secs(1);
        leases[2].node.ttl = Duration::from_secs(9);
        let told: Vec<_> = leases.iter().map(|lease| remarks(lease, &leases)).collect();
        let called = |address: &str| {
            format!("another node that serves, at {address}, is called a too: give each its own --node-name")
        };
        let terms = "its terms last 1s, those of a 5s: give all nodes the same --lease-ttl".to_owned();
        assert_eq!(
            told,
            [
                vec![called("there")],
                vec![called("here")],
                Vec::new(),
                vec![terms]
            ]
        );
        // Of two that differ, nobody knows which is meant.
        let two = [leases[0].clone(), leases[3].clone()];
        assert_eq!(remarks(&two[0], &two).len(), 1);
        assert_eq!(remarks(&two[1], &two).len(), 1);
    }
}
