//! Retention periods and the duration syntax in which people give them (contract, influxctl section 7.7).

use std::fmt;
use std::str::FromStr;

/// How long a database keeps its points. Zero keeps them for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetentionPeriod(i64);

/// Why a text or a number is not a retention period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not of the duration syntax.
    #[error(
        "{0:?} is not a duration: give number and unit pairs such as 30d, 2.5d or 1y6mo (units: y, mo, w, d, h, m, s)"
    )]
    Syntax(String),
    /// More than an `i64` of nanoseconds.
    #[error("the duration is longer than 292 years; use 0s to keep points for ever")]
    TooLong,
    /// Below zero.
    #[error("a retention period must be 0 (keep for ever) or more nanoseconds, not {0}")]
    Negative(i64),
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Longest first, so that printing takes the largest unit; `printed` marks the units that [`fmt::Display`] uses:
/// whole units up to days (contract, X-CLI-2).
const UNITS: &[(&str, i64, Printed)] = &[
    ("y", 365 * DAY, Printed::No),
    ("mo", 30 * DAY, Printed::No),
    ("w", 7 * DAY, Printed::No),
    ("d", DAY, Printed::Yes),
    ("h", 3_600 * SECOND, Printed::Yes),
    ("m", 60 * SECOND, Printed::Yes),
    ("s", SECOND, Printed::Yes),
    ("ms", 1_000_000, Printed::Yes),
    ("us", 1_000, Printed::Yes),
    ("ns", 1, Printed::Yes),
];

#[derive(PartialEq)]
enum Printed {
    Yes,
    No,
}

impl RetentionPeriod {
    /// Keep points for ever.
    pub const INFINITE: Self = Self(0);

    /// From nanoseconds; zero is for ever.
    ///
    /// # Errors
    /// [`DurationError::Negative`].
    pub const fn from_nanos(nanos: i64) -> Result<Self, DurationError> {
        if nanos < 0 {
            Err(DurationError::Negative(nanos))
        } else {
            Ok(Self(nanos))
        }
    }

    /// Nanoseconds; zero is for ever.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The oldest point still kept at `now_nanos` (nanoseconds since the epoch); `None` when all are.
    pub const fn horizon(self, now_nanos: i64) -> Option<i64> {
        if self.0 == 0 {
            None
        } else {
            Some(now_nanos.saturating_sub(self.0))
        }
    }
}

impl FromStr for RetentionPeriod {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let syntax = || DurationError::Syntax(text.to_owned());
        if text.is_empty() {
            return Err(syntax());
        }
        let mut total: i128 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let number_end = rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .ok_or_else(syntax)?;
            let (number, tail) = rest.split_at(number_end);
            let unit_end = tail
                .find(|c: char| c.is_ascii_digit() || c == '.')
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_end);
            let (_, nanos, _) = UNITS.iter().find(|(name, ..)| *name == unit).ok_or_else(syntax)?;
            let (digits, scale) = decimal(number).ok_or_else(syntax)?;
            let term = digits
                .checked_mul(i128::from(*nanos))
                .ok_or(DurationError::TooLong)?
                / scale;
            total = total.checked_add(term).ok_or(DurationError::TooLong)?;
            rest = tail;
        }
        i64::try_from(total).map(Self).map_err(|_| DurationError::TooLong)
    }
}

/// `2.5` is `(25, 10)`. At most 18 digits, so that no product overflows.
fn decimal(text: &str) -> Option<(i128, i128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || text.ends_with('.') || digits.len() > 18 {
        return None;
    }
    let scale = 10i128.pow(u32::try_from(fraction.len()).ok()?);
    Some((digits.parse().ok()?, scale))
}

impl fmt::Display for RetentionPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("infinite");
        }
        let mut rest = self.0;
        for (name, nanos, printed) in UNITS {
            if *printed == Printed::Yes && rest >= *nanos {
                write!(f, "{}{name}", rest / nanos)?;
                rest %= nanos;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documented_examples() {
        let nanos = |text: &str| text.parse::<RetentionPeriod>().map(RetentionPeriod::nanos);
        for (text, days) in [
            ("0d", 0.0),
            ("3d", 3.0),
            ("6w", 42.0),
            ("1mo", 30.0),
            ("1y", 365.0),
            ("30d30d", 60.0),
            ("2.5d", 2.5),
        ] {
            assert_eq!(nanos(text), Ok((days * 86_400e9) as i64), "{text}");
        }
        assert_eq!(nanos("0s"), Ok(0));
    }

    #[test]
    fn refusals() {
        for text in [
            "", "d", "3", "3 d", "-3d", "+3d", "3x", "1.d", ".5d", "1..5d", "1e3d", "3D", "９d",
        ] {
            assert_eq!(
                text.parse::<RetentionPeriod>(),
                Err(DurationError::Syntax(text.to_owned()))
            );
        }
        for text in ["300y", "999999999999999999y"] {
            assert_eq!(text.parse::<RetentionPeriod>(), Err(DurationError::TooLong));
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_read(nanos in 1..=i64::MAX) {
            let period = RetentionPeriod::from_nanos(nanos).expect("positive");
            prop_assert_eq!(period.to_string().parse(), Ok(period));
        }

        #[test]
        fn no_text_panics(text in "[0-9.a-z -]{0,30}") {
            let _ = text.parse::<RetentionPeriod>();
        }
    }
}
