//! Counters and histograms, looked up once: a recorder must be installed before the gateway is made.

use std::time::Instant;

use metrics::{Counter, Histogram};

use crate::endpoints::Endpoint;

/// What the gateway counts, but for refusals.
pub(crate) struct Meters {
    admitted: [Counter; Endpoint::ALL.len()],
    writes_stored: Counter,
    writes_partial: Counter,
    writes_failed: Counter,
    pub(crate) lines_stored: Counter,
    pub(crate) lines_rejected: Counter,
    pub(crate) bytes_received: Counter,
    write_seconds: Histogram,
    queries: [Counter; Ending::ALL.len()],
    query_seconds: Histogram,
}

/// How a write ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writing {
    Stored,
    Partial,
    Failed,
}

/// How a query ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The whole answer was made.
    Answered,
    /// It went wrong, before or after the first byte.
    Failed,
    /// The token was cut (promise G2).
    Cut,
    /// The client went away.
    Abandoned,
}

impl Ending {
    const ALL: [Self; 4] = [Self::Answered, Self::Failed, Self::Cut, Self::Abandoned];

    const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Cut => "cut",
            Self::Abandoned => "abandoned",
        }
    }
}

impl Meters {
    pub(crate) fn new() -> Self {
        let writes = |outcome| metrics::counter!("rescind_writes_total", "outcome" => outcome);
        Self {
            admitted: Endpoint::ALL
                .map(|endpoint| metrics::counter!("rescind_requests_admitted_total", "endpoint" => endpoint.path())),
            writes_stored: writes("stored"),
            writes_partial: writes("partial"),
            writes_failed: writes("failed"),
            lines_stored: metrics::counter!("rescind_write_lines_total"),
            lines_rejected: metrics::counter!("rescind_write_lines_rejected_total"),
            bytes_received: metrics::counter!("rescind_write_bytes_total"),
            write_seconds: metrics::histogram!("rescind_write_duration_seconds"),
            queries: Ending::ALL
                .map(|ending| metrics::counter!("rescind_queries_total", "outcome" => ending.word())),
            query_seconds: metrics::histogram!("rescind_query_duration_seconds"),
        }
    }

    pub(crate) fn note_admitted(&self, endpoint: Endpoint) {
        self.admitted[endpoint as usize].increment(1);
    }

    pub(crate) fn note_write(&self, how: Writing, began: Instant) {
        let counter = match how {
            Writing::Stored => &self.writes_stored,
            Writing::Partial => &self.writes_partial,
            Writing::Failed => &self.writes_failed,
        };
        counter.increment(1);
        self.write_seconds.record(began.elapsed());
    }

    pub(crate) fn note_query(&self, how: Ending, began: Instant) {
        self.queries[how as usize].increment(1);
        self.query_seconds.record(began.elapsed());
    }
}
