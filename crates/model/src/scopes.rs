//! Scopes: how much there is of everything. Within a scope every order of steps is checked.

use std::fmt;

use crate::Mutant;
use crate::steps::token_name;

/// How much there is of everything, and which faults may happen.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// What it is called.
    pub name: &'static str,
    /// Processes that admit. Those beyond `members` start and join while the rest happens.
    pub nodes: usize,
    /// How many of them have a lease and a term from the beginning.
    pub members: usize,
    /// The acts, each done once, in any order and at once.
    pub acts: &'static [Act],
    /// The term of a lease, in ticks of real time. With two, a term may begin while another runs.
    pub ttl: u8,
    /// How many nodes may crash.
    pub crashes: u8,
    /// How many times PostgreSQL may crash.
    pub database_crashes: u8,
    /// Whether nodes give renewals up that are committed later, or whose answers are lost.
    pub late: bool,
    /// Whether nodes shut down properly and give their leases up.
    pub leaves: bool,
    /// Whether the feed is pruned.
    pub prunes: bool,
    /// Whether rows of lapsed nodes are deleted.
    pub forgets: bool,
    /// How finely the steps of a node are told apart.
    pub grain: Grain,
    /// Whether the waiter sees each number of a lease as soon as it is committed, which lets it mark the node soonest.
    /// Otherwise it may see it at any time or not at all: that matters where numbers can be lost or used again.
    pub is_watchful: bool,
    /// Whether clocks may have any rate, instead of the worst that the drift allows.
    pub any_rate: bool,
}

/// How finely the steps of a node are told apart. What is one step in a coarser grain is the worst order of the finer
/// steps for a node that does them in the right order, so that the coarser grain finds whatever there is to find; the finer
/// ones are checked in smaller scopes all the same, and mutants do them in other orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Sending a renewal, its commit, reading and applying are four steps.
    Fine,
    /// Changes are applied as soon as they are read: between the two a node acts as one that has not read yet.
    Middle,
    /// A renewal is sent, committed, followed by a read, and that applied, at once. A node that sends earlier has a
    /// shorter term; one that reads later knows more, as one does that reads at once and again later.
    Coarse,
}

/// An administrative act.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    /// What is done.
    pub kind: Kind,
    /// To which token.
    pub token: u8,
}

/// What an act does. Permissions given and taken away are the same to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The token exists from now on.
    Create,
    /// The token is refused from now on.
    Revoke,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Create => "create",
            Kind::Revoke => "revoke",
        };
        write!(f, "{kind} {}", token_name(self.token))
    }
}

const fn create(token: u8) -> Act {
    Act {
        kind: Kind::Create,
        token,
    }
}

const fn revoke(token: u8) -> Act {
    Act {
        kind: Kind::Revoke,
        token,
    }
}

const A: u8 = 0;
const B: u8 = 1;
const REVOKE: &[Act] = &[revoke(A)];
const CREATE: &[Act] = &[create(A)];
const REVOKE_BOTH: &[Act] = &[revoke(A), revoke(B)];
const REVOKE_AND_CREATE: &[Act] = &[revoke(A), create(B)];
const CREATE_THEN_REVOKE: &[Act] = &[create(A), revoke(A)];

/// One member, one revocation, no faults but pauses and lost signals.
const PLAIN: Scope = Scope {
    name: "one node",
    nodes: 1,
    members: 1,
    acts: REVOKE,
    ttl: 1,
    crashes: 0,
    database_crashes: 0,
    late: false,
    leaves: false,
    prunes: false,
    forgets: false,
    grain: Grain::Middle,
    is_watchful: true,
    any_rate: false,
};
/// Two members, and a third node that joins.
const THREE: Scope = Scope {
    nodes: 3,
    members: 2,
    ..PLAIN
};
/// A member, and a second node that joins.
const TWO: Scope = Scope { nodes: 2, ..PLAIN };

/// One member, and everything that may go wrong.
const TROUBLED: Scope = Scope {
    crashes: 1,
    database_crashes: 1,
    late: true,
    leaves: true,
    prunes: true,
    forgets: true,
    is_watchful: false,
    ..PLAIN
};

/// The scopes that every run of the tests checks.
pub const SHORT: &[Scope] = &[
    Scope {
        name: "one node, two revocations, every step apart and every fault",
        grain: Grain::Fine,
        acts: REVOKE_BOTH,
        ..TROUBLED
    },
    Scope {
        name: "two nodes, every step apart, terms overlap, a crash",
        grain: Grain::Fine,
        ttl: 2,
        crashes: 1,
        ..TWO
    },
    Scope {
        name: "two nodes, clocks of any rate",
        any_rate: true,
        ttl: 2,
        ..TWO
    },
    Scope {
        name: "two nodes, a token created and then revoked, a pruned feed, departures",
        acts: CREATE_THEN_REVOKE,
        prunes: true,
        leaves: true,
        ..TWO
    },
    Scope {
        name: "two nodes, a revocation and a creation, a crash",
        acts: REVOKE_AND_CREATE,
        crashes: 1,
        ..TWO
    },
    Scope {
        name: "two nodes, every step apart, late renewals, departures, a crash",
        grain: Grain::Fine,
        late: true,
        leaves: true,
        crashes: 1,
        ..TWO
    },
    Scope {
        name: "two nodes, every step apart, PostgreSQL crashes, rows are deleted",
        grain: Grain::Fine,
        database_crashes: 1,
        forgets: true,
        is_watchful: false,
        ..TWO
    },
    Scope {
        name: "two nodes, a revocation and a creation, PostgreSQL crashes, departures",
        grain: Grain::Coarse,
        acts: REVOKE_AND_CREATE,
        database_crashes: 1,
        leaves: true,
        is_watchful: false,
        ..TWO
    },
    Scope {
        name: "three nodes, one revocation, a crash, departures",
        crashes: 1,
        leaves: true,
        ..THREE
    },
    Scope {
        name: "three nodes, a revocation and a creation, a crash",
        grain: Grain::Coarse,
        acts: REVOKE_AND_CREATE,
        crashes: 1,
        ..THREE
    },
    Scope {
        name: "three nodes, two revocations, terms overlap, a crash",
        grain: Grain::Coarse,
        acts: REVOKE_BOTH,
        ttl: 2,
        crashes: 1,
        ..THREE
    },
    Scope {
        name: "three nodes, PostgreSQL crashes, a crash, departures",
        grain: Grain::Coarse,
        database_crashes: 1,
        is_watchful: false,
        crashes: 1,
        leaves: true,
        ..THREE
    },
];

/// Larger ones: minutes and gigabytes.
pub const LONG: &[Scope] = &[
    Scope {
        name: "one node, a revocation and a creation, every step apart and every fault, three ticks to a term",
        grain: Grain::Fine,
        acts: REVOKE_AND_CREATE,
        ttl: 3,
        ..TROUBLED
    },
    Scope {
        name: "two nodes, every step apart and every fault",
        grain: Grain::Fine,
        nodes: 2,
        ..TROUBLED
    },
    Scope {
        name: "two nodes, a revocation and a creation, every step apart, a pruned feed, a crash",
        grain: Grain::Fine,
        acts: REVOKE_AND_CREATE,
        prunes: true,
        crashes: 1,
        ..TWO
    },
    Scope {
        name: "three nodes, every step apart, a crash",
        grain: Grain::Fine,
        crashes: 1,
        ..THREE
    },
    Scope {
        name: "three nodes, one revocation, terms overlap, a crash",
        ttl: 2,
        crashes: 1,
        ..THREE
    },
    Scope {
        name: "three nodes, late renewals, a crash",
        late: true,
        crashes: 1,
        ..THREE
    },
    Scope {
        name: "three nodes, a revocation and a creation",
        acts: REVOKE_AND_CREATE,
        ..THREE
    },
    Scope {
        name: "three nodes, a revocation and a creation, PostgreSQL crashes",
        grain: Grain::Coarse,
        acts: REVOKE_AND_CREATE,
        database_crashes: 1,
        is_watchful: false,
        ..THREE
    },
];

impl Mutant {
    /// A scope that shows it: one node is always enough.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::AcknowledgedBeforeApplied => Scope {
                name: "one node, every step apart",
                grain: Grain::Fine,
                ..PLAIN
            },
            Self::TermAfterLookUp => Scope {
                name: "one node, a creation",
                acts: CREATE,
                ..PLAIN
            },
            Self::BareSequence => Scope {
                name: "one node, two revocations",
                acts: REVOKE_BOTH,
                ..PLAIN
            },
            Self::GapNotNoticed => Scope {
                name: "one node, a pruned feed",
                prunes: true,
                ..PLAIN
            },
            Self::ReadWithRenewal | Self::ReadBeforeRenewal | Self::RowsReadBeforeCommit => Scope {
                name: "one node that joins",
                members: 0,
                ..PLAIN
            },
            Self::RenewalNotDurable => Scope {
                name: "one node, PostgreSQL crashes",
                database_crashes: 1,
                is_watchful: false,
                ..PLAIN
            },
            Self::JoinNotDurable => Scope {
                name: "one node that joins, PostgreSQL crashes",
                members: 0,
                database_crashes: 1,
                is_watchful: false,
                ..PLAIN
            },
            Self::NumbersUsedAgain => Scope {
                name: "one node, rows are deleted",
                forgets: true,
                is_watchful: false,
                ..PLAIN
            },
            Self::LeavesBeforeEnded => Scope {
                name: "one node, departures",
                leaves: true,
                ..PLAIN
            },
            _ => PLAIN,
        }
    }
}
