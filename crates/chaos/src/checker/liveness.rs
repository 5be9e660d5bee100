//! That acts return where nothing hinders them, and that nodes come back when faults are over.

use std::time::Duration;

use super::{Broken, Limits, Violation};
use crate::histories::{Act, Change, Disturbance, History, Outcome, Reply, Use};

/// Acts that took too long, and nodes and tokens that did not come back.
pub(super) fn check(history: &History, limits: &Limits) -> Vec<Violation> {
    let mut violations = Vec::new();
    for act in history
        .acts
        .iter()
        .filter(|act| is_one_request(history, act) && is_undisturbed(history, limits, act))
    {
        let longest = limits.longest() + limits.hold * held_up_by(history, limits, act);
        if act.ended.since(act.began) > longest {
            let why = format!("nothing disturbed it, and it may take {longest:?}");
            violations.push(Violation::of_act(Broken::Live, act, &why));
        } else if let (Change::Revoke, Outcome::Uncertain(_)) = (act.change, &act.outcome) {
            violations.push(Violation::of_act(Broken::Live, act, "nothing disturbed it"));
        }
    }
    for (node, recovered) in history.recovered.iter().enumerate() {
        if recovered.is_none() {
            let what = format!(
                "node {node} did not admit again after faults ended at {}",
                history.calm
            );
            violations.push(Violation::of_node(Broken::Live, what));
        }
    }
    violations.extend(unanswered(history, limits));
    violations
}

/// A session begins by several pages and forms, one after the other.
fn is_one_request(history: &History, act: &Act) -> bool {
    !matches!(act.change, Change::Create(_)) || !history.tokens[act.token].kind.expires()
}

/// Uses that were not answered though every node had recovered, and after which their node answered nobody for longer
/// than a busy machine explains.
fn unanswered(history: &History, limits: &Limits) -> Vec<Violation> {
    let Some(settled) = history.settled else {
        return Vec::new();
    };
    let is_answered = |used: &Use| !matches!(used.reply, Reply::Unavailable | Reply::Broken);
    let (answered, others): (Vec<&Use>, Vec<&Use>) = history
        .uses
        .iter()
        .filter(|used| used.began > settled)
        .partition(|used| is_answered(used));
    let is_alone = |used: &&Use| {
        let soon = used.ended.plus(limits.longest());
        !answered
            .iter()
            .any(|other| other.node == used.node && other.ended > used.ended && other.ended < soon)
    };
    let alone = others.into_iter().filter(is_alone);
    let why = format!("every node had recovered by {settled}");
    alone
        .map(|used| Violation::of_use(Broken::Live, used, &why))
        .collect()
}

impl Limits {
    /// How long an act may take: a node may have to be outwaited for a term and the drift.
    pub(crate) fn longest(&self) -> Duration {
        self.ttl + self.ttl / 100 + self.slack
    }

    /// How long after a fault its node, or the catalog, may still be busy with it.
    fn aftermath(&self) -> Duration {
        self.ttl + self.slack
    }
}

/// Whether the catalog and the node's way to it were sound for the whole act, and for a while before it.
pub(crate) fn is_undisturbed(history: &History, limits: &Limits, act: &Act) -> bool {
    let is_near = |fault: &Disturbance| is_near(fault, limits, act);
    act.may_be_done()
        && !history
            .disturbances
            .iter()
            .any(|fault| fault.disturbs(act.node) && is_near(fault))
}

/// How many faults of other nodes may have stopped them in the middle of an act: one after the other they hold the ledger.
fn held_up_by(history: &History, limits: &Limits, act: &Act) -> u32 {
    let others = history
        .disturbances
        .iter()
        .filter(|fault| !fault.disturbs(act.node) && is_near(fault, limits, act));
    u32::try_from(others.count()).unwrap_or(u32::MAX)
}

fn is_near(fault: &Disturbance, limits: &Limits, act: &Act) -> bool {
    fault.began <= act.ended && fault.ended.plus(limits.aftermath()) >= act.began
}
