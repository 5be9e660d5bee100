//! The tokens that clients know of, and who is about to act on which.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rescind_testkit::SeededRng;

use crate::histories::{Kind, NodeNumber, PersonNumber, Rights, Token, TokenNumber};

/// What all clients share.
pub(crate) struct Population {
    state: Mutex<State>,
    /// For each node, tokens to be tried there at once, because something has just become certain about them.
    urgent: Vec<Mutex<VecDeque<TokenNumber>>>,
    /// For each node, tokens that are about to be revoked: for whoever writes slowly, and for whoever reads for long.
    doomed: Vec<[Mutex<VecDeque<TokenNumber>>; 2]>,
}

/// What is begun with a token that is about to be revoked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// A slow upload.
    Upload,
    /// A query without end.
    Stream,
}

#[derive(Default)]
struct State {
    tokens: Vec<Entry>,
    /// Tokens that were made, are not revoked, and that nobody acts on.
    free: Vec<TokenNumber>,
    /// Tokens that hold, and that somebody keeps for acts of its own.
    held: Vec<TokenNumber>,
    /// Tokens that are to be revoked together: how many were asked for, and those that were made.
    crowds: Vec<(usize, Vec<TokenNumber>)>,
    /// Tokens that somebody acts on or has just acted on.
    hot: VecDeque<TokenNumber>,
}

struct Entry {
    token: Token,
    secret: Option<String>,
    rights: Rights,
    /// Whether every node is known to refuse it.
    is_ended: bool,
}

/// A token as a client presents it.
#[derive(Clone)]
pub(crate) struct Presented {
    /// Which.
    pub(crate) number: TokenNumber,
    /// What kind.
    pub(crate) kind: Kind,
    /// Its secret.
    pub(crate) secret: String,
}

/// A token that one client alone acts on.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    /// Which.
    pub(crate) number: TokenNumber,
    /// Its id.
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: String,
    /// What kind.
    pub(crate) kind: Kind,
    /// What it may do, as far as is known.
    pub(crate) rights: Rights,
}

/// How many tokens are hot.
const HOT: usize = 24;
/// How many tokens may wait to be tried at one node: one that is away must not pile them up.
const URGENT: usize = 64;

impl Population {
    /// Nobody yet, on so many nodes.
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            state: Mutex::default(),
            urgent: (0..nodes).map(|_| Mutex::default()).collect(),
            doomed: (0..nodes).map(|_| <[Mutex<_>; 2]>::default()).collect(),
        }
    }

    /// A token that somebody is about to ask for.
    pub(crate) fn ask(&self, kind: Kind) -> TokenNumber {
        self.ask_for(kind, None)
    }

    /// A session that this person is about to begin.
    pub(crate) fn ask_for(&self, kind: Kind, owner: Option<PersonNumber>) -> TokenNumber {
        let mut state = self.state();
        state.tokens.push(Entry {
            token: Token {
                kind,
                id: None,
                owner,
            },
            secret: None,
            rights: Rights::default(),
            is_ended: false,
        });
        state.tokens.len() - 1
    }

    /// The next crowd that lacks a token, which the caller makes.
    pub(crate) fn crowd_with_room(&self, sizes: &[usize]) -> Option<usize> {
        let mut state = self.state();
        state.crowds.resize(sizes.len(), (0, Vec::new()));
        let crowds = state.crowds.iter_mut().zip(sizes).enumerate();
        for (number, ((asked, _), size)) in crowds {
            if *asked < *size {
                *asked += 1;
                return Some(number);
            }
        }
        None
    }

    /// A token of this crowd was made.
    pub(crate) fn join(&self, crowd: usize, number: TokenNumber) {
        let mut state = self.state();
        state.held.push(number);
        state.crowds[crowd].1.push(number);
    }

    /// Every token of this crowd, with its id.
    pub(crate) fn crowd(&self, crowd: usize) -> Vec<(TokenNumber, String)> {
        let state = self.state();
        let members = state.crowds.get(crowd).into_iter().flat_map(|(_, made)| made);
        members
            .filter_map(|number| Some((*number, state.tokens[*number].token.id.clone()?)))
            .collect()
    }

    /// It was made. Without an id nobody looks for it in lists.
    pub(crate) fn made(&self, number: TokenNumber, id: Option<String>, secret: String) {
        let mut state = self.state();
        let entry = &mut state.tokens[number];
        entry.token.id = id;
        entry.secret = Some(secret);
    }

    /// Takes a token of one of these kinds to act on.
    pub(crate) fn claim(&self, rng: &SeededRng, wanted: &[Kind]) -> Option<Claimed> {
        let mut state = self.state();
        let fitting: Vec<usize> = (0..state.free.len())
            .filter(|index| wanted.contains(&state.tokens[state.free[*index]].token.kind))
            .collect();
        let chosen = *fitting.get(pick(rng, fitting.len()))?;
        let number = state.free.swap_remove(chosen);
        let Entry {
            token,
            secret,
            rights,
            ..
        } = &state.tokens[number];
        Some(Claimed {
            number,
            id: token.id.clone()?,
            secret: secret.clone()?,
            kind: token.kind,
            rights: *rights,
        })
    }

    /// Gives it back.
    pub(crate) fn release(&self, number: TokenNumber, rights: Rights) {
        let mut state = self.state();
        state.tokens[number].rights = rights;
        state.free.push(number);
    }

    /// Keeps it for acts of the caller's own.
    pub(crate) fn hold(&self, number: TokenNumber) {
        self.state().held.push(number);
    }

    /// Every node is known to refuse it.
    pub(crate) fn end(&self, number: TokenNumber) {
        let mut state = self.state();
        state.tokens[number].is_ended = true;
        state.held.retain(|held| *held != number);
    }

    /// Whether every node is known to refuse it.
    pub(crate) fn is_ended(&self, number: TokenNumber) -> bool {
        self.state().tokens[number].is_ended
    }

    /// How many tokens of this kind are free.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        let state = self.state();
        let fitting = state
            .free
            .iter()
            .filter(|number| state.tokens[**number].token.kind == kind);
        fitting.count()
    }

    /// Something happens to it: it is worth trying often.
    pub(crate) fn heat(&self, number: TokenNumber) {
        let mut state = self.state();
        state.hot.push_back(number);
        if state.hot.len() > HOT {
            state.hot.pop_front();
        }
    }

    /// Something has become certain about it: it is worth trying everywhere, now.
    pub(crate) fn urge(&self, number: TokenNumber) {
        for urgent in &self.urgent {
            push(urgent, number, URGENT);
        }
    }

    /// It is about to be revoked: whoever begins long work with it should do so now.
    pub(crate) fn doom(&self, number: TokenNumber) {
        for doomed in self.doomed.iter().flatten() {
            push(doomed, number, 1);
        }
    }

    /// A token for long work at this node.
    pub(crate) fn doomed(&self, node: NodeNumber, work: Work) -> Option<Presented> {
        let number = lock(&self.doomed[node][work as usize]).pop_front()?;
        self.state().presented(number)
    }

    /// A token to try at this node at once.
    pub(crate) fn urgent(&self, node: NodeNumber) -> Option<Presented> {
        let number = lock(&self.urgent[node]).pop_front()?;
        self.state().presented(number)
    }

    /// A token to try: often a hot one, mostly one that holds, sometimes any.
    pub(crate) fn any(&self, rng: &SeededRng) -> Option<Presented> {
        let state = self.state();
        let choice = match rng.below(10) {
            0..=2 => state.hot.get(pick(rng, state.hot.len())).copied(),
            3..=4 => state.held.get(pick(rng, state.held.len())).copied(),
            5..=8 => state.free.get(pick(rng, state.free.len())).copied(),
            _ => Some(pick(rng, state.tokens.len())),
        };
        state.presented(choice?)
    }

    /// All tokens whose secret is known.
    pub(crate) fn all(&self) -> Vec<Presented> {
        let state = self.state();
        (0..state.tokens.len())
            .filter_map(|number| state.presented(number))
            .collect()
    }

    /// All tokens that were asked for, for the checker.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        self.state()
            .tokens
            .iter()
            .map(|entry| entry.token.clone())
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn presented(&self, number: TokenNumber) -> Option<Presented> {
        let entry = self.tokens.get(number)?;
        Some(Presented {
            number,
            kind: entry.token.kind,
            secret: entry.secret.clone()?,
        })
    }
}

/// Adds to a queue that forgets its oldest beyond `most`.
fn push(queue: &Mutex<VecDeque<TokenNumber>>, number: TokenNumber, most: usize) {
    let mut queue = lock(queue);
    queue.push_back(number);
    if queue.len() > most {
        queue.pop_front();
    }
}

/// An index below `count`; 0 where there is none.
pub(crate) fn pick(rng: &SeededRng, count: usize) -> usize {
    usize::try_from(rng.below(count.max(1) as u64)).unwrap_or(0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
