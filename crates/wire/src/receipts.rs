//! Receipts: what is known of each node after a change of rights. In headers, and in bodies that have room for them.

use std::fmt::Write as _;
use std::time::Duration;

use rescind_domain as domain;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// The revision at which a change of rights took effect: an integer.
pub const RESCIND_REVISION: &str = "Rescind-Revision";
/// How many nodes act by it: `APPLIED/ALL`. The others' leases had lapsed, so they serve nothing; or they are awaited.
pub const RESCIND_NODES: &str = "Rescind-Nodes";
/// How long that took, in whole milliseconds. Absent as long as a node is awaited.
pub const RESCIND_EFFECTIVE_MS: &str = "Rescind-Effective-Ms";
/// As long as a node is awaited: in how many milliseconds it acts by the change or has stopped by itself, at the latest.
pub const RESCIND_SETTLED_WITHIN_MS: &str = "Rescind-Settled-Within-Ms";
/// What each node made of it, where there are several or one is awaited: a list (RFC 9651) such as
/// `"node-1";applied=3, "node-2";lapsed, "node-3";awaited`.
pub const RESCIND_NODE_STATES: &str = "Rescind-Node-States";

/// So many nodes are named in a header, those that did not apply the change first: clients bound the size of headers.
const MOST_NAMED: usize = 100;

/// What a change of rights returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The revision that made the change.
    pub revision: i64,
    /// When the last node acted by it. Absent as long as a node is awaited, or when it could not be read which nodes there
    /// are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub effective_at: Option<Moment>,
    /// How long the act took in milliseconds, until then or until its wait ended.
    pub took_ms: u64,
    /// Without `effectiveAt`: in how many milliseconds every node acts by it or has stopped by itself, at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub settled_within_ms: Option<u64>,
    /// Every node that held a lease, as far as is known.
    pub nodes: Vec<NodeReceipt>,
}

/// What one node made of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeReceipt {
    /// Its name.
    pub node: String,
    /// What is known of it.
    pub state: ReceiptState,
    /// If it applied the change: how many milliseconds after the act began this was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub ms: Option<u64>,
}

/// `applied`: it acts by the change. `lapsed`: it did not answer, and its lease is over, so it serves nothing until it has
/// caught up. `awaited`: the wait ended before either, so it may still act by the former state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ReceiptState {
    /// It acts by the change.
    Applied,
    /// Its lease is over.
    Lapsed,
    /// Nothing is known of it yet.
    Awaited,
}

impl ReceiptState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Lapsed => "lapsed",
            Self::Awaited => "awaited",
        }
    }
}

impl From<&domain::Receipt> for Receipt {
    fn from(receipt: &domain::Receipt) -> Self {
        Self {
            revision: receipt.revision.get(),
            effective_at: receipt.effective_at.map(Moment),
            took_ms: millis(receipt.took),
            settled_within_ms: receipt.settled_within.map(millis),
            nodes: receipt.nodes.iter().map(NodeReceipt::from).collect(),
        }
    }
}

impl From<&domain::NodeReceipt> for NodeReceipt {
    fn from(receipt: &domain::NodeReceipt) -> Self {
        let (state, ms) = match receipt.state {
            domain::NodeState::Applied { after } => (ReceiptState::Applied, Some(millis(after))),
            domain::NodeState::Lapsed => (ReceiptState::Lapsed, None),
            domain::NodeState::Awaited => (ReceiptState::Awaited, None),
        };
        Self {
            node: receipt.node.clone(),
            state,
            ms,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A receipt as its headers tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptHeaders {
    /// The revision that made the change.
    pub revision: i64,
    /// Nodes that applied it.
    pub applied: usize,
    /// Nodes that held a lease when it began, as far as is known.
    pub nodes: usize,
    /// How long it took until every node acted by it, in milliseconds; `None` if that is not known.
    pub took_ms: Option<u64>,
    /// In how many milliseconds that is so at the latest, if it is not known.
    pub settled_within_ms: Option<u64>,
    /// What each node made of it. Empty where there is only one, which applied it.
    pub states: Vec<NodeReceipt>,
}

impl ReceiptHeaders {
    /// Names and values.
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            (RESCIND_REVISION, self.revision.to_string()),
            (RESCIND_NODES, format!("{}/{}", self.applied, self.nodes)),
        ];
        if let Some(ms) = self.took_ms {
            pairs.push((RESCIND_EFFECTIVE_MS, ms.to_string()));
        }
        if let Some(ms) = self.settled_within_ms {
            pairs.push((RESCIND_SETTLED_WITHIN_MS, ms.to_string()));
        }
        if !self.states.is_empty() {
            pairs.push((RESCIND_NODE_STATES, states_text(&self.states)));
        }
        pairs
    }

    /// Reads what [`Self::to_pairs`] wrote; `None` when a header is missing or malformed.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let (applied, nodes) = header(RESCIND_NODES)?.split_once('/')?;
        let number = |name: &str| header(name).map(str::parse).transpose().ok();
        Some(Self {
            revision: header(RESCIND_REVISION)?.parse().ok()?,
            applied: applied.parse().ok()?,
            nodes: nodes.parse().ok()?,
            took_ms: number(RESCIND_EFFECTIVE_MS)?,
            settled_within_ms: number(RESCIND_SETTLED_WITHIN_MS)?,
            states: header(RESCIND_NODE_STATES).map_or(Some(Vec::new()), read_states)?,
        })
    }

    /// Whether every node acts by the revision.
    pub const fn is_complete(&self) -> bool {
        self.took_ms.is_some()
    }
}

impl From<&domain::Receipt> for ReceiptHeaders {
    fn from(receipt: &domain::Receipt) -> Self {
        let whole = Receipt::from(receipt);
        let is_applied = |node: &&NodeReceipt| node.state == ReceiptState::Applied;
        let is_plain = receipt.is_complete() && whole.nodes.len() == 1;
        Self {
            revision: whole.revision,
            applied: whole.nodes.iter().filter(is_applied).count(),
            nodes: whole.nodes.len(),
            took_ms: receipt.is_complete().then_some(whole.took_ms),
            settled_within_ms: whole.settled_within_ms,
            states: if is_plain { Vec::new() } else { whole.nodes },
        }
    }
}

/// Those of most interest first, if they are too many.
fn states_text(states: &[NodeReceipt]) -> String {
    let mut named: Vec<_> = states.iter().collect();
    if named.len() > MOST_NAMED {
        named.sort_by_key(|node| match node.state {
            ReceiptState::Awaited => 0,
            ReceiptState::Lapsed => 1,
            ReceiptState::Applied => 2,
        });
        named.truncate(MOST_NAMED);
    }
    let mut text = String::new();
    for node in named {
        let separator = if text.is_empty() { "" } else { ", " };
        // Names are letters, digits, dots, hyphens and underscores; whatever else came into one breaks no header.
        let name: String = node
            .node
            .chars()
            .map(|c| {
                if c.is_ascii_graphic() && !matches!(c, '"' | '\\') {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let ms = node.ms.map(|ms| format!("={ms}")).unwrap_or_default();
        let written = write!(text, "{separator}\"{name}\";{}{ms}", node.state.as_str());
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text
}

fn read_states(text: &str) -> Option<Vec<NodeReceipt>> {
    let one = |text: &str| {
        let (name, state) = text.trim().strip_prefix('"')?.split_once("\";")?;
        let (state, ms) = match state.split_once('=') {
            Some((state, ms)) => (state, Some(ms.parse().ok()?)),
            None => (state, None),
        };
        let known = [ReceiptState::Applied, ReceiptState::Lapsed, ReceiptState::Awaited];
        let state = known.into_iter().find(|known| known.as_str() == state)?;
        Some(NodeReceipt {
            node: name.to_owned(),
            state,
            ms,
        })
    };
    text.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, String)]) -> Option<ReceiptHeaders> {
        ReceiptHeaders::read(|wanted| {
            let pair = pairs.iter().find(|(name, _)| *name == wanted);
            pair.map(|(_, value)| value.as_str())
        })
    }

    fn receipt(states: &[(&str, domain::NodeState)], is_complete: bool) -> domain::Receipt {
        let node = |(name, state): &(&str, domain::NodeState)| domain::NodeReceipt {
            node: (*name).to_owned(),
            state: *state,
        };
        domain::Receipt {
            revision: domain::Revision::new(42),
            effective_at: is_complete.then(|| domain::Timestamp::from_micros(7)),
            took: Duration::from_millis(12),
            nodes: states.iter().map(node).collect(),
            settled_within: (!is_complete).then(|| Duration::from_millis(4_200)),
        }
    }

    const APPLIED: domain::NodeState = domain::NodeState::Applied {
        after: Duration::from_millis(3),
    };

    #[test]
    fn receipts_are_read_back() {
        let awaited = receipt(&[("a", APPLIED), ("b.c-d", domain::NodeState::Awaited)], false);
        let lapsed = receipt(&[("a", APPLIED), ("b", domain::NodeState::Lapsed)], true);
        for receipt in [
            awaited,
            lapsed,
            receipt(&[("a", APPLIED)], true),
            receipt(&[], false),
        ] {
            let headers = ReceiptHeaders::from(&receipt);
            assert_eq!(headers.is_complete(), receipt.is_complete());
            assert_eq!(read(&headers.to_pairs()), Some(headers));
        }
        assert_eq!(ReceiptHeaders::read(|_| Some("x")), None);
    }

    #[test]
    fn nodes_are_told_apart_and_one_alone_is_not_told_of() {
        let of = |receipt| ReceiptHeaders::from(&receipt).to_pairs();
        let several = [
            ("a", APPLIED),
            ("b", domain::NodeState::Lapsed),
            ("c\"\n", domain::NodeState::Awaited),
        ];
        assert_eq!(
            of(receipt(&several, false))[1..],
            [
                (RESCIND_NODES, "1/3".to_owned()),
                (RESCIND_SETTLED_WITHIN_MS, "4200".to_owned()),
                (
                    RESCIND_NODE_STATES,
                    r#""a";applied=3, "b";lapsed, "c__";awaited"#.to_owned()
                ),
            ]
        );
        let names: Vec<_> = of(receipt(&several[..1], true))
            .iter()
            .map(|pair| pair.0)
            .collect();
        assert_eq!(names, [RESCIND_REVISION, RESCIND_NODES, RESCIND_EFFECTIVE_MS]);
    }

    #[test]
    fn of_very_many_nodes_the_awaited_ones_are_named() {
        let mut states = vec![("a", APPLIED); 1_000];
        states.push(("z", domain::NodeState::Awaited));
        let headers = read(&ReceiptHeaders::from(&receipt(&states, false)).to_pairs()).expect("read");
        assert_eq!((headers.nodes, headers.states.len()), (1_001, MOST_NAMED));
        assert_eq!(headers.states[0].node, "z");
    }
}
