//! Refusals in the log: a few lines per second and reason, and one that counts the rest.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::Counter;
use parking_lot::Mutex;
use rescind_domain::redact;

use crate::endpoints::Endpoint;

/// The words of `Refusal::reason`.
const REASONS: [&str; 8] = [
    "missing",
    "malformed",
    "unknown",
    "revoked",
    "expired",
    "wrong_kind",
    "forbidden",
    "unavailable",
];

/// How many lines per reason and [`WINDOW`].
const LINES: u32 = 3;
const WINDOW: Duration = Duration::from_secs(1);

/// Who was refused. Says nothing of the token that was presented.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client<'a> {
    pub(crate) address: Option<SocketAddr>,
    pub(crate) user_agent: &'a str,
}

/// Counts refusals and logs a sample of them.
pub(crate) struct Refusals {
    by_reason: Arc<[Reason]>,
}

struct Reason {
    word: &'static str,
    counter: Counter,
    sample: Mutex<Sample>,
}

impl Refusals {
    pub(crate) fn new() -> Self {
        let of = |word| Reason {
            word,
            counter: metrics::counter!("rescind_requests_refused_total", "reason" => word),
            sample: Mutex::new(Sample::new(Instant::now())),
        };
        Self {
            by_reason: REASONS.map(of).into(),
        }
    }

    /// Notes one refusal. Call it on a runtime: what a flood hides is told by a task of its own, a moment later.
    pub(crate) fn note(&self, word: &str, endpoint: Endpoint, message: &str, client: Client<'_>) {
        let Some(at) = self.by_reason.iter().position(|reason| reason.word == word) else {
            return;
        };
        let reason = &self.by_reason[at];
        reason.counter.increment(1);
        let fate = reason.sample.lock().note(Instant::now());
        match fate {
            Fate::Logged => {
                let client_address = client.address.map(tracing::field::display);
                // Clients put tokens where names belong (promise G6).
                let message = redact(message);
                let user_agent: String = redact(client.user_agent).chars().take(120).collect();
                tracing::warn!(
                    reason = word,
                    endpoint = endpoint.path(),
                    client_address,
                    ?user_agent,
                    "refused: {message}"
                );
            }
            Fate::FirstHidden => {
                let reasons = Arc::clone(&self.by_reason);
                tokio::spawn(async move {
                    tokio::time::sleep(WINDOW).await;
                    let hidden = reasons[at].sample.lock().take_hidden();
                    tracing::warn!(reason = reasons[at].word, "{hidden} further refusals");
                });
            }
            Fate::Hidden => {}
        }
    }
}

/// What becomes of one refusal in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Logged,
    /// Hidden, and somebody has to tell of it.
    FirstHidden,
    /// Hidden, and somebody will.
    Hidden,
}

struct Sample {
    began: Instant,
    logged: u32,
    hidden: u64,
}

impl Sample {
    const fn new(now: Instant) -> Self {
        Self {
            began: now,
            logged: 0,
            hidden: 0,
        }
    }

    fn note(&mut self, now: Instant) -> Fate {
        if now.saturating_duration_since(self.began) >= WINDOW {
            (self.began, self.logged) = (now, 0);
        }
        if self.logged < LINES {
            self.logged += 1;
            return Fate::Logged;
        }
        self.hidden += 1;
        if self.hidden == 1 {
            Fate::FirstHidden
        } else {
            Fate::Hidden
        }
    }

    fn take_hidden(&mut self) -> u64 {
        std::mem::take(&mut self.hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_in_few_lines() {
        let start = Instant::now();
        let mut sample = Sample::new(start);
        let fates: Vec<_> = (0..6).map(|_| sample.note(start)).collect();
        use Fate::{FirstHidden, Hidden, Logged};
        assert_eq!(fates, [Logged, Logged, Logged, FirstHidden, Hidden, Hidden]);
        // The next window begins before the first one's rest is told: it is told once, with what joined it.
        let later = start + WINDOW;
        let fates: Vec<_> = (0..4).map(|_| sample.note(later)).collect();
        assert_eq!(fates, [Logged, Logged, Logged, Hidden]);
        assert_eq!(sample.take_hidden(), 4);
        assert_eq!(sample.note(later), FirstHidden);
    }
}
