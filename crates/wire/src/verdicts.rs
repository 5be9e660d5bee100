//! Verdicts: what a receipt comes to, in the words that commands tell it by.

use crate::{NodeReceipt, ReceiptHeaders, ReceiptState};

impl ReceiptHeaders {
    /// `refused on 3 of 3 nodes after 12 ms, revision 42`; `None` as long as that is not known.
    pub fn refused(&self) -> Option<String> {
        let Self { revision, nodes, .. } = self;
        let took_ms = self.took_ms?;
        Some(match nodes {
            0 => format!("no node is running: refused on each that starts, revision {revision}"),
            _ => format!("refused on {nodes} of {nodes} nodes after {took_ms} ms, revision {revision}"),
        })
    }

    /// `nodes: node-1 applied 3 ms, node-2 lapsed, node-3 awaited`; `None` where one node is all there is.
    pub fn named(&self) -> Option<String> {
        if self.states.is_empty() {
            return None;
        }
        let one = |NodeReceipt { node, state, ms }: &NodeReceipt| {
            let ms = ms.map(|ms| format!(" {ms} ms")).unwrap_or_default();
            format!("{node} {}{ms}", state.as_str())
        };
        let mut states: Vec<String> = self.states.iter().map(one).collect();
        match self.nodes.saturating_sub(states.len()) {
            0 => {}
            more => states.push(format!("and {more} more")),
        }
        Some(format!("nodes: {}", states.join(", ")))
    }

    /// Which nodes are awaited and do `what`, and for how long at most.
    pub fn open(&self, what: &str) -> String {
        let is_awaited = |node: &&NodeReceipt| node.state == ReceiptState::Awaited;
        let awaited = self.states.iter().filter(is_awaited);
        let awaited: Vec<_> = awaited.map(|node| node.node.as_str()).collect();
        let who = match awaited.as_slice() {
            // The leases themselves could not be read.
            [] => "nodes that could not be asked".to_owned(),
            [one] => format!("node {one} has not answered and"),
            several => format!("nodes {} have not answered and", several.join(", ")),
        };
        match self.settled_within_ms.map(|ms| ms.div_ceil(100)) {
            // Rounded up: sooner would be a promise that nobody gave.
            Some(tenths) => format!("{who} {what}, for {}.{} s at most", tenths / 10, tenths % 10),
            None => format!("{who} {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(
        nodes: usize,
        took_ms: Option<u64>,
        states: &[(&str, ReceiptState, Option<u64>)],
    ) -> ReceiptHeaders {
        let state = |(node, state, ms): &(&str, ReceiptState, Option<u64>)| NodeReceipt {
            node: (*node).to_owned(),
            state: *state,
            ms: *ms,
        };
        ReceiptHeaders {
            revision: 42,
            applied: 1,
            nodes,
            took_ms,
            settled_within_ms: took_ms.is_none().then_some(4_101),
            states: states.iter().map(state).collect(),
        }
    }

    #[test]
    fn what_is_known_is_told_and_what_is_not_is_named() {
        let alone = receipt(1, Some(3), &[]);
        assert_eq!(
            alone.refused().as_deref(),
            Some("refused on 1 of 1 nodes after 3 ms, revision 42")
        );
        assert_eq!(alone.named(), None);
        let none = receipt(0, Some(3), &[]);
        assert_eq!(
            none.refused().as_deref(),
            Some("no node is running: refused on each that starts, revision 42")
        );
        let applied = ("a", ReceiptState::Applied, Some(3));
        let (awaited, late) = (
            ("b", ReceiptState::Awaited, None),
            ("c", ReceiptState::Awaited, None),
        );
        let open = receipt(3, None, &[applied, awaited]);
        assert_eq!(open.refused(), None);
        assert_eq!(
            open.named().as_deref(),
            Some("nodes: a applied 3 ms, b awaited, and 1 more")
        );
        assert_eq!(
            open.open("may wait"),
            "node b has not answered and may wait, for 4.2 s at most"
        );
        assert_eq!(
            receipt(3, None, &[awaited, late]).open("may wait"),
            "nodes b, c have not answered and may wait, for 4.2 s at most"
        );
        assert_eq!(
            receipt(1, None, &[applied]).open("may wait"),
            "nodes that could not be asked may wait, for 4.2 s at most"
        );
    }
}
