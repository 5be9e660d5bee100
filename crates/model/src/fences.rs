//! Fences (authority: `fences.rs`): an act returns once every lease in the catalog acknowledges its revision or is over.
//!
//! The waiter is a process without a lease of its own. A node that acts is in a better position: it applies its own
//! change itself. One waiter is enough: fences of one process share what they see of the leases, and of several the one
//! that saw a number first may mark it first.

use crate::protocol::Protocol;
use crate::scopes::Kind;
use crate::state::{Node, Sighting, Stage, State};
use crate::{Mutant, Step};

impl Protocol {
    /// What acts and their fences may do next.
    pub(crate) fn fence_steps(&self, state: &State, steps: &mut Vec<Step>) {
        let is_locked = state
            .acts
            .iter()
            .any(|stage| matches!(stage, Stage::Begun { .. }));
        for act in 0..self.scope.acts.len() {
            match state.acts[act] {
                // The counter's row is locked until the transaction ends.
                Stage::Idle if is_locked && !self.is(Mutant::BareSequence) => {}
                Stage::Idle if self.is_too_early(state, act) => {}
                Stage::Idle => steps.push(Step::Begin(act)),
                Stage::Begun { .. } => steps.push(Step::Commit(act)),
                Stage::Waiting { heard, .. } => {
                    if self.can_return(state, act) {
                        steps.push(Step::Return(act));
                    } else if heard {
                        steps.push(Step::Sleep(act));
                    }
                }
                Stage::Returned { .. } => {}
            }
        }
        for i in 0..self.scope.nodes {
            self.watch_steps(state, i, steps);
        }
    }

    /// A token is revoked only after it was created.
    fn is_too_early(&self, state: &State, act: usize) -> bool {
        let asked = self.scope.acts[act];
        let creation = self.creation(asked.token).filter(|_| asked.kind == Kind::Revoke);
        creation.is_some_and(|creation| state.acts[creation].committed().is_none())
    }

    fn watch_steps(&self, state: &State, i: usize, steps: &mut Vec<Step>) {
        let node = &state.nodes[i];
        let Some(row) = node.row else {
            return;
        };
        let is_seen = node.sighting.is_some_and(|sighting| sighting.lease == row.lease);
        if !is_seen {
            steps.push(Step::Look(i));
        }
        let patience = u8::from(self.is(Mutant::LapsedEarly));
        let is_over = is_seen && node.sighting.is_some_and(|sighting| sighting.left <= patience);
        if self.is(Mutant::LapsedBlindly) {
            if is_over && !row.is_lapsed && !node.doomed {
                steps.push(Step::Doom(i));
            }
            if node.doomed {
                steps.push(Step::MarkLapsed(i));
            }
        } else if is_over && !row.is_lapsed {
            steps.push(Step::MarkLapsed(i));
        }
    }

    pub(crate) fn begin(&self, state: &mut State, act: usize) {
        let last = state.acts.iter().filter_map(|stage| stage.allocated()).max();
        state.acts[act] = Stage::Begun {
            revision: last.unwrap_or(0) + 1,
        };
        if self.is(Mutant::RowsReadBeforeCommit) {
            for node in &mut state.nodes {
                if node.row.is_some_and(|row| !row.is_lapsed) {
                    node.listed.add(act);
                }
            }
        }
    }

    pub(crate) fn commit(&self, state: &mut State, act: usize) {
        let Stage::Begun { revision } = state.acts[act] else {
            return;
        };
        state.acts[act] = Stage::Waiting {
            revision,
            left: self.clocks().outlasting(state.waiter),
            heard: false,
        };
        Self::flush(state);
    }

    pub(crate) fn look(&self, state: &mut State, i: usize) {
        let left = self.clocks().outlasting(state.waiter);
        let node = &mut state.nodes[i];
        node.sighting = node.row.map(|row| Sighting {
            lease: row.lease,
            left,
        });
    }

    /// A lease has a new number. A watchful waiter sees it at once.
    pub(crate) fn note_number(&self, state: &mut State, i: usize) {
        if self.scope.is_watchful {
            self.look(state, i);
        }
    }

    /// Compare-and-set on the number: the waiter marks what it saw and nothing newer, which is why seeing and marking may
    /// be one step.
    pub(crate) fn mark_lapsed(state: &mut State, i: usize) {
        let node = &mut state.nodes[i];
        node.doomed = false;
        if let Some(row) = &mut node.row {
            row.is_lapsed = true;
        }
    }

    pub(crate) fn sleep(state: &mut State, act: usize) {
        if let Stage::Waiting { heard, .. } = &mut state.acts[act] {
            *heard = false;
        }
    }

    /// Whether the fence of an act that waits is passed. Reading the rows and returning are one step: nothing that
    /// happens in between can take back what was read.
    pub(crate) fn can_return(&self, state: &State, act: usize) -> bool {
        let Stage::Waiting {
            revision,
            left,
            heard,
        } = state.acts[act]
        else {
            return false;
        };
        let is_awaited = |node: &Node| {
            node.row
                .is_some_and(|row| !row.is_lapsed && row.applied < revision)
                && !node.acknowledged.has(act)
                && (node.listed.has(act) || !self.is(Mutant::RowsReadBeforeCommit))
        };
        let is_passed = !state.nodes.iter().any(is_awaited);
        if self.is(Mutant::FenceTrustsSignals) && !heard {
            return false;
        }
        is_passed || (left == 0 && !self.is(Mutant::FenceWithoutEnd))
    }

    pub(crate) fn return_from(state: &mut State, act: usize) {
        if let Stage::Waiting { revision, .. } = state.acts[act] {
            state.acts[act] = Stage::Returned { revision };
        }
        for node in &mut state.nodes {
            node.acknowledged.remove(act);
            node.listed.remove(act);
        }
    }
}
