//! What a run is made of.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rescind_testkit::SeededRng;

use crate::checker::Limits;
use crate::faults::Planned;
use crate::populations::pick;

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Decides which faults happen when, and what clients do next.
    pub seed: u64,
    /// How long faults begin.
    pub storm: Duration,
    /// The term of a lease.
    pub ttl: Duration,
    /// How many database tokens there are, beside those of crowds.
    pub tokens: usize,
    /// Database tokens that are revoked together, once: how many each time.
    pub crowds: Vec<usize>,
    /// Whether all nodes start at once, on an empty catalog.
    pub at_once: bool,
    /// The node whose wall clock is wrong, and by how many seconds.
    pub wrong_time: Option<(usize, i64)>,
    /// The node whose queries end late when they are cut.
    pub lingering: Option<usize>,
    /// More arguments for each node; as many nodes as there are lists.
    pub nodes: Vec<Vec<String>>,
    /// Faults instead of those of the seed.
    pub plan: Option<Vec<Planned>>,
    /// How many of the nodes, from the first, are asked for acts; the others only admit.
    pub asked: usize,
    /// Told how it goes.
    pub tell: fn(&str),
    /// Where the history and the logs go when something is wrong.
    pub out: PathBuf,
}

/// What a busy machine may add to any answer.
pub(crate) const SLACK: Duration = Duration::from_secs(5);
/// After so long PostgreSQL gives the transaction of a node up that it does not hear of.
const HOLD: Duration = Duration::from_secs(5);
/// How long queries of a node go on that are cut, where they do: less than an act waits for them.
const LINGER: &str = "1s";
/// In seconds.
const DAY: i64 = 24 * 60 * 60;

impl Setup {
    /// How many nodes there are.
    pub const NODES: usize = 3;
    /// Crowds that make bulk revocations worth the name.
    pub const LARGE_CROWDS: [usize; 4] = [2_500, 400, 200, 100];

    /// Terms between one and three seconds, three sound nodes with clocks of different rates and sometimes a wrong wall
    /// clock, 800 tokens and some crowds.
    pub fn new(seed: u64, storm: Duration, out: PathBuf) -> Self {
        let rng = SeededRng::new(seed);
        // The bound is one in a hundred either way.
        let rate = || 1.0 + (rng.below(181) as f64 - 90.0) / 10_000.0;
        let at_once = rng.below(2) == 0;
        // The first node makes the people who are there in the beginning.
        let wrong = 1 + pick(&rng, Self::NODES - 1);
        let wrong_time = [None, None, Some((wrong, 3 * DAY)), Some((wrong, -5 * DAY))][pick(&rng, 4)];
        let lingering = [None, None, None, Some(pick(&rng, Self::NODES))][pick(&rng, 4)];
        Self {
            seed,
            storm,
            ttl: Duration::from_secs(1 + rng.below(3)),
            tokens: 800,
            crowds: vec![120, 40, 40],
            at_once,
            wrong_time,
            lingering,
            nodes: (0..Self::NODES)
                .map(|_| vec!["--clock-rate".to_owned(), rate().to_string()])
                .collect(),
            plan: None,
            asked: Self::NODES,
            tell: |_| {},
            out,
        }
    }

    /// How long things may take.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            ttl: self.ttl,
            slack: SLACK,
            hold: HOLD,
        }
    }

    /// All arguments of each node.
    pub(crate) fn arguments(&self) -> Vec<Vec<String>> {
        let ttl = format!("{}s", self.ttl.as_secs());
        let common = ["--lease-ttl", &ttl, "--log", "info"].map(str::to_owned);
        let all = |more: &Vec<String>| common.iter().chain(more).cloned().collect();
        let mut arguments: Vec<Vec<String>> = self.nodes.iter().map(all).collect();
        if let Some((node, seconds)) = self.wrong_time {
            arguments[node].push(format!("--clock-offset={seconds}"));
        }
        if let Some(node) = self.lingering {
            arguments[node].push(format!("--linger={LINGER}"));
        }
        arguments
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = if self.at_once {
            "at once"
        } else {
            "one after the other"
        };
        let (seed, nodes, ttl) = (self.seed, self.nodes.len(), self.ttl);
        write!(f, "seed {seed}, {nodes} nodes started {start}, terms of {ttl:?}")?;
        if let Some((node, seconds)) = self.wrong_time {
            write!(f, ", the clock of node {node} wrong by {} days", seconds / DAY)?;
        }
        match self.lingering {
            Some(node) => write!(f, ", queries of node {node} end late"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_draw_everything_that_a_round_can_begin_with() {
        let setups: Vec<_> = (0..64)
            .map(|seed| Setup::new(seed, Duration::ZERO, PathBuf::new()))
            .collect();
        let some = |is: fn(&Setup) -> bool| setups.iter().any(is) && !setups.iter().all(is);
        assert!(some(|setup| setup.at_once));
        for node in 0..Setup::NODES {
            let is_wrong = |setup: &Setup| setup.wrong_time.is_some_and(|(wrong, _)| wrong == node);
            assert_eq!(setups.iter().any(is_wrong), node > 0, "node {node}");
            assert!(setups.iter().any(|setup| setup.lingering == Some(node)));
        }
        let wrong = setups
            .iter()
            .find(|setup| setup.wrong_time.is_some())
            .expect("one");
        let told = wrong.arguments().concat().join(" ");
        assert!(told.contains("--clock-offset="), "{told}");
    }
}
