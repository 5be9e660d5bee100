//! Points in time: microseconds since the Unix epoch, UTC.

use std::fmt;
use std::str::FromStr;

/// A point in time with microsecond precision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text is not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an RFC 3339 date and time with an offset, such as 2026-12-31T23:59:59Z")]
pub struct TimestampError;

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Nanoseconds within the second.
    pub const fn subsec_nanos(self) -> i32 {
        (self.0.rem_euclid(1_000_000) * 1_000) as i32
    }

    /// Nanoseconds since the epoch; saturates at the ends of what an `i64` holds (years 1677 to 2262).
    pub const fn nanos(self) -> i64 {
        self.0.saturating_mul(1_000)
    }

    /// This moment plus `micros` microseconds; saturates.
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// RFC 3339 in UTC with exactly `digits` (0 to 6) fractional digits.
    pub fn to_rfc3339(self, digits: u8) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => format!("{moment:.*}", usize::from(digits)),
            // Past the year 9999 no RFC 3339 form exists; the catalog never holds such a moment.
            Err(_) => format!("{} µs", self.0),
        }
    }
}

/// RFC 3339 in UTC, without trailing zeros in the fraction.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => moment.fmt(f),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// RFC 3339, and the offset without colon that the documented `date +%z` examples produce
    /// (contract, influxctl section 10.1). Digits below a microsecond are cut off.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let has_date_and_time = text.len() >= 20 && matches!(text.as_bytes()[10], b'T' | b't' | b' ');
        if !has_date_and_time || text.ends_with(']') {
            return Err(TimestampError);
        }
        let moment: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        Ok(Self(moment.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_documented_form() {
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T05:04:05+02:00",
            "2026-01-02T05:04:05+0200",
        ] {
            assert_eq!(
                text.parse(),
                Ok(Timestamp::from_micros(1_767_323_045_000_000)),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_names_no_moment() {
        for text in [
            "",
            "tomorrow",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-13-02T03:04:05Z",
            "1767323045",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }

    #[test]
    fn prints_with_the_digits_asked_for() {
        let moment = Timestamp::from_micros(1_767_323_045_120_000);
        assert_eq!(moment.to_rfc3339(0), "2026-01-02T03:04:05Z");
        assert_eq!(moment.to_rfc3339(3), "2026-01-02T03:04:05.120Z");
        assert_eq!(moment.to_string(), "2026-01-02T03:04:05.12Z");
    }
}
