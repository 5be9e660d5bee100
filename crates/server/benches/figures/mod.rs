//! What every benchmark of the workspace prints: one table of values beside the floor of the same run.
//!
//! Shared by path, because it is no part of any crate.

use std::time::Duration;

/// A table in Markdown, so that a run can be put into `docs/BENCHMARKS.md` as it is.
pub(crate) struct Table {
    title: String,
    rows: Vec<[String; 5]>,
}

impl Table {
    /// An empty one.
    pub(crate) fn new(title: &str) -> Self {
        let header = ["what", "value", "floor", "ratio", "aim"].map(str::to_owned);
        Self {
            title: title.to_owned(),
            rows: vec![header],
        }
    }

    /// Adds one line; an empty text is a dash.
    pub(crate) fn row(&mut self, what: &str, value: &str, floor: &str, ratio: &str, aim: &str) {
        let cells = [what, value, floor, ratio, aim].map(|text| if text.is_empty() { "–" } else { text });
        self.rows.push(cells.map(str::to_owned));
    }

    /// Shows it on stdout.
    #[expect(clippy::print_stdout, reason = "a benchmark reports on stdout")]
    pub(crate) fn print(&self) {
        let width = |column: usize| {
            let lengths = self.rows.iter().map(|row| row[column].chars().count());
            lengths.max().unwrap_or_default()
        };
        println!("\n{}\n", self.title);
        for (index, row) in self.rows.iter().enumerate() {
            let cells: Vec<String> = (0..5)
                .map(|column| format!("{:<1$}", row[column], width(column)))
                .collect();
            println!("| {} |", cells.join(" | "));
            if index == 0 {
                let rules: Vec<String> = (0..5).map(|column| "-".repeat(width(column) + 2)).collect();
                println!("|{}|", rules.join("|"));
            }
        }
    }
}

/// Measurements of one thing, in order of size.
#[derive(Clone, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// The value below which this share of the measurements lies.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let index = (share * last as f64).round() as usize;
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

/// Durations become seconds.
impl FromIterator<Duration> for Sample {
    fn from_iter<I: IntoIterator<Item = Duration>>(values: I) -> Self {
        values.into_iter().map(|value| value.as_secs_f64()).collect()
    }
}
