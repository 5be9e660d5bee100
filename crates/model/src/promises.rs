//! The promises of the house (DESIGN section 1), as the model can see them broken.

use std::fmt;

use stateright::Property;

use crate::protocol::Protocol;
use crate::state::{Progress, Stage, State};

/// What must never be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Promise {
    /// G1: a request that was sent after `revoke` returned has no effect, on any node.
    Refused,
    /// G2: work that the token had running has no effect after `revoke` returned.
    Cut,
    /// G3: a node that lacks a change which had returned when the request was sent answers neither yes nor no.
    Closed,
    /// G4: no node refuses a token whose `create` had returned when the request was sent.
    Active,
    /// Every act returns: when a term and the drift have passed since its commit, nothing keeps it from returning. It
    /// follows that every act does return in the end: time passes, and what is allowed from then on stays allowed until
    /// the waiter takes its next look, which it does every 50 ms whether or not a signal wakes it.
    Returns,
}

impl Promise {
    /// Every promise.
    pub const ALL: [Self; 5] = [
        Self::Refused,
        Self::Cut,
        Self::Closed,
        Self::Active,
        Self::Returns,
    ];

    /// Its name in DESIGN section 1.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "G1 refused",
            Self::Cut => "G2 cut",
            Self::Closed => "G3 closed",
            Self::Active => "G4 active",
            Self::Returns => "every act returns",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What must be seen somewhere in every scope that can show it: else the model holds because nothing happens in it.
pub(crate) const SEEN: [&str; 5] = [
    "every act has returned",
    "an act has returned while a node that knows it admits",
    "a lease has lapsed while an act waits",
    "work runs under a token while it is being revoked",
    "work is cut",
];

/// What the checker looks at in every state.
pub(crate) fn properties() -> Vec<Property<Protocol>> {
    vec![
        Property::always(Promise::Refused.name(), |_, state: &State| {
            state.broken != Some(Promise::Refused)
        }),
        Property::always(Promise::Cut.name(), |_, state: &State| {
            state.broken != Some(Promise::Cut)
        }),
        Property::always(Promise::Closed.name(), |_, state: &State| {
            state.broken != Some(Promise::Closed)
        }),
        Property::always(Promise::Active.name(), |_, state: &State| {
            state.broken != Some(Promise::Active)
        }),
        Property::always(Promise::Returns.name(), returns),
        Property::sometimes(SEEN[0], |protocol: &Protocol, state: &State| {
            let mut stages = state.acts[..protocol.scope.acts.len()].iter();
            stages.all(|stage| stage.is_returned())
        }),
        Property::sometimes(SEEN[1], |_, state: &State| {
            let is_current = |act| {
                let mut nodes = state.nodes.iter();
                nodes.any(|node| node.term > 0 && node.known.has(act))
            };
            let mut acts = state.acts.iter().enumerate();
            acts.any(|(act, stage)| stage.is_returned() && is_current(act))
        }),
        Property::sometimes(SEEN[2], |_, state: &State| {
            let mut rows = state.nodes.iter().filter_map(|node| node.row);
            let waits = |stage: &Stage| matches!(stage, Stage::Waiting { .. });
            state.acts.iter().any(waits) && rows.any(|row| row.is_lapsed)
        }),
        Property::sometimes(SEEN[3], |protocol: &Protocol, state: &State| {
            state.request().is_some_and(|request| {
                let stage = protocol.revocation(request.token).map(|act| state.acts[act]);
                request.progress == Progress::Admitted && matches!(stage, Some(Stage::Waiting { .. }))
            })
        }),
        Property::sometimes(SEEN[4], |_, state: &State| {
            state.request().is_some_and(|request| request.is_cut)
        }),
    ]
}

fn returns(protocol: &Protocol, state: &State) -> bool {
    let mut acts = state.acts.iter().enumerate();
    acts.all(|(act, stage)| match stage {
        Stage::Waiting { left: 0, .. } => protocol.can_return(state, act),
        _ => true,
    })
}
