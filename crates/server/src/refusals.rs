//! Refusals of the management API in the log: a few lines a second, and how many were left out. Whoever guesses at
//! tokens must not fill the disk.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::counter;

/// How many lines per [`WINDOW`].
const LINES: u32 = 3;
const WINDOW: Duration = Duration::from_secs(1);
/// Characters of a client's own words that are shown.
const MAX_WORDS: usize = 80;

/// Who was refused, and what it asked for. Says nothing of the token that was presented.
pub(crate) struct Refused<'a> {
    /// Why, in one word.
    pub(crate) reason: &'static str,
    /// The method.
    pub(crate) method: &'a str,
    /// The client's address.
    pub(crate) peer: Option<SocketAddr>,
    /// What the client calls itself.
    pub(crate) user_agent: &'a str,
}

/// Counts refusals and logs a sample of them.
#[derive(Debug)]
pub(crate) struct Refusals(Mutex<Sample>);

#[derive(Debug)]
struct Sample {
    since: Instant,
    shown: u32,
    hidden: u64,
}

impl Refusals {
    /// Begins to count.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Sample {
            since: Instant::now(),
            shown: 0,
            hidden: 0,
        }))
    }

    /// Notes one refusal.
    pub(crate) fn note(&self, refused: &Refused<'_>) {
        counter!("rescind_management_refused_total", "reason" => refused.reason).increment(1);
        let turn = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next(Instant::now());
        let Some(hidden) = turn else {
            return;
        };
        let Refused {
            reason,
            method,
            peer,
            user_agent,
        } = refused;
        let client_address = peer.map(|peer| peer.to_string());
        let user_agent: String = user_agent.chars().take(MAX_WORDS).collect();
        tracing::warn!(
            reason,
            method,
            client_address,
            user_agent,
            hidden,
            "refused by the management API"
        );
    }
}

impl Sample {
    /// How many were hidden since the last line, if this one is to be shown.
    fn next(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.since) >= WINDOW {
            (self.since, self.shown) = (now, 0);
        }
        if self.shown == LINES {
            self.hidden += 1;
            return None;
        }
        self.shown += 1;
        Some(std::mem::take(&mut self.hidden))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_that_say_how_much_they_leave_out() {
        let start = Instant::now();
        let mut sample = Sample {
            since: start,
            shown: 0,
            hidden: 0,
        };
        let first: Vec<_> = (0..100).map(|_| sample.next(start)).collect();
        assert_eq!(first[..4], [Some(0), Some(0), Some(0), None]);
        assert_eq!(first.iter().flatten().count(), 3);
        assert_eq!(sample.next(start + WINDOW), Some(97));
        assert_eq!(sample.next(start + WINDOW), Some(0));
    }
}
