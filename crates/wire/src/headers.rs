//! Headers that carry what documented bodies have no room for.

use rescind_domain::{NodeState, Receipt};

/// The revision at which a change of rights took effect: an integer.
pub const RESCIND_REVISION: &str = "Rescind-Revision";
/// How many nodes act by it: `APPLIED/ALL`. The others' leases had lapsed, so they serve nothing.
pub const RESCIND_NODES: &str = "Rescind-Nodes";
/// How long that took, in whole milliseconds.
pub const RESCIND_EFFECTIVE_MS: &str = "Rescind-Effective-Ms";
/// How many elements a list has over all its pages.
pub const RESCIND_TOTAL_COUNT: &str = "Rescind-Total-Count";
/// Whether the mail server took a message with the link of a new invitation: `sent` or `failed`. Absent where there is
/// no mail server.
pub const RESCIND_MAIL: &str = "Rescind-Mail";

/// The receipt of a change of rights, as its headers tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptHeaders {
    /// The revision that made the change.
    pub revision: i64,
    /// Nodes that applied it.
    pub applied: usize,
    /// Nodes that held a lease when it began.
    pub nodes: usize,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl ReceiptHeaders {
    /// Names and values.
    pub fn to_pairs(self) -> [(&'static str, String); 3] {
        [
            (RESCIND_REVISION, self.revision.to_string()),
            (RESCIND_NODES, format!("{}/{}", self.applied, self.nodes)),
            (RESCIND_EFFECTIVE_MS, self.took_ms.to_string()),
        ]
    }

    /// Reads what [`Self::to_pairs`] wrote; `None` when a header is missing or malformed.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let (applied, nodes) = header(RESCIND_NODES)?.split_once('/')?;
        Some(Self {
            revision: header(RESCIND_REVISION)?.parse().ok()?,
            applied: applied.parse().ok()?,
            nodes: nodes.parse().ok()?,
            took_ms: header(RESCIND_EFFECTIVE_MS)?.parse().ok()?,
        })
    }
}

impl From<&Receipt> for ReceiptHeaders {
    fn from(receipt: &Receipt) -> Self {
        Self {
            revision: receipt.revision.get(),
            applied: receipt
                .nodes
                .iter()
                .filter(|node| matches!(node.state, NodeState::Applied { .. }))
                .count(),
            nodes: receipt.nodes.len(),
            took_ms: u64::try_from(receipt.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_back() {
        let receipt = ReceiptHeaders {
            revision: 42,
            applied: 1,
            nodes: 2,
            took_ms: 3,
        };
        let pairs = receipt.to_pairs();
        let header = |wanted: &str| {
            pairs
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, v)| v.as_str())
        };
        assert_eq!(ReceiptHeaders::read(header), Some(receipt));
        assert_eq!(ReceiptHeaders::read(|_| Some("x")), None);
    }
}
