//! The protocol over a scope, as stateright sees it: which steps are open in a state, and what becomes of it.

use stateright::{Model, Property};

use crate::clocks::{Clocks, Rate};
use crate::promises;
use crate::scopes::{Kind, Scope};
use crate::state::{ACTS, Acts, Feed, Life, NODES, Node, Row, Stage, State};
use crate::{Mutant, Step};

/// The protocol of `crates/authority`, or a mutant of it, over one scope.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// How much there is of everything.
    pub scope: Scope,
    /// What is done wrong, if anything is.
    pub mutant: Option<Mutant>,
}

impl Protocol {
    pub(crate) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    pub(crate) fn clocks(&self) -> Clocks {
        Clocks {
            ttl: self.scope.ttl,
            keeps_margin: !self.is(Mutant::NoMargin),
        }
    }

    /// The act that revokes the token, if the scope has one.
    #[must_use]
    pub fn revocation(&self, token: u8) -> Option<usize> {
        self.act(Kind::Revoke, token)
    }

    /// The act that creates the token, if it is not there from the beginning.
    #[must_use]
    pub fn creation(&self, token: u8) -> Option<usize> {
        self.act(Kind::Create, token)
    }

    fn act(&self, kind: Kind, token: u8) -> Option<usize> {
        let mut acts = self.scope.acts.iter();
        acts.position(|act| act.kind == kind && act.token == token)
    }

    /// What tables that hold these acts say of a token.
    pub(crate) fn allows(&self, known: Acts, token: u8) -> bool {
        self.creation(token).is_none_or(|act| known.has(act))
            && self.revocation(token).is_none_or(|act| !known.has(act))
    }

    fn initial(&self, rates: [Rate; NODES], waiter: Rate) -> State {
        let mut nodes = rates.map(Node::dead);
        for (i, node) in nodes.iter_mut().enumerate().take(self.scope.nodes) {
            node.life = Life::Unborn;
            if i < self.scope.members {
                node.life = Life::Live;
                node.term = self.clocks().term(node.rate);
                node.row = Some(Row {
                    applied: 0,
                    lease: 0,
                    is_lapsed: false,
                });
                node.durable = node.row;
            }
        }
        let mut state = State {
            nodes,
            acts: [Stage::Idle; ACTS],
            waiter,
            pruned: 0,
            crashes: self.scope.crashes,
            database_crashes: self.scope.database_crashes,
            broken: None,
        };
        for node in 0..NODES {
            self.note_number(&mut state, node);
        }
        state
    }

    /// Drops what can make no difference any more, so that states which differ in nothing else are one.
    fn settle(&self, state: &mut State) {
        let is_over = state.acts[..self.scope.acts.len()]
            .iter()
            .all(|stage| stage.is_returned());
        for node in &mut state.nodes {
            if state.database_crashes == 0 {
                node.make_durable();
            }
            let is_gone =
                node.life == Life::Dead && [node.row, node.durable].iter().flatten().all(|row| row.is_lapsed);
            if node.life == Life::Dead && node.request.is_none() {
                node.applied = 0;
                node.known = Acts::default();
            }
            if is_over || is_gone {
                // Rows are there for fences only, and for the dead nobody waits.
                node.row = None;
                node.durable = None;
                node.sighting = None;
                node.straggler = false;
                node.acknowledged = Acts::default();
                node.listed = Acts::default();
                node.doomed = false;
            }
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        if !self.scope.any_rate {
            return vec![self.initial([Rate::Slow; NODES], Rate::Fast)];
        }
        let mut states = Vec::new();
        for waiter in Rate::ALL {
            for first in Rate::ALL {
                for second in Rate::ALL {
                    let rates = [first, second, Rate::Slow];
                    let state = self.initial(rates, waiter);
                    if !states.contains(&state) {
                        states.push(state);
                    }
                }
            }
        }
        states
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.broken.is_some() {
            return;
        }
        self.time_steps(state, steps);
        self.database_steps(state, steps);
        self.fence_steps(state, steps);
        for i in 0..self.scope.nodes {
            self.node_steps(state, i, steps);
            self.lease_steps(state, i, steps);
            self.admission_steps(state, i, steps);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = *state;
        match step {
            Step::Tick => self.tick(&mut next, None),
            Step::TickBut(i) => self.tick(&mut next, Some(i)),
            Step::Start(i) => Self::start(&mut next, i),
            Step::Crash(i) => Self::crash(&mut next, i),
            Step::Leave(i) => Self::leave(&mut next, i),
            Step::CrashDatabase => Self::crash_database(&mut next),
            Step::Flush => Self::flush(&mut next),
            Step::Prune => next.pruned = next.committed().through,
            Step::Forget(i) => self.forget(&mut next, i),
            Step::Send(i) => self.send(&mut next, i),
            Step::Glance(i) => next.nodes[i].glance = Some(next.committed()),
            Step::Renew(i) => self.renew(&mut next, i),
            Step::GiveUp(i) => Self::give_up(&mut next, i),
            Step::RenewLate(i) => self.renew_late(&mut next, i),
            Step::Read(i) => self.read(&mut next, i),
            Step::Apply(i) => self.apply(&mut next, i),
            Step::Acknowledge(i) => self.acknowledge(&mut next, i, true),
            Step::AcknowledgeUnheard(i) => self.acknowledge(&mut next, i, false),
            Step::Begin(act) => self.begin(&mut next, act),
            Step::Commit(act) => self.commit(&mut next, act),
            Step::Look(i) => self.look(&mut next, i),
            Step::Doom(i) => next.nodes[i].doomed = true,
            Step::MarkLapsed(i) => Self::mark_lapsed(&mut next, i),
            Step::Sleep(act) => Self::sleep(&mut next, act),
            Step::Return(act) => Self::return_from(&mut next, act),
            Step::Arrive { node, token } => self.arrive(&mut next, node, token),
            Step::CheckTerm(i) => self.check_term(&mut next, i),
            Step::LookUp(i) => self.look_up(&mut next, i),
            Step::Tether(i) => Self::tether(&mut next, i),
            Step::CheckLast(i) => self.check_last(&mut next, i),
            Step::Effect(i) => self.effect(&mut next, i),
        }
        self.settle(&mut next);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::properties()
    }

    fn format_action(&self, step: &Step) -> String {
        self.tell(*step)
    }
}

impl Feed {
    /// Nothing but what a table that ends at `applied` lacks.
    pub(crate) fn after(self, applied: u8, state: &State) -> Self {
        let mut rest = Self {
            through: self.through,
            acts: Acts::default(),
        };
        for (act, stage) in state.acts.iter().enumerate() {
            if self.acts.has(act) && stage.committed().is_some_and(|revision| revision > applied) {
                rest.acts.add(act);
            }
        }
        rest
    }
}
