//! The state: what the catalog holds, what each process remembers, and what the only request under way has come to.
//!
//! Nodes differ in nothing but what they have done, so that two states whose nodes only swap places are one: equality
//! and hash look at the nodes in order. The names in a trace stay, because the checker follows real steps.

use std::hash::{Hash, Hasher};

use crate::Promise;
use crate::clocks::Rate;

/// As many processes as the largest scope has. A process that restarts is another one, as in the catalog.
pub const NODES: usize = 3;
/// As many acts as the largest scope has.
pub const ACTS: usize = 2;

/// The catalog's counter.
pub type Revision = u8;
/// Ticks of real time until something is over.
pub type Left = u8;

/// A set of acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Acts(u8);

impl Acts {
    /// Whether the act is one of them.
    #[must_use]
    pub fn has(self, act: usize) -> bool {
        self.0 & (1 << act) != 0
    }

    /// Whether all of those are among these.
    #[must_use]
    pub fn covers(self, those: Self) -> bool {
        those.0 & !self.0 == 0
    }

    pub(crate) fn add(&mut self, act: usize) {
        self.0 |= 1 << act;
    }

    pub(crate) fn remove(&mut self, act: usize) {
        self.0 &= !(1 << act);
    }

    pub(crate) fn add_all(&mut self, those: Self) {
        self.0 |= those.0;
    }
}

/// The whole system.
#[derive(Debug, Clone, Copy)]
pub struct State {
    /// The processes that admit. Those beyond the scope are dead from the beginning.
    pub nodes: [Node; NODES],
    /// How far each act of the scope is.
    pub acts: [Stage; ACTS],
    /// The clock of the process that acts, waits and watches the leases.
    pub waiter: Rate,
    /// Changes up to here are in the feed no more.
    pub pruned: Revision,
    /// How many nodes may still crash.
    pub crashes: u8,
    /// How many times PostgreSQL may still crash.
    pub database_crashes: u8,
    /// The promise that was just broken: nothing happens any more.
    pub broken: Option<Promise>,
}

/// An act, from its transaction to its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Not asked for yet.
    Idle,
    /// Its transaction has taken a revision, and is slow to commit.
    Begun {
        /// Its revision, if it commits.
        revision: Revision,
    },
    /// Committed; its fence waits.
    Waiting {
        /// Its revision.
        revision: Revision,
        /// Until the waiter's stopwatch shows a term and the drift.
        left: Left,
        /// Whether a signal was heard: nothing relies on them, but for a mutant that does.
        heard: bool,
    },
    /// The caller has the answer.
    Returned {
        /// Its revision.
        revision: Revision,
    },
}

impl Stage {
    /// The revision, once committed.
    #[must_use]
    pub fn committed(self) -> Option<Revision> {
        match self {
            Self::Idle | Self::Begun { .. } => None,
            Self::Waiting { revision, .. } | Self::Returned { revision } => Some(revision),
        }
    }

    /// The revision, as soon as there is one.
    #[must_use]
    pub fn allocated(self) -> Option<Revision> {
        match self {
            Self::Begun { revision } => Some(revision),
            other => other.committed(),
        }
    }

    /// Whether the caller has the answer.
    #[must_use]
    pub fn is_returned(self) -> bool {
        matches!(self, Self::Returned { .. })
    }
}

/// A process that admits requests, with its row in the catalog and what the waiter knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Whether it runs.
    pub life: Life,
    /// Its clock.
    pub rate: Rate,
    /// The last revision in its tables.
    pub applied: Revision,
    /// The acts in its tables.
    pub known: Acts,
    /// Until the end of its term.
    pub term: Left,
    /// The renewal under way.
    pub renewal: Renewal,
    /// Changes read too early, by mutants.
    pub glance: Option<Feed>,
    /// Changes read and not yet applied.
    pub reading: Option<Reading>,
    /// Whether a renewal that it gave up is still on its way.
    pub straggler: bool,
    /// Its row.
    pub row: Option<Row>,
    /// Its row as it would be after a crash of PostgreSQL.
    pub durable: Option<Row>,
    /// What the waiter last saw of its lease.
    pub sighting: Option<Sighting>,
    /// The acts which the waiter saw acknowledged before the database forgot it.
    pub acknowledged: Acts,
    /// The acts whose transactions began while it held a lease: all that a mutant waits for.
    pub listed: Acts,
    /// Whether it is about to be marked as lapsed, by a mutant that looks and marks in two steps.
    pub doomed: bool,
    /// The request that it handles, if it is the one under way.
    pub request: Option<Request>,
}

/// Whether a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Life {
    /// Not started yet.
    Unborn,
    /// It runs, or stands still: any process may be paused at any moment, because no step is ever due.
    Live,
    /// It never comes back: its successor is another one.
    Dead,
}

/// A renewal under way: what is to become a term counts from before it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Renewal {
    /// None.
    None,
    /// On its way to the catalog.
    Sent(Left),
    /// Committed; what the node reads from now on includes every change that was committed before it.
    Committed(Left),
}

/// What a read of the feed brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Feed {
    /// Everything up to here was in it.
    pub through: Revision,
    /// The acts in it.
    pub acts: Acts,
}

/// A feed that waits to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reading {
    /// What was read.
    pub feed: Feed,
    /// The term that begins with it, if it was read after a renewal.
    pub term: Option<Left>,
}

/// A node's row in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// It acts by every change up to here.
    pub applied: Revision,
    /// The number of the lease, counted from the durable row's: only whether numbers are the same matters.
    pub lease: u8,
    /// Whether somebody marked it so.
    pub is_lapsed: bool,
}

/// A number of a lease that the waiter saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sighting {
    /// The number, counted as [`Row::lease`].
    pub lease: u8,
    /// Until the waiter's stopwatch shows a term and the drift since.
    pub left: Left,
}

/// A request, or the work that was admitted for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    /// Which token it bears.
    pub token: u8,
    /// The acts that had returned when it was sent.
    pub before: Acts,
    /// How far it is.
    pub progress: Progress,
    /// Whether its tether is registered.
    pub is_tethered: bool,
    /// Whether its tether was cut.
    pub is_cut: bool,
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Progress {
    /// It arrived during a term.
    TermChecked,
    /// Looked up before the term was checked, by a mutant.
    LookedUp {
        /// What the tables said.
        allowed: bool,
    },
    /// The tables said yes; the tether is still to be registered, by a mutant.
    Decided,
    /// It has its permit. A stream or an upload stays here for as long as it likes.
    Admitted,
    /// Term and tether were checked for the last time: the effect follows at once.
    Checked,
}

impl Node {
    /// A process that is not part of the scope, or that has crashed without leaving anything behind.
    #[must_use]
    pub fn dead(rate: Rate) -> Self {
        Self {
            life: Life::Dead,
            rate,
            applied: 0,
            known: Acts::default(),
            term: 0,
            renewal: Renewal::None,
            glance: None,
            reading: None,
            straggler: false,
            row: None,
            durable: None,
            sighting: None,
            acknowledged: Acts::default(),
            listed: Acts::default(),
            doomed: false,
            request: None,
        }
    }
}

impl State {
    /// The acts whose changes a statement that starts now sees, and the catalog's revision.
    #[must_use]
    pub fn committed(&self) -> Feed {
        let mut feed = Feed {
            through: 0,
            acts: Acts::default(),
        };
        for (act, stage) in self.acts.iter().enumerate() {
            if let Some(revision) = stage.committed() {
                feed.through = feed.through.max(revision);
                feed.acts.add(act);
            }
        }
        feed
    }

    /// The acts whose callers have their answers.
    #[must_use]
    pub fn returned(&self) -> Acts {
        let mut acts = Acts::default();
        for (act, _) in self
            .acts
            .iter()
            .enumerate()
            .filter(|(_, stage)| stage.is_returned())
        {
            acts.add(act);
        }
        acts
    }

    /// The request under way: one is enough, because a broken promise shows in one, and requests do not help each other.
    #[must_use]
    pub fn request(&self) -> Option<&Request> {
        self.nodes.iter().find_map(|node| node.request.as_ref())
    }

    /// The nodes in an order that does not depend on their places.
    fn sorted(&self) -> [Node; NODES] {
        let mut nodes = self.nodes;
        nodes.sort_unstable();
        nodes
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        let rest = |state: &Self| {
            (
                state.acts,
                state.waiter,
                state.pruned,
                state.crashes,
                state.database_crashes,
                state.broken,
            )
        };
        rest(self) == rest(other) && self.sorted() == other.sorted()
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.sorted().hash(hasher);
        self.acts.hash(hasher);
        self.waiter.hash(hasher);
        self.pruned.hash(hasher);
        self.crashes.hash(hasher);
        self.database_crashes.hash(hasher);
        self.broken.hash(hasher);
    }
}
