//! Faults that tests plant in a node, to see that others are safe from it and that checkers notice it. Not in releases.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rescind_authority::Sabotage;
use rescind_domain::{Clock, Stopwatch, Timestamp};
use rescind_gateway::Upstream;

use crate::upstream::Lingering;
use crate::values::Span;

/// What is wrong with this node.
#[derive(Debug, Default, Args)]
pub(crate) struct Faults {
    /// What it does wrong on purpose
    #[arg(long, value_name = "WHAT", value_enum, hide = true)]
    pub(crate) sabotage: Option<Wrong>,
    /// How fast its stopwatch runs: 1 is right
    #[arg(long, value_name = "RATE", value_parser = clock_rate, hide = true)]
    pub(crate) clock_rate: Option<f64>,
    /// How many seconds its wall clock is ahead; behind, if negative
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, hide = true)]
    pub(crate) clock_offset: Option<i32>,
    /// For how long queries go on after they were cut
    #[arg(long, value_name = "SPAN", hide = true)]
    pub(crate) linger: Option<Span>,
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

    /// `upstream`, with the queries that were asked for.
    pub(crate) fn slow(&self, upstream: Arc<dyn Upstream>) -> Arc<dyn Upstream> {
        match self.linger {
            Some(Span(span)) => Arc::new(Lingering { upstream, span }),
            None => upstream,
        }
    }

    /// `clock`, as far ahead or behind as was asked for.
    pub(crate) fn shift(&self, clock: Arc<dyn Clock>) -> Arc<dyn Clock> {
        match self.clock_offset {
            Some(seconds) => Arc::new(Shifted {
                clock,
                micros: i64::from(seconds) * 1_000_000,
            }),
            None => clock,
        }
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

/// A wall clock that shows another time.
struct Shifted {
    clock: Arc<dyn Clock>,
    micros: i64,
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        self.clock.now().plus_micros(self.micros)
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
    use rescind_testkit::{FrozenClock, FrozenStopwatch};

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
    fn a_shifted_clock_is_behind_by_so_much() {
        let faults = Faults {
            clock_offset: Some(-3),
            ..Faults::default()
        };
        let shifted = faults.shift(Arc::new(FrozenClock::default()));
        assert_eq!(shifted.now(), FrozenClock::START.plus_micros(-3_000_000));
    }

    #[test]
    fn absurd_rates_are_refused() {
        assert_eq!(clock_rate("1.01"), Ok(1.01));
        for text in ["0", "0.49", "2.1", "NaN", "fast"] {
            assert!(clock_rate(text).is_err(), "{text}");
        }
    }
}
