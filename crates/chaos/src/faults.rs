//! Which faults happen when: drawn from a seed, before anything begins.

use std::fmt;
use std::time::Duration;

use rescind_testkit::{Ending, SeededRng};

use crate::histories::{Disturbed, NodeNumber};
use crate::proxies::{Deed, Trap, Way};

/// One fault, at its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// After the beginning of the storm.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
    /// What happens.
    pub fault: Fault,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A node's time stands still: SIGSTOP, then SIGCONT.
    Pause(NodeNumber),
    /// `kill -9` of a node, then a new start.
    Kill(NodeNumber),
    /// A node leaves by SIGTERM and joins again.
    Leave(NodeNumber),
    /// A node's way to the catalog is lost. `severed`: what was under way is lost too.
    Cut {
        /// Which node.
        node: NodeNumber,
        /// How.
        way: Way,
        /// Whether connections break when the way opens again.
        severed: bool,
    },
    /// A node's way to the catalog is lost until all changes that it missed are forgotten, as they are in time.
    Outrun(NodeNumber),
    /// A node's connection breaks in the middle of a statement.
    Trap(NodeNumber, Trap),
    /// PostgreSQL ends and is started again.
    Restart(Ending),
    /// One of PostgreSQL's processes is killed: it recovers by itself.
    Crash(u64),
    /// The disk below the catalog is full.
    Fill,
}

/// What may be drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    /// How many nodes there are.
    pub(crate) nodes: usize,
    /// The term of a lease.
    pub(crate) ttl: Duration,
    /// How long faults begin.
    pub(crate) storm: Duration,
    /// Whether the disk of the catalog can be filled.
    pub(crate) can_fill: bool,
}

/// How many targets may be disturbed at a time.
const MOST: usize = 2;

/// The faults of this seed, in the order of their beginnings. No two at once have the same target.
pub(crate) fn draw(seed: u64, scope: &Scope) -> Vec<Planned> {
    let rng = SeededRng::new(seed ^ 0x6661_756c_7473);
    let mut planned: Vec<Planned> = Vec::new();
    let mut at = Duration::from_millis(300 + rng.below(700));
    while at < scope.storm {
        let (fault, lasts) = draw_one(&rng, scope);
        let busy: Vec<_> = planned
            .iter()
            .filter(|other| other.at + other.lasts + scope.ttl / 4 > at)
            .collect();
        let is_free = busy
            .iter()
            .all(|other| other.fault.disturbed() != fault.disturbed());
        if is_free && busy.len() < MOST {
            planned.push(Planned { at, lasts, fault });
        }
        at += draw_gap(&rng, scope.ttl);
    }
    planned
}

fn draw_one(rng: &SeededRng, scope: &Scope) -> (Fault, Duration) {
    let node = pick(rng, scope.nodes);
    let lasts = draw_span(rng, scope.ttl);
    match rng.below(if scope.can_fill { 23 } else { 22 }) {
        0..=4 => (Fault::Pause(node), lasts),
        5..=7 => (Fault::Kill(node), lasts),
        8..=9 => (Fault::Leave(node), lasts),
        10 => (Fault::Outrun(node), scope.ttl.mul_f64(1.5) + lasts),
        11..=14 => {
            let ways = [
                Way::Refused,
                Way::Hole,
                Way::Hole,
                Way::Slow(scope.ttl.mul_f64(0.02)),
                Way::Slow(scope.ttl.mul_f64(0.4)),
            ];
            let way = ways[pick(rng, ways.len())];
            let severed = rng.below(2) == 0;
            (Fault::Cut { node, way, severed }, lasts)
        }
        15..=18 => {
            let deeds = [Deed::CutBefore, Deed::CutAfter, Deed::Swallow];
            let trap = Trap {
                commits_only: rng.below(3) > 0,
                deed: deeds[pick(rng, deeds.len())],
            };
            (Fault::Trap(node, trap), scope.ttl / 2)
        }
        19..=20 => {
            let endings = [Ending::Fast, Ending::Immediate, Ending::Killed, Ending::Killed];
            (Fault::Restart(endings[pick(rng, endings.len())]), lasts)
        }
        21 => (Fault::Crash(rng.next_u64()), scope.ttl),
        _ => (Fault::Fill, scope.ttl + lasts),
    }
}

/// Mostly the next fault comes while the last one lasts; sometimes everything comes to rest before.
fn draw_gap(rng: &SeededRng, ttl: Duration) -> Duration {
    let percent = match rng.below(3) {
        0 => 250 + rng.below(250),
        _ => 10 + rng.below(140),
    };
    ttl.mul_f64(percent as f64 / 100.0)
}

/// A part of a term, or more than one, equally often.
fn draw_span(rng: &SeededRng, ttl: Duration) -> Duration {
    let percent = match rng.below(2) {
        0 => 5 + rng.below(90),
        _ => 110 + rng.below(150),
    };
    ttl.mul_f64(percent as f64 / 100.0)
}

fn pick(rng: &SeededRng, count: usize) -> usize {
    usize::try_from(rng.below(count as u64)).unwrap_or(0)
}

impl Fault {
    /// Whom it disturbs.
    pub(crate) const fn disturbed(&self) -> Disturbed {
        match self {
            Self::Pause(node)
            | Self::Kill(node)
            | Self::Leave(node)
            | Self::Cut { node, .. }
            | Self::Outrun(node)
            | Self::Trap(node, _) => Disturbed::Node(*node),
            Self::Restart(_) | Self::Crash(_) | Self::Fill => Disturbed::Catalog,
        }
    }

    /// Whether nothing passes between the node that it disturbs and the catalog.
    pub(crate) const fn cuts_off(&self) -> bool {
        matches!(
            self,
            Self::Outrun(_)
                | Self::Cut {
                    way: Way::Refused | Way::Hole,
                    ..
                }
        )
    }

    /// Its kind, as a summary counts it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Pause(_) => "node paused",
            Self::Kill(_) => "node killed",
            Self::Leave(_) => "node left and joined",
            Self::Cut {
                way: Way::Slow(_), ..
            } => "node's way slow",
            Self::Cut {
                way: Way::Refused, ..
            } => "node's way refused",
            Self::Cut { .. } => "node's way lost",
            Self::Outrun(_) => "changes forgotten",
            Self::Trap(
                _,
                Trap {
                    commits_only: true, ..
                },
            ) => "commit cut",
            Self::Trap(..) => "statement cut",
            Self::Restart(Ending::Killed) => "PostgreSQL killed",
            Self::Restart(_) => "PostgreSQL restarted",
            Self::Crash(_) => "PostgreSQL crashed",
            Self::Fill => "disk full",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause(node) => write!(f, "node {node} paused"),
            Self::Kill(node) => write!(f, "node {node} killed"),
            Self::Leave(node) => write!(f, "node {node} leaves"),
            Self::Cut { node, way, severed } => {
                let end = if *severed { ", then severed" } else { "" };
                write!(f, "node {node} to catalog: {way:?}{end}")
            }
            Self::Outrun(node) => write!(
                f,
                "node {node} to catalog: lost until what it missed is forgotten"
            ),
            Self::Trap(node, trap) => {
                let what = if trap.commits_only { "commit" } else { "statement" };
                write!(f, "node {node}: next {what} {:?}", trap.deed)
            }
            Self::Restart(ending) => write!(f, "PostgreSQL ends: {ending:?}"),
            Self::Crash(_) => write!(f, "PostgreSQL loses a process"),
            Self::Fill => write!(f, "disk of the catalog full"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SCOPE: Scope = Scope {
        nodes: 3,
        ttl: Duration::from_secs(2),
        storm: Duration::from_secs(600),
        can_fill: true,
    };

    #[test]
    fn a_seed_repeats_its_faults_and_another_has_others() {
        assert_eq!(draw(1, &SCOPE), draw(1, &SCOPE));
        assert_ne!(draw(1, &SCOPE), draw(2, &SCOPE));
    }

    #[test]
    fn a_long_storm_has_every_kind_on_every_node() {
        let planned = draw(1, &SCOPE);
        let kinds: BTreeSet<_> = planned.iter().map(|one| one.fault.kind()).collect();
        assert_eq!(kinds.len(), 13, "{kinds:?}");
        for node in 0..SCOPE.nodes {
            assert!(planned.iter().any(|one| one.fault == Fault::Pause(node)));
        }
        let without = draw(
            1,
            &Scope {
                can_fill: false,
                ..SCOPE
            },
        );
        assert!(without.iter().all(|one| one.fault != Fault::Fill));
    }

    #[test]
    fn no_target_is_hit_twice_at_once() {
        let planned = draw(7, &SCOPE);
        for (index, one) in planned.iter().enumerate() {
            for other in &planned[index + 1..] {
                let together = other.at < one.at + one.lasts;
                assert!(
                    !together || one.fault.disturbed() != other.fault.disturbed(),
                    "{one:?} {other:?}"
                );
            }
        }
    }
}
