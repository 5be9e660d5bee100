//! G3: what a receipt says of nodes is true. Of whom it does not say that it acts by the change, admits nothing before it
//! has joined anew.
//!
//! A node joins whenever it can, and nobody outside sees it do so. What it does after such a receipt is judged only as long
//! as nothing passes between it and the catalog, since before the act was sent: then it cannot have joined.

use std::time::Duration;

use super::{Broken, Violation};
use crate::histories::{Disturbance, Disturbed, History, Lapse, Moment, NodeNumber, Reply};

/// What was on its way when a way was lost has arrived, and been used, by then.
const SETTLED: Duration = Duration::from_secs(1);

/// Admissions by nodes that had lapsed and were still cut off.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    for node in 0..history.nodes {
        let spans = spans(history, node);
        let admitted = history
            .uses
            .iter()
            .filter(|used| used.node == node && used.reply == Reply::Admitted);
        for used in admitted {
            let is_within = |span: &&(Moment, Moment)| span.0 < used.began && used.ended < span.1;
            if let Some((since, until)) = spans.iter().find(is_within) {
                let why = format!(
                    "by a receipt of {since} the node held no lease, and it was cut off until {until}"
                );
                violations.push(Violation::of_use(Broken::Closed, used, &why));
            }
        }
    }
    violations
}

/// From when until when this node was certainly out.
fn spans(history: &History, node: NodeNumber) -> Vec<(Moment, Moment)> {
    let cuts = history
        .disturbances
        .iter()
        .filter(|fault| fault.disturbed == Disturbed::Node(node));
    let span = |cut: &Disturbance| {
        let until = cut.cut_off_until?;
        let is_told = |lapse: &&Lapse| lapse.nodes.contains(&node) && lapse.began > cut.began.plus(SETTLED);
        let told = history.lapses.iter().filter(is_told).map(|lapse| lapse.ended);
        told.min().map(|since| (since, until))
    };
    cuts.filter_map(span).collect()
}
