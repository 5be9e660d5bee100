//! How the cluster does: what this process counted and used in the last hour, as charts.

use std::time::Duration;

use crate::charts::{Bars, Line, Lines, Series};
use crate::errors::Fault;
use crate::fields::Fields;
use crate::figures::{Distribution, Figures, Sample};
use crate::words::{bytes, grouped};

/// How far back charts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// What the address calls it.
    pub(super) key: &'static str,
    /// Its words.
    pub(super) label: &'static str,
    minutes: i64,
}

/// The ranges there are, the usual one first. Samples are kept for an hour.
pub(super) const RANGES: [Range; 3] = [
    Range {
        key: "1h",
        label: "Last Hour",
        minutes: 60,
    },
    Range {
        key: "15m",
        label: "Last 15 Minutes",
        minutes: 15,
    },
    Range {
        key: "5m",
        label: "Last 5 Minutes",
        minutes: 5,
    },
];

impl Range {
    /// The one that the address names, or the usual one.
    pub(super) fn read(query: &Fields) -> Self {
        let named = RANGES.into_iter().find(|range| range.key == query.text("range"));
        named.unwrap_or(RANGES[0])
    }
}

/// The charts, rendered, and what they do not show.
pub(super) struct Metrics {
    /// Empty while there are too few samples.
    pub(super) charts: Vec<String>,
    /// How long revocations took.
    pub(super) revocations: String,
    /// Why requests were refused since the process started, most frequent first.
    pub(super) refusals: Vec<String>,
}

impl Metrics {
    /// Those of `range`.
    pub(super) fn of(figures: &dyn Figures, range: Range) -> Result<Self, Fault> {
        let mut samples = figures.history();
        if let Some(last) = samples.last().map(|sample| sample.at) {
            // One more than fits: values are differences.
            let start = last.plus_micros(-range.minutes * 60_000_000);
            samples.retain(|sample| sample.at >= start);
        }
        let charts = if samples.len() > 2 {
            charts(&samples, figures.node().cpus)
                .iter()
                .map(Lines::render)
                .collect::<Result<_, _>>()?
        } else {
            Vec::new()
        };
        Ok(Self {
            charts,
            revocations: distribution(&figures.revocations()).render()?,
            refusals: refusals(figures),
        })
    }
}

fn refusals(figures: &dyn Figures) -> Vec<String> {
    let counters = figures.counters();
    let mut refused: Vec<(&str, u64)> = counters.refused.into_iter().collect();
    refused.sort_by_key(|(reason, number)| (std::cmp::Reverse(*number), *reason));
    refused
        .iter()
        .map(|(reason, number)| format!("{} {}", grouped(*number), reason.replace('_', " ")))
        .collect()
}

fn charts(samples: &[Sample], cpus: usize) -> [Lines; 5] {
    let moments: Vec<String> = samples
        .iter()
        .skip(1)
        .map(|sample| sample.at.to_rfc3339(0).chars().skip(11).take(5).collect())
        .collect();
    let line = |label, values| Line { label, values };
    let chart = |title: &str, unit, lines, shown| Lines {
        title: title.to_owned(),
        unit,
        lines,
        moments: moments.clone(),
        shown,
    };
    let counted = |of: fn(&Sample) -> u64| rates(samples, |sample| of(sample) as f64);
    let share = 100.0 / cpus.max(1) as f64;
    let cpu = rates(samples, |sample| sample.process.cpu_seconds * share);
    let memory = samples.iter().skip(1);
    let memory = memory.map(|sample| sample.process.resident_bytes as f64);
    [
        chart(
            "Requests",
            "per second, UTC",
            vec![
                line("Admitted", counted(|sample| sample.counters.admitted)),
                line("Refused", counted(|sample| sample.counters.refused_in_all())),
            ],
            decimal,
        ),
        chart(
            "Writes and Queries",
            "per second, UTC",
            vec![
                line("Writes", counted(|sample| sample.counters.writes)),
                line("Queries", counted(|sample| sample.counters.queries)),
            ],
            decimal,
        ),
        chart(
            "Ingest Line Protocol Rate",
            "bytes per second, UTC",
            vec![line(
                "Line protocol",
                counted(|sample| sample.counters.bytes_written),
            )],
            in_bytes,
        ),
        chart(
            "CPU Usage",
            "of all CPUs, by this node, UTC",
            vec![line("CPU", cpu)],
            percent,
        ),
        chart(
            "Memory Usage",
            "resident, of this node, UTC",
            vec![line("Memory", memory.collect())],
            in_bytes,
        ),
    ]
}

/// By how much a figure grew each second, from sample to sample.
fn rates(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Vec<f64> {
    let pairs = samples.windows(2);
    pairs
        .map(|pair| {
            let seconds = (pair[1].at.micros() - pair[0].at.micros()) as f64 / 1e6;
            let grown = of(&pair[1]) - of(&pair[0]);
            // A clock that was set back says nothing about a rate.
            if seconds > 0.0 {
                (grown / seconds).max(0.0)
            } else {
                0.0
            }
        })
        .collect()
}

fn decimal(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        small if small < 9.95 => format!("{small:.1}"),
        large => grouped(large.round() as u64),
    }
}

fn percent(value: f64) -> String {
    format!("{} %", decimal(value))
}

fn in_bytes(value: f64) -> String {
    bytes(value.round() as u64)
}

/// Bounds up to here are always drawn, those above only where something took so long.
const USUAL: Duration = Duration::from_millis(250);

fn distribution(times: &Distribution) -> Bars {
    let last = times.buckets.iter().rposition(|(_, number)| *number > 0);
    let drawn = times.buckets.iter().enumerate().filter(|(at, (bound, _))| {
        *bound <= USUAL || times.beyond > 0 || last.is_some_and(|last| *at <= last)
    });
    let mut values = Vec::new();
    let mut ticks = Vec::new();
    let mut rows = Vec::new();
    for (place, (_, (bound, number))) in drawn.enumerate() {
        ticks.push((place, short(*bound)));
        rows.push((format!("Up to {}", short(*bound)), vec![*number]));
        values.push(*number);
    }
    if times.beyond > 0 {
        ticks.push((values.len(), "more".to_owned()));
        rows.push(("More".to_owned(), vec![times.beyond]));
        values.push(times.beyond);
    }
    Bars {
        title: "Revocation Times".to_owned(),
        unit: "revocations, by time from request to receipt",
        series: vec![Series {
            label: "Revocations",
            values,
        }],
        ticks,
        axis: "Took",
        rows,
    }
}

/// `0.5 ms`, `25 ms`, `1 s`.
fn short(bound: Duration) -> String {
    match bound.as_micros() {
        micros if micros >= 1_000_000 => format!("{} s", micros / 1_000_000),
        micros if micros % 1_000 == 0 => format!("{} ms", micros / 1_000),
        micros => format!("{:.1} ms", micros as f64 / 1_000.0),
    }
}

impl Metrics {
    /// Why requests were refused, as a sentence.
    pub(super) fn refusals_in_words(&self) -> String {
        match self.refusals.as_slice() {
            [] => "No request was refused since this node started.".to_owned(),
            reasons => format!("Refused since this node started: {}.", reasons.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use rescind_domain::Timestamp;

    use super::*;
    use crate::figures::{Counters, Process};

    fn sample(seconds: i64, admitted: u64, cpu_seconds: f64) -> Sample {
        Sample {
            at: Timestamp::from_micros(seconds * 1_000_000),
            counters: Counters {
                admitted,
                ..Counters::default()
            },
            process: Process {
                cpu_seconds,
                resident_bytes: 1_000,
            },
        }
    }

    #[test]
    fn rates_are_per_second_and_never_negative() {
        let samples = [
            sample(0, 100, 0.0),
            sample(15, 130, 7.5),
            sample(30, 10, 15.0),
            sample(30, 90, 15.0),
        ];
        assert_eq!(
            rates(&samples, |sample| sample.counters.admitted as f64),
            [2.0, 0.0, 0.0]
        );
        let cpu = &charts(&samples, 2)[3].lines[0].values;
        assert_eq!(*cpu, [25.0, 25.0, 0.0]);
    }

    #[test]
    fn a_distribution_shows_what_is_usual_and_what_happened() {
        let bounds = [500, 25_000, 250_000, 1_000_000, 5_000_000].map(Duration::from_micros);
        let ticks = |numbers: [u64; 5], beyond| {
            let times = Distribution {
                buckets: bounds.into_iter().zip(numbers).collect(),
                beyond,
            };
            let words: Vec<String> = distribution(&times)
                .ticks
                .into_iter()
                .map(|(_, word)| word)
                .collect();
            words.join(", ")
        };
        assert_eq!(ticks([0; 5], 0), "0.5 ms, 25 ms, 250 ms");
        assert_eq!(ticks([1, 2, 0, 1, 0], 0), "0.5 ms, 25 ms, 250 ms, 1 s");
        assert_eq!(ticks([0; 5], 1), "0.5 ms, 25 ms, 250 ms, 1 s, 5 s, more");
    }
}
