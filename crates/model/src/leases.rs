//! Leases (authority: `leases.rs`, `node.rs`): renew, then read, then apply; the term counts from before the renewal was
//! sent. Acknowledging is a step of its own.

use crate::protocol::Protocol;
use crate::scopes::Grain;
use crate::state::{Life, Reading, Renewal, Request, Revision, Row, Stage, State};
use crate::{Mutant, Step};

/// Numbers that a lease may gain between two writes to disk, in mutants that do not wait for the disk.
const NUMBERS: u8 = 2;

impl Protocol {
    /// What node `i` may do next to keep its lease and to follow the feed.
    pub(crate) fn lease_steps(&self, state: &State, i: usize, steps: &mut Vec<Step>) {
        let node = &state.nodes[i];
        if node.straggler {
            steps.push(Step::RenewLate(i));
        }
        if node.life != Life::Live {
            return;
        }
        let is_far = node.row.is_some_and(|row| row.lease >= NUMBERS);
        match node.renewal {
            Renewal::None if is_far && self.scope.grain == Grain::Coarse => {}
            Renewal::None => steps.push(Step::Send(i)),
            Renewal::Sent(_) if self.is(Mutant::ReadWithRenewal) && node.glance.is_none() => {
                steps.push(Step::Glance(i));
            }
            Renewal::Sent(_) if is_far => {}
            Renewal::Sent(_) => steps.push(Step::Renew(i)),
            Renewal::Committed(_) => {}
        }
        if self.scope.late && !node.straggler && node.renewal != Renewal::None {
            steps.push(Step::GiveUp(i));
        }
        match node.reading {
            None if self.may_read(state, i) => steps.push(Step::Read(i)),
            None => {}
            Some(_) => steps.push(Step::Apply(i)),
        }
        if node
            .row
            .is_some_and(|row| row.applied < self.acknowledgeable(state, i))
        {
            steps.push(Step::Acknowledge(i));
            if self.is(Mutant::FenceTrustsSignals) {
                steps.push(Step::AcknowledgeUnheard(i));
            }
        }
    }

    /// A node reads when it renewed, and whenever a signal tells it to or its patience ends. A read that brings nothing
    /// is left out.
    fn may_read(&self, state: &State, i: usize) -> bool {
        let node = &state.nodes[i];
        matches!(node.renewal, Renewal::Committed(_)) || node.applied < state.committed().through
    }

    pub(crate) fn send(&self, state: &mut State, i: usize) {
        if self.is(Mutant::ReadBeforeRenewal) {
            state.nodes[i].glance = Some(state.committed());
        }
        let node = &mut state.nodes[i];
        node.renewal = Renewal::Sent(self.clocks().term(node.rate));
        if self.scope.grain == Grain::Coarse {
            self.renew(state, i);
            self.read(state, i);
        }
    }

    pub(crate) fn renew(&self, state: &mut State, i: usize) {
        self.commit_renewal(state, i);
        let node = &mut state.nodes[i];
        if let Renewal::Sent(left) = node.renewal {
            node.renewal = Renewal::Committed(left);
        }
    }

    /// Renews a lease that has not lapsed, or begins one: two statements in the code, of which the second is sent only
    /// when the first found nothing to renew.
    fn commit_renewal(&self, state: &mut State, i: usize) {
        let applied = self.acknowledgeable(state, i);
        let node = &mut state.nodes[i];
        let former = node.row;
        let is_join = former.is_none_or(|row| row.is_lapsed);
        node.row = Some(match former {
            Some(row) => Row {
                applied: row.applied.max(applied),
                lease: row.lease + 1,
                is_lapsed: false,
            },
            None => Row {
                applied,
                lease: 0,
                is_lapsed: false,
            },
        });
        let is_durable = match self.mutant {
            Some(Mutant::RenewalNotDurable) => is_join,
            Some(Mutant::JoinNotDurable) => !is_join,
            _ => true,
        };
        if is_durable {
            Self::flush(state);
        }
        self.note_number(state, i);
    }

    pub(crate) fn give_up(state: &mut State, i: usize) {
        let node = &mut state.nodes[i];
        node.straggler = matches!(node.renewal, Renewal::Sent(_));
        node.renewal = Renewal::None;
        node.glance = None;
    }

    pub(crate) fn renew_late(&self, state: &mut State, i: usize) {
        state.nodes[i].straggler = false;
        self.commit_renewal(state, i);
    }

    pub(crate) fn read(&self, state: &mut State, i: usize) {
        let committed = state.committed();
        let node = &state.nodes[i];
        let term = match node.renewal {
            Renewal::Committed(_) if self.is(Mutant::TermFromAnswer) => Some(self.clocks().term(node.rate)),
            Renewal::Committed(left) => Some(left),
            _ => None,
        };
        let is_early = self.is(Mutant::ReadWithRenewal) || self.is(Mutant::ReadBeforeRenewal);
        let seen = node
            .glance
            .filter(|_| is_early && term.is_some())
            .unwrap_or(committed);
        let feed = if node.applied >= state.pruned {
            seen.after(node.applied, state)
        } else if self.is(Mutant::GapNotNoticed) {
            seen.after(state.pruned, state)
        } else {
            // Too far behind for the feed: everything is loaded anew.
            seen
        };
        let node = &mut state.nodes[i];
        if term.is_some() {
            node.renewal = Renewal::None;
            node.glance = None;
        }
        node.reading = Some(Reading { feed, term });
        if self.scope.grain != Grain::Fine {
            self.apply(state, i);
        }
    }

    pub(crate) fn apply(&self, state: &mut State, i: usize) {
        let node = &mut state.nodes[i];
        let Some(Reading { feed, term }) = node.reading.take() else {
            return;
        };
        node.applied = node.applied.max(feed.through);
        node.known.add_all(feed.acts);
        node.term = node.term.max(term.unwrap_or(0));
        let known = node.known;
        if let Some(request) = &mut node.request {
            let is_revoked = self.revocation(request.token).is_some_and(|act| known.has(act));
            request.is_cut |= request.is_tethered && is_revoked;
        }
    }

    /// Everything up to here is applied, and the work that it cut has ended.
    fn acknowledgeable(&self, state: &State, i: usize) -> Revision {
        let node = &state.nodes[i];
        let applied = match node.reading {
            Some(Reading { feed, .. }) if self.is(Mutant::AcknowledgedBeforeApplied) => feed.through,
            _ => node.applied,
        };
        match node.request {
            Some(Request {
                is_cut: true, token, ..
            }) if !self.is(Mutant::AcknowledgedBeforeEnded) => {
                let act = self.revocation(token).map(|act| state.acts[act]);
                let revision = act.and_then(Stage::committed).unwrap_or(applied + 1);
                applied.min(revision.saturating_sub(1))
            }
            _ => applied,
        }
    }

    pub(crate) fn acknowledge(&self, state: &mut State, i: usize, is_heard: bool) {
        let applied = self.acknowledgeable(state, i);
        if let Some(row) = &mut state.nodes[i].row {
            row.applied = row.applied.max(applied);
        }
        if self.is(Mutant::FenceTrustsSignals) && is_heard {
            for stage in &mut state.acts {
                if let Stage::Waiting { heard, .. } = stage {
                    *heard = true;
                }
            }
        }
    }
}
