//! Bars: how often something happened, place by place.

use std::fmt::Write as _;

use askama::Template;

use super::{CEILING, FLOOR, LEFT, Mark, WIDTH, round_up};
use crate::errors::Fault;
use crate::words::grouped;

/// What is drawn, and what the table says.
pub(crate) struct Series {
    /// Its name in the legend.
    pub(crate) label: &'static str,
    /// One value for each place on the axis.
    pub(crate) values: Vec<u64>,
}

/// Bars over an axis. Several series are stacked.
pub(crate) struct Bars {
    /// Its title.
    pub(crate) title: String,
    /// What is counted, and per what: "requests per hour".
    pub(crate) unit: &'static str,
    /// At most two; all of one length.
    pub(crate) series: Vec<Series>,
    /// Places on the axis that carry words.
    pub(crate) ticks: Vec<(usize, String)>,
    /// The first column of the table.
    pub(crate) axis: &'static str,
    /// The rows of the table: words, and one value for each series.
    pub(crate) rows: Vec<(String, Vec<u64>)>,
}

/// One bar of the drawing, in its units.
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    class: &'static str,
    told: String,
}

#[derive(Template)]
#[template(path = "parts/bars.html")]
struct BarsView<'a> {
    chart: &'a Bars,
    summary: String,
    bars: Vec<Bar>,
    across: Vec<Mark>,
    along: Vec<Mark>,
}

impl Bars {
    /// As HTML.
    pub(crate) fn render(&self) -> Result<String, Fault> {
        let places = self.series.first().map_or(0, |series| series.values.len()).max(1);
        let sums = (0..places).map(|place| {
            self.series
                .iter()
                .filter_map(|series| series.values.get(place))
                .sum::<u64>()
        });
        let top = round_up(sums.clone().max().unwrap_or(0));
        let scale = (FLOOR - CEILING) / top as f64;
        let step = (WIDTH - LEFT) / places as f64;
        let total: u64 = sums.sum();
        let view = BarsView {
            chart: self,
            summary: format!(
                "{}: {} {} in all",
                self.title,
                grouped(total),
                self.unit.split(' ').next().unwrap_or_default()
            ),
            bars: self.bars(places, step, scale),
            across: [0, top / 2, top]
                .into_iter()
                .filter(|value| *value == 0 || top > 1 || *value == top)
                .map(|value| Mark {
                    at: FLOOR - value as f64 * scale,
                    text: grouped(value),
                })
                .collect(),
            along: self
                .ticks
                .iter()
                .map(|(place, text)| Mark {
                    at: LEFT + *place as f64 * step,
                    text: text.clone(),
                })
                .collect(),
        };
        view.render().map_err(|error| Fault::defect(&error))
    }

    /// Whether a row of the table says anything: empty hours are left out.
    fn is_worth_a_row(&self, values: &[u64]) -> bool {
        values.iter().any(|value| *value > 0)
    }

    /// A value as the table shows it.
    fn shown(&self, value: &u64) -> String {
        grouped(*value)
    }

    fn bars(&self, places: usize, step: f64, scale: f64) -> Vec<Bar> {
        let gap = if step > 6.0 { 2.0 } else { 0.75 };
        let mut bars = Vec::new();
        for place in 0..places {
            let mut floor = FLOOR;
            let mut told = self
                .rows
                .get(place)
                .map_or_else(String::new, |(words, _)| words.clone());
            for series in &self.series {
                // Writing to a String cannot fail.
                let _ = write!(
                    told,
                    ", {}: {}",
                    series.label,
                    grouped(series.values.get(place).copied().unwrap_or(0))
                );
            }
            for (at, series) in self.series.iter().enumerate() {
                let value = series.values.get(place).copied().unwrap_or(0);
                if value == 0 {
                    continue;
                }
                // What happened at all is seen, however small beside the rest.
                let height = (value as f64 * scale).max(1.5);
                floor -= height;
                bars.push(Bar {
                    x: LEFT + place as f64 * step + gap / 2.0,
                    y: floor,
                    width: (step - gap).max(1.0),
                    height,
                    class: if at == 0 { "bar" } else { "bar second" },
                    told: told.clone(),
                });
            }
        }
        bars
    }
}
