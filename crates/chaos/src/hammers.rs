//! Clients that use tokens at one node, as fast as it lets them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rescind_testkit::SeededRng;

use crate::histories::{Kind, NodeNumber, Reply, Right};
use crate::logbooks::Logbook;
use crate::populations::{Population, Presented};

/// What a node that cannot be reached is left alone for.
const AWAY: Duration = Duration::from_millis(15);
/// What a client does beside asking: the machine is small.
const PAUSE: Duration = Duration::from_millis(3);

/// Uses tokens at `node` until `is_over`.
pub(crate) fn hammer(
    logbook: &mut Logbook<'_>,
    node: NodeNumber,
    population: &Population,
    rng: &SeededRng,
    is_over: &AtomicBool,
) {
    while !is_over.load(Ordering::SeqCst) {
        let reply = match population.urgent(node) {
            Some(token) => try_all(logbook, node, &token),
            None => match population.any(rng) {
                Some(token) => {
                    let rights = rights(token.kind);
                    // A query costs more than a write.
                    let right = if rng.below(6) == 0 {
                        rights[0]
                    } else {
                        rights[rights.len() - 1]
                    };
                    logbook.try_token(node, &token, right)
                }
                None => Reply::Broken,
            },
        };
        let is_away = matches!(reply, Reply::Unavailable | Reply::Broken);
        thread::sleep(if is_away { AWAY } else { PAUSE });
    }
}

/// Tries everything that a token of its kind may be for.
pub(crate) fn try_all(logbook: &mut Logbook<'_>, node: NodeNumber, token: &Presented) -> Reply {
    let mut reply = Reply::Broken;
    for right in rights(token.kind) {
        reply = logbook.try_token(node, token, *right);
    }
    reply
}

const fn rights(kind: Kind) -> &'static [Right] {
    match kind {
        Kind::Database => &[Right::Read, Right::Write],
        Kind::Management | Kind::Session => &[Right::Manage],
        Kind::Browser => &[Right::Visit],
    }
}
