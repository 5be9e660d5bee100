//! History: what clients and actors saw, and what of it must not have happened.
//!
//! A token goes through states, one act after the other; what an act made of it holds for certain once the act has
//! returned, and may hold since it began. So at any moment there is a set of states by which a node may act, and every answer
//! must follow from one that was possible at some moment between the request and the answer.

use super::postgres::Rights;
use super::world::Moment;
use crate::Refusal;

/// What happened so far.
#[derive(Default)]
pub(super) struct History {
    pub(super) tokens: Vec<Token>,
    /// Work under way, by its number.
    pub(super) works: Vec<Work>,
    pub(super) requests: u64,
    pub(super) admitted: u64,
    pub(super) effects: u64,
    pub(super) acts: u64,
    pub(super) revocations: u64,
    /// Acts that nothing befell: they must have returned in time.
    pub(super) undisturbed: u64,
    pub(super) faults: u64,
    pub(super) violations: Vec<String>,
    /// Over everything that was noted: equal histories have equal digests.
    pub(super) digest: u64,
}

/// A token and what was made of it.
pub(super) struct Token {
    pub(super) secret: rescind_domain::Secret,
    pub(super) states: Vec<State>,
    /// Whether somebody acts on it.
    pub(super) is_busy: bool,
}

/// What an act makes of a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) rights: Rights,
    pub(super) begun: Moment,
    pub(super) returned: Option<Moment>,
}

/// Work that was admitted.
pub(super) struct Work {
    pub(super) token: usize,
    pub(super) right: Rights,
    pub(super) node: String,
    pub(super) machine: usize,
    /// For how long its machine had stood still when it began.
    pub(super) stood_still: u64,
    pub(super) is_running: bool,
    /// It does nothing but wait for the disk, past its last check, or its machine stood still: nobody waits for it longer
    /// than its time.
    pub(super) hangs: bool,
}

/// What a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Admitted,
    Forbidden,
    Revoked,
    Unknown,
    Unavailable,
}

impl From<&Refusal> for Answer {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Unavailable => Self::Unavailable,
            Refusal::Unknown => Self::Unknown,
            Refusal::Revoked => Self::Revoked,
            Refusal::Forbidden(_) => Self::Forbidden,
            other => unreachable!("{other:?}"),
        }
    }
}

impl Token {
    /// By which rights a node may act at some moment from `sent` to `decided`; `None` is that it knows no such token.
    fn possible(&self, sent: Moment, decided: Moment) -> impl Iterator<Item = Option<Rights>> {
        let begun = self
            .states
            .iter()
            .rev()
            .filter(move |state| state.begun <= decided);
        let mut is_settled = false;
        let possible: Vec<_> = begun
            .take_while(|state| {
                let former = is_settled;
                is_settled |= state.returned.is_some_and(|returned| returned < sent);
                !former
            })
            .map(|state| Some(state.rights))
            .collect();
        let unknown = (!is_settled).then_some(None);
        possible.into_iter().chain(unknown)
    }

    /// Whether the answer to a request for `right` follows from a state that was possible.
    fn allows(&self, answer: Answer, right: Rights, sent: Moment, decided: Moment) -> bool {
        self.possible(sent, decided).any(|rights| match (answer, rights) {
            (Answer::Unavailable, _) | (Answer::Unknown, None) => true,
            // A node that was started anew has never heard of it.
            (Answer::Unknown | Answer::Revoked, Some(rights)) => rights == 0,
            (Answer::Admitted, Some(rights)) => rights & right != 0,
            (Answer::Forbidden, Some(rights)) => rights != 0 && rights & right == 0,
            (_, None) => false,
        })
    }

    /// What it may do, if no act on it is under way.
    pub(super) fn settled(&self) -> Option<Rights> {
        self.states
            .last()
            .filter(|state| state.returned.is_some())
            .map(|state| state.rights)
    }
}

impl History {
    /// Notes how a request was answered (promises G1, G3, G4).
    pub(super) fn answered(
        &mut self,
        node: &str,
        token: usize,
        right: Rights,
        answer: Answer,
        sent: Moment,
        now: Moment,
    ) {
        self.requests += 1;
        self.admitted += u64::from(answer == Answer::Admitted);
        self.mix(now ^ ((token as u64) << 40) ^ ((answer as u64) << 50));
        if !self.tokens[token].allows(answer, right, sent, now) {
            let what = format!("{node} answered {answer:?} to a request for {right} sent at {sent}");
            self.violation(token, now, &what);
        }
    }

    /// Notes an effect of admitted work (promise G2).
    pub(super) fn took_effect(&mut self, work: usize, now: Moment) {
        self.effects += 1;
        self.mix(now ^ (1 << 60));
        let Work { token, right, .. } = self.works[work];
        if !self.tokens[token].allows(Answer::Admitted, right, now, now) {
            let what = format!("work on {} that used {right} took effect", self.works[work].node);
            self.violation(token, now, &what);
        }
    }

    /// Notes that an act returned: `applied` are the nodes that act by it. None of them may have work running that it cut
    /// (promise G2).
    pub(super) fn returned(&mut self, token: usize, applied: &[String], now: Moment) {
        let state = self.tokens[token].states.last_mut().expect("it acted");
        state.returned = Some(now);
        let rights = state.rights;
        self.revocations += u64::from(rights == 0);
        self.mix(now ^ (1 << 61));
        let is_left = |work: &&Work| {
            work.token == token
                && work.is_running
                && !work.hangs
                && work.right & rights == 0
                && applied.contains(&work.node)
        };
        let left: Vec<String> = self
            .works
            .iter()
            .filter(is_left)
            .map(|work| work.node.clone())
            .collect();
        for node in left {
            self.violation(
                token,
                now,
                &format!("an act returned, and {node} has work running that it cut"),
            );
        }
    }

    pub(super) fn violation(&mut self, token: usize, now: Moment, what: &str) {
        let states = &self.tokens[token].states;
        self.violations
            .push(format!("at {now}, token {token}: {what}; {states:?}"));
    }

    fn mix(&mut self, value: u64) {
        self.digest = (self.digest ^ value)
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(23);
    }
}
