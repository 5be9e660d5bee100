//! A tally of what the metrics count, kept where this process can read it back: the exporter only prints.
//!
//! It stands before the exporter and passes everything on. Five things are counted here as well, one addition each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use metrics_exporter_prometheus::PrometheusRecorder;
use rescind_ui::{Counters, Distribution};

/// The histogram of revocations, of every face; the authority records it.
pub(crate) const REVOCATIONS: &str = "rescind_revoke_seconds";

/// From half a millisecond, which a fast disk needs, to a lease term and more.
pub(crate) const SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 10.0,
];

/// [`rescind_authority::Refusal::reason`], every one.
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

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    admitted: Arc<AtomicU64>,
    refused: [Arc<AtomicU64>; REASONS.len()],
    writes: Arc<AtomicU64>,
    queries: Arc<AtomicU64>,
    bytes_written: Arc<AtomicU64>,
    revocations: Arc<Buckets>,
}

/// How many values were at most each bound, and above the last.
#[derive(Debug, Default)]
struct Buckets([AtomicU64; SECONDS.len() + 1]);

impl Tally {
    /// What was counted until now.
    pub(crate) fn counters(&self) -> Counters {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let refused = REASONS.iter().zip(&self.refused);
        let refused: BTreeMap<_, _> = refused
            .map(|(reason, count)| (*reason, read(count)))
            .filter(|(_, count)| *count > 0)
            .collect();
        Counters {
            admitted: read(&self.admitted),
            refused,
            writes: read(&self.writes),
            queries: read(&self.queries),
            bytes_written: read(&self.bytes_written),
        }
    }

    /// How long revocations took.
    pub(crate) fn revocations(&self) -> Distribution {
        let counts: Vec<u64> = self
            .revocations
            .0
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let bounds = SECONDS.iter().map(|bound| Duration::from_secs_f64(*bound));
        Distribution {
            buckets: bounds.zip(counts.iter().copied()).collect(),
            beyond: counts.last().copied().unwrap_or_default(),
        }
    }

    fn count_of(&self, key: &Key) -> Option<&Arc<AtomicU64>> {
        let label = |name: &str| {
            key.labels()
                .find(|label| label.key() == name)
                .map(|label| label.value())
        };
        match key.name() {
            "rescind_requests_admitted_total" => Some(&self.admitted),
            "rescind_requests_refused_total" => {
                let place = REASONS
                    .iter()
                    .position(|reason| label("reason") == Some(reason))?;
                self.refused.get(place)
            }
            "rescind_writes_total" if label("outcome") != Some("failed") => Some(&self.writes),
            "rescind_queries_total" if label("outcome") == Some("answered") => Some(&self.queries),
            "rescind_write_bytes_total" => Some(&self.bytes_written),
            _ => None,
        }
    }
}

/// Counts for the tally and for the exporter.
pub(crate) struct Tallying {
    /// What prints.
    pub(crate) exporter: PrometheusRecorder,
    /// What is read back.
    pub(crate) tally: Arc<Tally>,
}

impl Recorder for Tallying {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.exporter.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.exporter.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.exporter.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let printed = self.exporter.register_counter(key, metadata);
        match self.tally.count_of(key) {
            None => printed,
            Some(count) => Counter::from_arc(Arc::new(Both {
                printed,
                read: Arc::clone(count),
            })),
        }
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.exporter.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let printed = self.exporter.register_histogram(key, metadata);
        match key.name() {
            REVOCATIONS => Histogram::from_arc(Arc::new(Both {
                printed,
                read: Arc::clone(&self.tally.revocations),
            })),
            _ => printed,
        }
    }
}

struct Both<P, R> {
    printed: P,
    read: Arc<R>,
}

impl CounterFn for Both<Counter, AtomicU64> {
    fn increment(&self, value: u64) {
        self.printed.increment(value);
        self.read.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.printed.absolute(value);
        self.read.fetch_max(value, Ordering::Relaxed);
    }
}

impl HistogramFn for Both<Histogram, Buckets> {
    fn record(&self, value: f64) {
        self.printed.record(value);
        let bucket = SECONDS.partition_point(|bound| *bound < value);
        self.read.0[bucket].fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::{counter, histogram, with_local_recorder};
    use metrics_exporter_prometheus::PrometheusBuilder;
    use rescind_authority::Refusal;

    #[test]
    fn what_is_printed_is_also_read_back() {
        let exporter = PrometheusBuilder::new().build_recorder();
        let (printed, tally) = (exporter.handle(), Arc::new(Tally::default()));
        let recorder = Tallying {
            exporter,
            tally: Arc::clone(&tally),
        };
        with_local_recorder(&recorder, || {
            counter!("rescind_requests_admitted_total", "endpoint" => "/a").increment(2);
            counter!("rescind_requests_admitted_total", "endpoint" => "/b").increment(3);
            counter!("rescind_requests_refused_total", "reason" => Refusal::Revoked.reason()).increment(7);
            for (outcome, count) in [("stored", 1), ("partial", 2), ("failed", 4)] {
                counter!("rescind_writes_total", "outcome" => outcome).increment(count);
            }
            counter!("rescind_queries_total", "outcome" => "cut").increment(1);
            counter!("rescind_queries_total", "outcome" => "answered").increment(1);
            counter!("rescind_write_bytes_total").increment(100);
            for seconds in [0.0005, 0.0006, 60.0] {
                histogram!(REVOCATIONS).record(seconds);
            }
        });
        let counters = tally.counters();
        assert_eq!(
            counters,
            Counters {
                admitted: 5,
                refused: BTreeMap::from([("revoked", 7)]),
                writes: 3,
                queries: 1,
                bytes_written: 100,
            }
        );
        let revocations = tally.revocations();
        assert_eq!(revocations.beyond, 1);
        let first: Vec<u64> = revocations
            .buckets
            .iter()
            .map(|(_, count)| *count)
            .take(3)
            .collect();
        assert_eq!(first, [1, 1, 0]);
        assert!(
            printed
                .render()
                .contains(r#"rescind_requests_admitted_total{endpoint="/b"} 3"#)
        );
    }
}
