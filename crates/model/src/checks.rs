//! Checks: a scope or a mutant put to the checker, and what came of it.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::promises::SEEN;
use crate::{Mutant, Promise, Protocol, Scope, Step};

/// A scope in which every state was visited.
#[derive(Debug)]
pub struct Verdict {
    /// Which scope.
    pub scope: Scope,
    /// Different states.
    pub states: usize,
    /// Steps taken between them.
    pub steps: usize,
    /// The steps to the farthest state.
    pub depth: usize,
    /// How long that took.
    pub took: Duration,
    /// The promises that were broken, with the steps that led there.
    pub broken: Vec<(Promise, String)>,
    /// What the scope was to show and did not.
    pub unseen: Vec<&'static str>,
}

/// A mutant, and how it was found.
#[derive(Debug)]
pub struct Find {
    /// The mutant, in its scope.
    pub protocol: Protocol,
    /// Different states in its scope.
    pub states: usize,
    /// Every promise that it breaks.
    pub breaks: Vec<Promise>,
    /// The shortest way to break the first of them.
    pub steps: Vec<Step>,
}

/// Farther than any shortest trace: a mutant that is not found by then is not found.
const FAR: usize = 40;

/// Visits every state of a scope.
#[must_use]
pub fn check(scope: Scope, threads: usize) -> Verdict {
    let began = Instant::now();
    let protocol = Protocol { scope, mutant: None };
    let checker = protocol
        .checker()
        .threads(threads)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let took = began.elapsed();
    let discoveries = checker.discoveries();
    let broken = Promise::ALL.into_iter().filter_map(|promise| {
        let path = discoveries.get(promise.name())?.clone();
        Some((promise, trace(checker.model(), &path.into_actions())))
    });
    Verdict {
        scope,
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        took,
        broken: broken.collect(),
        unseen: SEEN
            .into_iter()
            .filter(|seen| !discoveries.contains_key(seen))
            .collect(),
    }
}

/// Visits every state of a mutant's scope, and then as few as possible for a trace. `None` if it breaks nothing.
#[must_use]
pub fn find(mutant: Mutant) -> Option<Find> {
    find_in(mutant.scope(), mutant)
}

/// The same in another scope.
#[must_use]
pub fn find_in(scope: Scope, mutant: Mutant) -> Option<Find> {
    let protocol = Protocol {
        scope,
        mutant: Some(mutant),
    };
    let checker = protocol
        .clone()
        .checker()
        .finish_when(HasDiscoveries::AllFailures)
        .spawn_bfs()
        .join();
    let discoveries = checker.discoveries();
    let breaks: Vec<Promise> = Promise::ALL
        .into_iter()
        .filter(|promise| discoveries.contains_key(promise.name()))
        .collect();
    let first = breaks.first()?;
    Some(Find {
        states: checker.unique_state_count(),
        steps: shortest(&protocol, *first)?,
        breaks,
        protocol,
    })
}

/// Searches farther and farther: the checker itself remembers the last trace that it came upon.
fn shortest(protocol: &Protocol, promise: Promise) -> Option<Vec<Step>> {
    (1..FAR).find_map(|depth| {
        let checker = protocol
            .clone()
            .checker()
            .finish_when(HasDiscoveries::AnyOf(BTreeSet::from([promise.name()])))
            .target_max_depth(depth)
            .spawn_bfs()
            .join();
        let path = checker.discoveries().remove(promise.name())?;
        Some(path.into_actions())
    })
}

/// The steps, one line each.
fn trace(protocol: &Protocol, steps: &[Step]) -> String {
    let mut text = String::new();
    for (number, step) in steps.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:>2}. {}", number + 1, protocol.tell(*step));
    }
    text
}

impl Verdict {
    /// Whether nothing was broken, and everything seen that was to be seen.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken.is_empty() && self.unseen.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scope,
            states,
            steps,
            depth,
            took,
            ..
        } = self;
        let seconds = took.as_secs_f64();
        let verdict = if self.holds() { "holds" } else { "DOES NOT HOLD" };
        write!(
            f,
            "{verdict}: {}: {states} states, {steps} steps, depth {depth}, {seconds:.1} s",
            scope.name
        )?;
        for (promise, trace) in &self.broken {
            write!(f, "\n  broken: {promise}\n{trace}")?;
        }
        for unseen in &self.unseen {
            write!(f, "\n  never seen: {unseen}")?;
        }
        Ok(())
    }
}

impl Find {
    /// How it breaks the first of its promises, one line for each step.
    #[must_use]
    pub fn trace(&self) -> String {
        trace(&self.protocol, &self.steps)
    }
}

impl fmt::Display for Find {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let breaks: Vec<&str> = self.breaks.iter().map(|promise| promise.name()).collect();
        let mutant = self.protocol.mutant.map_or("no mutant", Mutant::name);
        write!(
            f,
            "found: {mutant}: breaks {} in {} steps; {}, {} states",
            breaks.join(", "),
            self.steps.len(),
            self.protocol.scope.name,
            self.states
        )
    }
}
