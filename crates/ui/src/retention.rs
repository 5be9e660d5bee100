//! Retention periods: in words, and as the part of a form that sets one.

use rescind_domain::{DurationError, RetentionPeriod};

use crate::errors::sentence;
use crate::fields::Fields;
use crate::problems::Problems;

const SECOND: i64 = 1_000_000_000;

/// The units of words, longest first.
const WORDS: [(&str, i64); 8] = [
    ("year", 365 * 86_400 * SECOND),
    ("day", 86_400 * SECOND),
    ("hour", 3_600 * SECOND),
    ("minute", 60 * SECOND),
    ("second", SECOND),
    ("millisecond", 1_000_000),
    ("microsecond", 1_000),
    ("nanosecond", 1),
];

/// `Retain Forever`, `1 year`, `11 days 3 hours`. Years only where nothing is left over, and no months: people count such
/// periods in days.
pub(crate) fn in_words(period: RetentionPeriod) -> String {
    let mut rest = period.nanos();
    if rest == 0 {
        return "Retain Forever".to_owned();
    }
    let mut words = Vec::new();
    for (unit, nanos) in WORDS {
        let is_year = nanos > 86_400 * SECOND;
        if rest < nanos || (is_year && rest % nanos != 0) {
            continue;
        }
        let number = rest / nanos;
        let plural = if number == 1 { "" } else { "s" };
        words.push(format!("{number} {unit}{plural}"));
        rest %= nanos;
    }
    words.join(" ")
}

/// The units that forms offer: the unit of the duration syntax, and its words.
pub(crate) const UNITS: [(&str, &str); 7] = [
    ("s", "Seconds"),
    ("m", "Minutes"),
    ("h", "Hours"),
    ("d", "Days"),
    ("w", "Weeks"),
    ("mo", "Months"),
    ("y", "Years"),
];

/// The part of a form that says how long points are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RetentionFields {
    /// Whether they are kept for ever.
    pub(crate) is_forever: bool,
    /// How many units.
    pub(crate) amount: String,
    /// Which unit.
    pub(crate) unit: String,
}

impl RetentionFields {
    /// The fields that mean `period`.
    pub(crate) fn of(period: RetentionPeriod) -> Self {
        let nanos = period.nanos();
        if nanos == 0 {
            return Self {
                is_forever: true,
                amount: String::new(),
                unit: "d".to_owned(),
            };
        }
        let (unit, length) = [("d", 86_400), ("h", 3_600), ("m", 60)]
            .into_iter()
            .find(|(_, seconds)| nanos % (seconds * SECOND) == 0)
            .unwrap_or(("s", 1));
        let length = length * SECOND;
        let amount = match nanos % length {
            0 => (nanos / length).to_string(),
            _ => {
                let exact = format!("{}.{:09}", nanos / SECOND, nanos % SECOND);
                exact.trim_end_matches('0').to_owned()
            }
        };
        Self {
            is_forever: false,
            amount,
            unit: unit.to_owned(),
        }
    }

    /// What was typed.
    pub(crate) fn read(fields: &Fields) -> Self {
        Self {
            is_forever: fields.is_on("retain_forever"),
            amount: fields.text("amount").to_owned(),
            unit: fields.given("unit").unwrap_or("d").to_owned(),
        }
    }

    /// The period meant; notes what is wrong with it.
    pub(crate) fn period(&self, problems: &mut Problems) -> Option<RetentionPeriod> {
        if self.is_forever {
            return Some(RetentionPeriod::INFINITE);
        }
        let is_number = self.amount.starts_with(|c: char| c.is_ascii_digit())
            && self.amount.ends_with(|c: char| c.is_ascii_digit())
            && self.amount.chars().all(|c| c.is_ascii_digit() || c == '.');
        if !is_number {
            problems.add(
                "amount",
                "Enter a number, such as 30, or switch Retain Forever on.",
            );
            return None;
        }
        let duration = format!("{}{}", self.amount, self.unit);
        let period: Result<RetentionPeriod, _> = duration.parse();
        let period = period.map_err(|error| match error {
            DurationError::TooLong => {
                "At most 292 years; longer is for ever: switch Retain Forever on.".to_owned()
            }
            other => sentence(&other.to_string()),
        });
        let period = problems.take("amount", period)?;
        if period == RetentionPeriod::INFINITE {
            problems.add("amount", "Enter more than 0, or switch Retain Forever on.");
            return None;
        }
        Some(period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> RetentionPeriod {
        text.parse().expect("a duration")
    }

    #[test]
    fn periods_read_well() {
        let words = [
            "0s", "1y", "2y", "30d", "60d", "365d", "11d3h", "10m", "45d", "1y1d", "1h1s", "1.5s", "90m",
        ]
        .map(|text| format!("{text}: {}", in_words(period(text))));
        insta::assert_snapshot!(words.join("\n"), @r"
        0s: Retain Forever
        1y: 1 year
        2y: 2 years
        30d: 30 days
        60d: 60 days
        365d: 1 year
        11d3h: 11 days 3 hours
        10m: 10 minutes
        45d: 45 days
        1y1d: 366 days
        1h1s: 1 hour 1 second
        1.5s: 1 second 500 milliseconds
        90m: 1 hour 30 minutes
        ");
    }

    #[test]
    fn fields_mean_what_they_show() {
        for text in ["0s", "1s", "90m", "36h", "30d", "1y", "1.5s", "100y"] {
            let fields = RetentionFields::of(period(text));
            assert_eq!(
                fields.period(&mut Problems::default()),
                Some(period(text)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let told = [
            "amount=",
            "amount=0",
            "amount=-1",
            "amount=1d",
            "amount=1.",
            "amount=9&unit=x",
            "amount=300&unit=y",
        ]
        .map(|typed| {
            let mut problems = Problems::default();
            let fields = RetentionFields::read(&Fields::parse(typed.as_bytes()));
            assert_eq!(fields.period(&mut problems), None, "{typed}");
            problems.of_field("amount").to_owned()
        });
        insta::assert_snapshot!(told.join("\n"));
    }
}
