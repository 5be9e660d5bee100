//! Faults, and what else happens by itself: time, starts, crashes, and what PostgreSQL does.

use crate::protocol::Protocol;
use crate::state::{Life, Node, Progress, Renewal, Sighting, Stage, State};
use crate::{Mutant, Step};

impl Protocol {
    /// How time may pass.
    pub(crate) fn time_steps(&self, state: &State, steps: &mut Vec<Step>) {
        if state
            .request()
            .is_some_and(|request| request.progress == Progress::Checked)
        {
            return;
        }
        steps.push(Step::Tick);
        if self.is(Mutant::ClockStandsStill) {
            steps.extend((0..self.scope.nodes).map(Step::TickBut));
        }
    }

    /// What PostgreSQL may do.
    pub(crate) fn database_steps(&self, state: &State, steps: &mut Vec<Step>) {
        if state.database_crashes > 0 {
            steps.push(Step::CrashDatabase);
            if state.nodes.iter().any(|node| node.row != node.durable) {
                steps.push(Step::Flush);
            }
        }
        if self.scope.prunes && state.pruned < state.committed().through {
            steps.push(Step::Prune);
        }
    }

    /// How the process of node `i` may begin and end, and its row.
    pub(crate) fn node_steps(&self, state: &State, i: usize, steps: &mut Vec<Step>) {
        let node = &state.nodes[i];
        match node.life {
            Life::Unborn => steps.push(Step::Start(i)),
            Life::Live if state.crashes > 0 => steps.push(Step::Crash(i)),
            Life::Live | Life::Dead => {}
        }
        // Work that passed its last check ends before the lease does: nobody waits for the node afterwards.
        let works = node
            .request
            .is_some_and(|request| request.progress == Progress::Checked);
        if self.scope.leaves && node.life == Life::Live && (!works || self.is(Mutant::LeavesBeforeEnded)) {
            steps.push(Step::Leave(i));
        }
        if self.scope.forgets && node.row.is_some_and(|row| row.is_lapsed) {
            steps.push(Step::Forget(i));
        }
    }

    pub(crate) fn tick(&self, state: &mut State, but: Option<usize>) {
        for (i, node) in state.nodes.iter_mut().enumerate() {
            if let Some(Sighting { left, .. }) = &mut node.sighting {
                *left = left.saturating_sub(1);
            }
            if but == Some(i) {
                continue;
            }
            node.term = node.term.saturating_sub(1);
            if let Renewal::Sent(left) | Renewal::Committed(left) = &mut node.renewal {
                *left = left.saturating_sub(1);
            }
            if let Some(left) = node.reading.as_mut().and_then(|reading| reading.term.as_mut()) {
                *left = left.saturating_sub(1);
            }
        }
        for stage in &mut state.acts {
            if let Stage::Waiting { left, .. } = stage {
                *left = left.saturating_sub(1);
            }
        }
    }

    pub(crate) fn start(state: &mut State, i: usize) {
        let everything = state.committed();
        let node = &mut state.nodes[i];
        node.life = Life::Live;
        node.applied = everything.through;
        node.known = everything.acts;
    }

    /// The row is left behind, and a renewal that was on its way makes no difference to it: the others wait either way.
    pub(crate) fn crash(state: &mut State, i: usize) {
        state.crashes -= 1;
        let node = &mut state.nodes[i];
        *node = Node {
            row: node.row,
            durable: node.durable,
            sighting: node.sighting,
            acknowledged: node.acknowledged,
            listed: node.listed,
            doomed: node.doomed,
            ..Node::dead(node.rate)
        };
    }

    /// The term ends first. Work that is still running is cut at its next check.
    pub(crate) fn leave(state: &mut State, i: usize) {
        let node = &mut state.nodes[i];
        node.life = Life::Dead;
        node.term = 0;
        node.renewal = Renewal::None;
        node.glance = None;
        node.reading = None;
        if let Some(row) = &mut node.row {
            row.is_lapsed = true;
            row.lease += 1;
        }
    }

    /// Rows are as they were when something last waited for the disk, transactions are rolled back. The waiter remembers
    /// what it saw; that it saw every acknowledgement is the case in which it waits least.
    pub(crate) fn crash_database(state: &mut State) {
        state.database_crashes -= 1;
        for (act, stage) in state.acts.iter_mut().enumerate() {
            match *stage {
                Stage::Begun { .. } => *stage = Stage::Idle,
                Stage::Waiting { revision, .. } => {
                    for node in &mut state.nodes {
                        if node.row.is_some_and(|row| row.applied >= revision) {
                            node.acknowledged.add(act);
                        }
                    }
                }
                Stage::Idle | Stage::Returned { .. } => {}
            }
        }
        for node in &mut state.nodes {
            node.row = node.durable;
        }
    }

    /// Whatever waits for the disk takes everything with it that was committed before.
    pub(crate) fn flush(state: &mut State) {
        for node in &mut state.nodes {
            node.make_durable();
        }
    }

    /// The process may still live and come back. It must not begin with a number that it had before.
    pub(crate) fn forget(&self, state: &mut State, i: usize) {
        let node = &mut state.nodes[i];
        node.row = None;
        if !self.is(Mutant::NumbersUsedAgain) {
            node.sighting = None;
        }
    }
}

impl Node {
    /// Its row is on disk. Numbers are counted from there; one that is behind is seen no more.
    pub(crate) fn make_durable(&mut self) {
        let gained = self.row.map_or(0, |row| row.lease);
        if let Some(row) = &mut self.row {
            row.lease = 0;
        }
        self.sighting = self.sighting.and_then(|sighting| {
            Some(Sighting {
                lease: sighting.lease.checked_sub(gained)?,
                ..sighting
            })
        });
        self.durable = self.row;
    }
}
