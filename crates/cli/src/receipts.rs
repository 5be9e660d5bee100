//! Receipts, in words: one line as people and scripts read it, and one more where there are several nodes.

use std::fmt;

use rescind_wire::{NodeReceipt, ReceiptHeaders, ReceiptState};

use crate::exit::Failure;
use crate::log::Log;

/// Tells where a token is refused by now.
///
/// # Errors
/// Some node may still admit it: what was asked for is not known to be so, although it is done.
pub(crate) fn tell_refused(log: Log, receipt: &ReceiptHeaders) -> Result<(), Failure> {
    let ReceiptHeaders { revision, nodes, .. } = receipt;
    let Some(took_ms) = receipt.took_ms else {
        tell_nodes(log, receipt);
        return Err(Failure::Failed(format!(
            "this is done for good (revision {revision}), but {}; repeating the command is safe and waits again",
            Open(receipt, "may still admit requests")
        )));
    };
    log.info(format_args!(
        "refused on {nodes} of {nodes} nodes after {took_ms} ms, revision {revision}"
    ));
    tell_nodes(log, receipt);
    Ok(())
}

/// Tells if not every node acts by a change yet.
pub(crate) fn tell_awaited(log: Log, receipt: &ReceiptHeaders) {
    if !receipt.is_complete() {
        log.warn(format_args!(
            "this is done (revision {}), but {}",
            receipt.revision,
            Open(receipt, "may still act as before")
        ));
        tell_nodes(log, receipt);
    }
}

/// `nodes: node-1 applied 3 ms, node-2 lapsed, node-3 awaited`; nothing where one node is all there is.
fn tell_nodes(log: Log, receipt: &ReceiptHeaders) {
    if receipt.states.is_empty() {
        return;
    }
    let one = |NodeReceipt { node, state, ms }: &NodeReceipt| {
        let ms = ms.map(|ms| format!(" {ms} ms")).unwrap_or_default();
        format!("{node} {}{ms}", state.as_str())
    };
    let mut states: Vec<String> = receipt.states.iter().map(one).collect();
    match receipt.nodes.saturating_sub(states.len()) {
        0 => {}
        more => states.push(format!("and {more} more")),
    }
    log.info(format_args!("nodes: {}", states.join(", ")));
}

/// Who may do what, and for how long at most.
struct Open<'a>(&'a ReceiptHeaders, &'a str);

impl fmt::Display for Open<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(receipt, what) = self;
        let awaited = receipt
            .states
            .iter()
            .filter(|node| node.state == ReceiptState::Awaited);
        let awaited: Vec<_> = awaited.map(|node| node.node.as_str()).collect();
        match awaited.as_slice() {
            // The leases themselves could not be read.
            [] => write!(f, "nodes that could not be asked {what}")?,
            [one] => write!(f, "node {one} has not answered and {what}")?,
            several => write!(f, "nodes {} have not answered and {what}", several.join(", "))?,
        }
        match receipt.settled_within_ms {
            // Rounded up: sooner would be a promise that nobody gave.
            Some(ms) => write!(
                f,
                ", for {}.{} s at most",
                ms.div_ceil(100) / 10,
                ms.div_ceil(100) % 10
            ),
            None => Ok(()),
        }
    }
}
