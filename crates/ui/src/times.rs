//! Moments as pages show them. The server writes UTC; the script writes the viewer's own zone over it, in the same width.

use std::fmt;

use askama::filters::HtmlSafe;
use rescind_domain::Timestamp;

/// A moment: date and time to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl HtmlSafe for Moment {}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.0.to_rfc3339(6);
        let shown = exact.get(..16).unwrap_or(&exact).replace('T', " ");
        write!(
            f,
            r#"<time datetime="{exact}" title="{exact}" data-local>{shown}</time>"#
        )
    }
}

/// How long a moment is from now; the exact one on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age {
    /// The moment.
    pub(crate) at: Timestamp,
    /// What it is seen from.
    pub(crate) now: Timestamp,
}

impl HtmlSafe for Age {}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.at.to_rfc3339(6);
        let words = distance(self.at, self.now);
        write!(
            f,
            r#"<time datetime="{exact}" title="{exact}" data-age>{words}</time>"#
        )
    }
}

/// `just now`, `3 minutes ago`, `in 2 days`.
pub(crate) fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.seconds() - at.seconds();
    let length = match seconds.unsigned_abs() {
        0..45 if seconds >= 0 => return "just now".to_owned(),
        0..90 => (1, "minute"),
        s if s < 3_600 => (s / 60, "minute"),
        s if s < 36 * 3_600 => (s / 3_600, "hour"),
        s if s < 60 * 86_400 => (s / 86_400, "day"),
        s if s < 730 * 86_400 => (s / (30 * 86_400), "month"),
        s => (s / (365 * 86_400), "year"),
    };
    let (number, unit) = length;
    let plural = if number == 1 { "" } else { "s" };
    if seconds >= 0 {
        format!("{number} {unit}{plural} ago")
    } else {
        format!("in {number} {unit}{plural}")
    }
}

/// A date and a time as form fields hold them (`2026-12-31`, `23:59`), read as UTC, or in the zone whose distance from
/// UTC the script put beside them, in minutes as `Date.getTimezoneOffset` counts them.
pub(crate) fn from_fields(date: &str, time: &str, offset: &str) -> Option<Timestamp> {
    let with_seconds = if time.len() == 5 { ":00" } else { "" };
    let utc: Timestamp = format!("{date}T{time}{with_seconds}Z").parse().ok()?;
    let minutes: i64 = if offset.is_empty() {
        0
    } else {
        offset.parse().ok()?
    };
    let is_zone = (-15 * 60..=15 * 60).contains(&minutes);
    is_zone.then(|| utc.plus_micros(minutes * 60_000_000))
}

/// The date part of a moment, for a form field.
pub(crate) fn date_of(at: Timestamp) -> String {
    at.to_rfc3339(0).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_read_well() {
        let now = Timestamp::from_micros(1_767_323_045_000_000);
        let words: Vec<String> = [
            0,
            44,
            45,
            119,
            120,
            3_599,
            3_600,
            86_400,
            2 * 86_400,
            90 * 86_400,
            900 * 86_400,
            -60,
            -7_200,
        ]
        .into_iter()
        .map(|seconds: i64| distance(now.plus_micros(-seconds * 1_000_000), now))
        .collect();
        insta::assert_snapshot!(words.join("\n"), @r"
        just now
        just now
        1 minute ago
        1 minute ago
        2 minutes ago
        59 minutes ago
        1 hour ago
        24 hours ago
        2 days ago
        3 months ago
        2 years ago
        in 1 minute
        in 2 hours
        ");
    }

    #[test]
    fn a_typed_moment_is_read_in_its_zone() {
        let berlin = from_fields("2026-12-31", "00:30", "-60").expect("a moment");
        assert_eq!(berlin.to_string(), "2026-12-30T23:30:00Z");
        assert_eq!(
            from_fields("2026-12-31", "00:30", ""),
            from_fields("2026-12-31", "00:30:00", "0")
        );
        for (date, time, offset) in [
            ("", "", ""),
            ("2026-13-01", "00:00", ""),
            ("2026-12-31", "00:00", "9999"),
        ] {
            assert_eq!(from_fields(date, time, offset), None);
        }
    }
}
