//! Time limits in Go's duration syntax, such as `1m0s` (contract, influxctl section 2).

use std::time::Duration;

/// Why a text is no time limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GoDurationError {
    /// Not of the syntax.
    #[error(
        "{0:?} is not a duration: give number and unit pairs such as 10s, 1m30s or 1.5h (units: h, m, s, ms, us, ns)"
    )]
    Syntax(String),
    /// Zero, or longer than a time limit can be.
    #[error("{0:?} is no time limit: it must be more than 0 and at most 292 years")]
    Range(String),
}

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The duration that `text` describes in Go's syntax (`time.ParseDuration`), more than zero.
pub(crate) fn parse_go_duration(text: &str) -> Result<Duration, GoDurationError> {
    let syntax = || GoDurationError::Syntax(text.to_owned());
    let range = || GoDurationError::Range(text.to_owned());
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Err(range());
    }
    if rest.is_empty() {
        return Err(syntax());
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let number_end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(syntax)?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(syntax)?;
        let (digits, scale) = decimal(number).ok_or_else(syntax)?;
        let term = digits.checked_mul(u128::from(*nanos)).ok_or_else(range)? / scale;
        total = total.checked_add(term).ok_or_else(range)?;
        rest = tail;
    }
    match i64::try_from(total) {
        Ok(nanos) if nanos > 0 => Ok(Duration::from_nanos(nanos.unsigned_abs())),
        _ => Err(range()),
    }
}

/// `1.5` is `(15, 10)`; `1.` and `.5` are numbers to Go. At most 18 digits, so that no product overflows.
fn decimal(text: &str) -> Option<(u128, u128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    digits.parse().ok().map(|digits| (digits, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_forms_of_go_are_read() {
        for (text, millis) in [
            ("1m0s", 60_000),
            ("10s", 10_000),
            ("1.5h", 5_400_000),
            ("1h1m1s1ms", 3_661_001),
            (".5s", 500),
            ("1.s", 1_000),
            ("+2s", 2_000),
            ("3000us", 3),
            ("3000µs", 3),
        ] {
            assert_eq!(
                parse_go_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_time_limit_is_refused() {
        for text in [
            "", "10", "0", "0s", "-1s", "1d", "1 s", "s", ".s", "1..5s", "1e3s", "9999999h",
        ] {
            assert!(parse_go_duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn hours_minutes_and_seconds_add_up(h in 0u64..100, m in 0u64..1000, s in 1u64..1000, ms in 0u64..1000) {
            let text = format!("{h}h{m}m{s}s{ms}ms");
            let expected = Duration::from_millis(((h * 60 + m) * 60 + s) * 1000 + ms);
            prop_assert_eq!(parse_go_duration(&text), Ok(expected));
        }

        #[test]
        fn no_text_is_too_strange_to_be_judged(text in "[0-9.hmsnuµ+ -]{0,30}") {
            let _ = parse_go_duration(&text);
        }
    }
}
