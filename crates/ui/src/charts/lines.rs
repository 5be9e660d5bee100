//! Lines: how something went over time.

use askama::Template;

use super::{CEILING, FLOOR, LEFT, Mark, WIDTH, round_up};
use crate::errors::Fault;

/// One line.
pub(crate) struct Line {
    /// Its name in the legend.
    pub(crate) label: &'static str,
    /// One value for each moment.
    pub(crate) values: Vec<f64>,
}

/// Lines over time. The first one is filled to the floor.
pub(crate) struct Lines {
    /// Its title.
    pub(crate) title: String,
    /// What is measured: "requests per second".
    pub(crate) unit: &'static str,
    /// At most two; all of one length.
    pub(crate) lines: Vec<Line>,
    /// Words for each moment, for the axis and the table.
    pub(crate) moments: Vec<String>,
    /// How a value is written.
    pub(crate) shown: fn(f64) -> String,
}

struct Drawn {
    label: &'static str,
    class: &'static str,
    points: String,
}

#[derive(Template)]
#[template(path = "parts/lines.html")]
struct LinesView<'a> {
    chart: &'a Lines,
    summary: String,
    area: String,
    drawn: Vec<Drawn>,
    across: Vec<Mark>,
    along: Vec<Mark>,
    rows: Vec<(String, Vec<String>)>,
}

/// How many words stand along the axis.
const WORDS: usize = 5;
/// A word that begins behind this ends where it would begin: it would run over the edge.
const NO_ROOM: f64 = WIDTH - 48.0;
/// How many rows the table has at most: enough to read how it went.
const ROWS: usize = 30;

impl LinesView<'_> {
    /// Which end of a word along the axis stands at its place.
    fn anchor(&self, mark: &Mark) -> &'static str {
        if mark.at > NO_ROOM { "end" } else { "start" }
    }
}

impl Lines {
    /// As HTML.
    pub(crate) fn render(&self) -> Result<String, Fault> {
        let highest = self
            .lines
            .iter()
            .flat_map(|line| &line.values)
            .copied()
            .fold(0.0, f64::max);
        let top = top_of(highest);
        let scale = (FLOOR - CEILING) / top;
        let places = self.moments.len().max(2);
        let x = |place: usize| LEFT + (WIDTH - LEFT) * place as f64 / (places - 1) as f64;
        let drawn: Vec<Drawn> = self
            .lines
            .iter()
            .enumerate()
            .map(|(at, line)| Drawn {
                label: line.label,
                class: if at == 0 { "line" } else { "line second" },
                points: points(line, x, scale),
            })
            .collect();
        let first = self.lines.first().map_or(0, |line| line.values.len());
        let area = match (drawn.first(), first) {
            (Some(line), 2..) => format!("{:.1},{FLOOR} {} {:.1},{FLOOR}", x(0), line.points, x(first - 1)),
            _ => String::new(),
        };
        let view = LinesView {
            summary: self.summary(),
            across: [0.0, top / 2.0, top]
                .map(|value| Mark {
                    at: FLOOR - value * scale,
                    text: (self.shown)(value),
                })
                .into(),
            along: self.words(x),
            rows: self.rows(),
            chart: self,
            area,
            drawn,
        };
        view.render().map_err(|error| Fault::defect(&error))
    }

    fn summary(&self) -> String {
        let last = self.lines.iter().filter_map(|line| {
            let value = line.values.last()?;
            Some(format!("{} {}", line.label, (self.shown)(*value)))
        });
        format!(
            "{}, {}; at last: {}",
            self.title,
            self.unit,
            last.collect::<Vec<_>>().join(", ")
        )
    }

    fn words(&self, x: impl Fn(usize) -> f64) -> Vec<Mark> {
        let step = self.moments.len().div_ceil(WORDS).max(1);
        let mut marks: Vec<Mark> = Vec::new();
        for (place, words) in self.moments.iter().enumerate().step_by(step) {
            // Of the first minute there are many samples.
            if marks.last().is_none_or(|last| last.text != *words) {
                marks.push(Mark {
                    at: x(place),
                    text: words.clone(),
                });
            }
        }
        marks
    }

    fn rows(&self) -> Vec<(String, Vec<String>)> {
        let step = self.moments.len().div_ceil(ROWS).max(1);
        let told = self.moments.iter().enumerate().step_by(step);
        told.map(|(place, words)| {
            let values = self
                .lines
                .iter()
                .map(|line| line.values.get(place).copied().unwrap_or(0.0));
            (words.clone(), values.map(|value| (self.shown)(value)).collect())
        })
        .collect()
    }
}

fn points(line: &Line, x: impl Fn(usize) -> f64, scale: f64) -> String {
    let points = line.values.iter().enumerate();
    let points =
        points.map(|(place, value)| format!("{:.1},{:.1}", x(place), FLOOR - value.max(0.0) * scale));
    points.collect::<Vec<_>>().join(" ")
}

/// A round number at or above the highest value; small values have a scale of their own.
fn top_of(highest: f64) -> f64 {
    let mut shrunk = 1.0;
    while highest > 0.0 && highest * shrunk < 1.0 && shrunk < 1e9 {
        shrunk *= 10.0;
    }
    round_up((highest * shrunk).ceil() as u64) as f64 / shrunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_fits_small_and_large_values() {
        let tops = [0.0, 0.034, 0.7, 1.2, 900.0, 2e9].map(top_of);
        assert_eq!(tops, [2.0, 0.04, 0.8, 2.0, 1_000.0, 2e9]);
    }

    #[test]
    fn words_along_the_axis_differ_and_stay_within() {
        let chart = |moments: &[&str]| Lines {
            title: "Requests".to_owned(),
            unit: "per second",
            lines: Vec::new(),
            moments: moments.iter().map(|&text| text.to_owned()).collect(),
            shown: |value| value.to_string(),
        };
        let drawn = chart(&["10:10"; 5]).render().expect("a chart");
        assert_eq!(drawn.matches("class=\"tick\"").count(), 1, "{drawn}");
        let drawn = chart(&["10:10", "10:11", "10:12", "10:13", "10:14"])
            .render()
            .expect("a chart");
        assert!(drawn.contains("text-anchor=\"end\">10:14"), "{drawn}");
        assert!(drawn.contains("text-anchor=\"start\">10:13"), "{drawn}");
    }

    #[test]
    fn no_values_are_no_fault() {
        let lines = Lines {
            title: "Nothing".to_owned(),
            unit: "requests per second",
            lines: vec![Line {
                label: "All",
                values: Vec::new(),
            }],
            moments: Vec::new(),
            shown: |value| value.to_string(),
        };
        assert!(lines.render().is_ok());
    }
}
