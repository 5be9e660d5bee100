//! A client that revokes many tokens at once, by their ids or by what they have in common, and often does not wait for the
//! answer before it asks again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rescind_testkit::SeededRng;
use serde_json::json;

use crate::histories::{Change, Kind, Outcome, TokenNumber};
use crate::logbooks::{Logbook, Request, Site};
use crate::populations::{Population, pick};

/// One who evicts crowds.
pub(crate) struct Bailiff<'a> {
    site: &'a Site,
    population: &'a Population,
    rng: SeededRng,
    /// What it did.
    pub(crate) logbook: Logbook<'a>,
    is_over: &'a AtomicBool,
}

/// How often a client hangs up on its own request at most.
const HASTY: u64 = 2;

impl<'a> Bailiff<'a> {
    /// One who acts until `is_over`.
    pub(crate) const fn new(
        site: &'a Site,
        population: &'a Population,
        rng: SeededRng,
        logbook: Logbook<'a>,
        is_over: &'a AtomicBool,
    ) -> Self {
        Self {
            site,
            population,
            rng,
            logbook,
            is_over,
        }
    }

    /// Evicts so many crowds, one after the other, while the storm lasts.
    pub(crate) fn run(&mut self, crowds: usize, storm: Duration) {
        let begun = Instant::now();
        let share = storm / u32::try_from(crowds + 1).unwrap_or(u32::MAX);
        for crowd in 0..crowds {
            let percent = u32::try_from(50 + self.rng.below(50)).unwrap_or(100);
            let due = share * u32::try_from(crowd).unwrap_or(0) + share * percent / 100;
            while begun.elapsed() < due {
                if self.is_over.load(Ordering::SeqCst) {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
            self.evict(crowd);
        }
    }

    fn evict(&mut self, crowd: usize) {
        let members = self.population.crowd(crowd);
        let numbers: Vec<TokenNumber> = members.iter().map(|(number, _)| *number).collect();
        let Some(first) = numbers.first() else {
            return;
        };
        let body = match self.rng.below(2) {
            0 => json!({"filter": {"search": mark(crowd)}}),
            _ => json!({"ids": members.iter().map(|(_, id)| id).collect::<Vec<_>>()}),
        };
        let mut request = Request {
            method: "POST",
            path: format!("{}/revoke", self.site.tokens_path(Kind::Database)),
            body: body.to_string(),
            wait: None,
            patience: None,
        };
        self.population.doom(*first);
        thread::sleep(Duration::from_millis(100));
        let hasty = self.rng.below(HASTY + 1);
        for attempt in 0.. {
            request.patience = (attempt < hasty).then(|| Duration::from_millis(5 + self.rng.below(400)));
            request.wait = (attempt == 0 && self.rng.below(3) == 0).then_some(0);
            let node = pick(&self.rng, self.site.asked);
            let (outcome, _) = self.logbook.act(node, &numbers, Change::Revoke, &request);
            if outcome == (Outcome::Done { complete: true }) {
                for number in numbers {
                    self.population.end(number);
                    self.population.urge(number);
                }
                return;
            }
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            // Each attempt is written down for each token.
            thread::sleep(Duration::from_millis(
                20 + self.rng.below(100) + 20 * attempt.min(25),
            ));
        }
    }
}

/// What the descriptions of a crowd's tokens have in common, and no others.
pub(crate) fn mark(crowd: usize) -> String {
    format!("crowd-{crowd}-")
}
