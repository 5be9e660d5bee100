//! Admission (authority: `admission.rs`, `tethers.rs`): the term first, then the tether, the look-up and the decision;
//! term and tether once more before the effect.
//!
//! Between the last check and the effect other processes may do anything, but no tick passes: that is the assumption
//! which the drift's margin pays for. A process that stands still for longer exactly there acts late.

use crate::protocol::Protocol;
use crate::state::{Life, Progress, Request, State};
use crate::{Mutant, Promise, Step};

impl Protocol {
    /// What may happen next to the request at node `i`.
    pub(crate) fn admission_steps(&self, state: &State, i: usize, steps: &mut Vec<Step>) {
        let node = &state.nodes[i];
        let Some(request) = &node.request else {
            if node.life == Life::Live && state.request().is_none() {
                self.arrivals(state, i, steps);
            }
            return;
        };
        steps.push(match request.progress {
            Progress::TermChecked => Step::LookUp(i),
            Progress::LookedUp { .. } => Step::CheckTerm(i),
            Progress::Decided => Step::Tether(i),
            Progress::Admitted => Step::CheckLast(i),
            Progress::Checked => Step::Effect(i),
        });
    }

    fn arrivals(&self, state: &State, i: usize, steps: &mut Vec<Step>) {
        // Without a term there is one answer only.
        if state.nodes[i].term == 0 && !self.is(Mutant::TermAfterLookUp) {
            return;
        }
        let tokens = self.scope.acts.iter().map(|act| act.token).max().unwrap_or(0);
        steps.extend((0..=tokens).map(|token| Step::Arrive { node: i, token }));
    }

    /// A request is sent and arrives. One that was longer on its way was sent when fewer acts had returned, so that less
    /// is promised to it.
    pub(crate) fn arrive(&self, state: &mut State, i: usize, token: u8) {
        let before = state.returned();
        let node = &mut state.nodes[i];
        let progress = if self.is(Mutant::TermAfterLookUp) {
            Progress::LookedUp {
                allowed: self.allows(node.known, token),
            }
        } else {
            Progress::TermChecked
        };
        node.request = Some(Request {
            token,
            before,
            progress,
            is_tethered: self.is(Mutant::TermAfterLookUp),
            is_cut: false,
        });
    }

    pub(crate) fn check_term(&self, state: &mut State, i: usize) {
        let node = &mut state.nodes[i];
        let Some(request) = &mut node.request else { return };
        match request.progress {
            Progress::LookedUp { allowed: true } if node.term > 0 => request.progress = Progress::Admitted,
            Progress::LookedUp { allowed: false } if node.term > 0 => self.refuse(state, i),
            _ => node.request = None,
        }
    }

    pub(crate) fn look_up(&self, state: &mut State, i: usize) {
        let node = &mut state.nodes[i];
        let Some(request) = &mut node.request else { return };
        if !self.allows(node.known, request.token) {
            self.refuse(state, i);
        } else if self.is(Mutant::TetherAfterLookUp) {
            request.progress = Progress::Decided;
        } else {
            // The entry that was looked up is the tether.
            request.progress = Progress::Admitted;
            request.is_tethered = true;
        }
    }

    /// Answers 401.
    fn refuse(&self, state: &mut State, i: usize) {
        let Some(request) = state.nodes[i].request.take() else {
            return;
        };
        let is_created = self
            .creation(request.token)
            .is_none_or(|act| request.before.has(act));
        let is_revoked = self
            .revocation(request.token)
            .is_some_and(|act| state.acts[act].committed().is_some());
        if is_created && !is_revoked {
            state.broken = Some(Promise::Active);
        } else if !state.nodes[i].known.covers(request.before) {
            state.broken = Some(Promise::Closed);
        }
    }

    pub(crate) fn tether(state: &mut State, i: usize) {
        if let Some(request) = &mut state.nodes[i].request {
            request.progress = Progress::Admitted;
            request.is_tethered = true;
        }
    }

    pub(crate) fn check_last(&self, state: &mut State, i: usize) {
        let node = &mut state.nodes[i];
        let Some(request) = &mut node.request else { return };
        let term_holds = node.term > 0 || self.is(Mutant::TermNotCheckedLast);
        let tether_holds = !request.is_cut || self.is(Mutant::TetherNotCheckedLast);
        if term_holds && tether_holds {
            request.progress = Progress::Checked;
        } else {
            // Answered "closed" or cut; the work has ended.
            node.request = None;
        }
    }

    /// The work takes effect: a commit of the engine, or the first byte that is forwarded.
    pub(crate) fn effect(&self, state: &mut State, i: usize) {
        let Some(request) = state.nodes[i].request.take() else {
            return;
        };
        let revocation = self.revocation(request.token);
        let lacks = !state.nodes[i].known.covers(request.before);
        state.broken = match revocation.filter(|act| state.acts[*act].is_returned()) {
            Some(act) if request.before.has(act) => Some(Promise::Refused),
            Some(_) => Some(Promise::Cut),
            None if lacks => Some(Promise::Closed),
            None => None,
        };
    }
}
