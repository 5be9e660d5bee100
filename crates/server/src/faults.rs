//! Faults that tests plant in a node, to see that others are safe from it and that checkers notice it. Not in releases.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rescind_authority::Sabotage;
use rescind_domain::Stopwatch;

/// What is wrong with this node.
#[derive(Debug, Default, Args)]
pub(crate) struct Faults {
    /// What it does wrong on purpose
    #[arg(long, value_name = "WHAT", value_enum, hide = true)]
    pub(crate) sabotage: Option<Wrong>,
    /// How fast its stopwatch runs: 1 is right
    #[arg(long, value_name = "RATE", value_parser = clock_rate, hide = true)]
    pub(crate) clock_rate: Option<f64>,
}

/// What a node may do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wrong {
    /// Acknowledges revocations, but does not apply them.
    IgnoreRevocations,
}

impl Faults {
    /// The wrong, in the words of who does it.
    pub(crate) fn sabotage(&self) -> Option<Sabotage> {
        self.sabotage.map(|wrong| match wrong {
            Wrong::IgnoreRevocations => Sabotage::IgnoreRevocations,
        })
    }

    /// `stopwatch`, at the rate that was asked for.
    pub(crate) fn skew(&self, stopwatch: Arc<dyn Stopwatch>) -> Arc<dyn Stopwatch> {
        match self.clock_rate {
            Some(rate) => Arc::new(Skewed {
                began: stopwatch.elapsed(),
                stopwatch,
                rate,
            }),
            None => stopwatch,
        }
    }
}

/// A stopwatch that runs too fast or too slowly from the moment it was made.
struct Skewed {
    stopwatch: Arc<dyn Stopwatch>,
    began: Duration,
    rate: f64,
}

impl Stopwatch for Skewed {
    fn elapsed(&self) -> Duration {
        let since = self.stopwatch.elapsed().saturating_sub(self.began);
        self.began + since.mul_f64(self.rate)
    }
}

fn clock_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.5..=2.0).contains(&rate) => Ok(rate),
        _ => Err("must be a number between 0.5 and 2.0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescind_testkit::FrozenStopwatch;

    #[test]
    fn a_skewed_stopwatch_runs_at_its_rate() {
        let frozen = Arc::new(FrozenStopwatch::default());
        let faults = Faults {
            clock_rate: Some(0.5),
            ..Faults::default()
        };
        let skewed = faults.skew(Arc::clone(&frozen) as Arc<dyn Stopwatch>);
        let began = skewed.elapsed();
        frozen.advance(Duration::from_secs(4));
        assert_eq!(skewed.elapsed() - began, Duration::from_secs(2));
    }

    #[test]
    fn absurd_rates_are_refused() {
        assert_eq!(clock_rate("1.01"), Ok(1.01));
        for text in ["0", "0.49", "2.1", "NaN", "fast"] {
            assert!(clock_rate(text).is_err(), "{text}");
        }
    }
}
