//! The judge of a run: a pure function from what clients saw to what should not have been.
//!
//! It trusts nothing that a node says of itself. An act whose answer is missing may have been done, at any time since it
//! was sent: where that leaves open what a token may do, both answers are right. A node that answers 503, or not at
//! all, is never wrong while faults last (promise G3).

mod admissions;
mod endings;
mod lapses;
mod liveness;
mod losses;
mod people;
mod streams;

use std::fmt;
use std::time::Duration;

pub(crate) use liveness::is_undisturbed;
pub(crate) use streams::IN_FLIGHT;

use crate::histories::{Act, Disturbance, Disturbed, History, PersonAct, Stream, Use};

/// How long things may take when nothing disturbs them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The term of a lease.
    pub(crate) ttl: Duration,
    /// What a busy machine may add to any answer.
    pub(crate) slack: Duration,
    /// How long a node that stops in the middle of an act holds up those of others.
    pub(crate) hold: Duration,
}

/// Something that should not have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise it breaks.
    pub broken: Broken,
    /// In words.
    pub what: String,
    /// The token whose history tells of it, if it is about one.
    pub token: Option<usize>,
}

/// Which promise was broken (DESIGN section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// G1: a request that was sent after the act returned was admitted.
    Refused,
    /// G2: work went on after the act returned.
    Cut,
    /// G3: a node admitted whose lease was over.
    Closed,
    /// G4: a token that holds was refused.
    Active,
    /// G5: something acknowledged is not there.
    Kept,
    /// G6: an act is not in the audit log.
    Told,
    /// An act or a recovery took too long, or never came about.
    Live,
    /// An answer or an ending that nothing explains.
    Unexplained,
}

impl Violation {
    fn of_use(broken: Broken, used: &Use, why: &str) -> Self {
        Self {
            broken,
            what: format!("{used}, though {why}"),
            token: Some(used.token),
        }
    }

    fn of_act(broken: Broken, act: &Act, why: &str) -> Self {
        Self {
            broken,
            what: format!("{act}: {why}"),
            token: Some(act.token),
        }
    }

    fn of_treatment(broken: Broken, act: &PersonAct, why: &str) -> Self {
        Self::of_node(broken, format!("{act}: {why}"))
    }

    fn of_stream(broken: Broken, stream: &Stream, why: &str) -> Self {
        Self {
            broken,
            what: format!("{stream}, though {why}"),
            token: Some(stream.token),
        }
    }

    fn of_node(broken: Broken, what: String) -> Self {
        Self {
            broken,
            what,
            token: None,
        }
    }
}

/// Everything in the history that should not have been.
pub(crate) fn check(history: &History, limits: &Limits) -> Vec<Violation> {
    let upon_sessions = people::upon_sessions(history);
    let acts = acts_by_token(history, &upon_sessions);
    let mut violations = admissions::check(history, &acts);
    violations.extend(streams::check(history, &acts));
    violations.extend(lapses::check(history));
    violations.extend(losses::check(history, &acts));
    violations.extend(people::check(history));
    violations.extend(liveness::check(history, limits));
    violations.extend(endings::check(history));
    violations
}

/// The acts of each token, by its number.
type Acts<'a> = [Vec<&'a Act>];

impl Disturbance {
    /// Whether a request to this node would have noticed.
    fn disturbs(&self, node: usize) -> bool {
        match self.disturbed {
            Disturbed::Catalog => true,
            Disturbed::Node(disturbed) => disturbed == node,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VIOLATION ({:?}): {}", self.broken, self.what)
    }
}

fn acts_by_token<'a>(history: &'a History, upon_sessions: &'a [Act]) -> Vec<Vec<&'a Act>> {
    let mut acts = vec![Vec::new(); history.tokens.len()];
    for act in history.acts.iter().chain(upon_sessions) {
        acts[act.token].push(act);
    }
    acts
}

#[cfg(test)]
mod tests;
