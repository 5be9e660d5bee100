//! Receipts, in words: one line as people and scripts read it, and one more where there are several nodes.

use rescind_wire::ReceiptHeaders;

use crate::exit::Failure;
use crate::log::Log;

/// Tells where a token is refused by now.
///
/// # Errors
/// Some node may still admit it: what was asked for is not known to be so, although it is done.
pub(crate) fn tell_refused(log: Log, receipt: &ReceiptHeaders) -> Result<(), Failure> {
    let Some(refused) = receipt.refused() else {
        tell_nodes(log, receipt);
        return Err(Failure::Failed(format!(
            "this is done for good (revision {}), but {}; repeating the command is safe and waits again",
            receipt.revision,
            receipt.open("may still admit requests")
        )));
    };
    log.info(refused);
    tell_nodes(log, receipt);
    Ok(())
}

/// Tells if not every node acts by a change yet.
pub(crate) fn tell_awaited(log: Log, receipt: &ReceiptHeaders) {
    if !receipt.is_complete() {
        log.warn(format_args!(
            "this is done (revision {}), but {}",
            receipt.revision,
            receipt.open("may still act as before")
        ));
        tell_nodes(log, receipt);
    }
}

fn tell_nodes(log: Log, receipt: &ReceiptHeaders) {
    if let Some(nodes) = receipt.named() {
        log.info(nodes);
    }
}
