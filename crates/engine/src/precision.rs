//! The units in which clients give times.

use std::str::FromStr;

/// The unit of the timestamps of a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// Nanoseconds, unless said otherwise.
    #[default]
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// By magnitude, line by line: what could be seconds, milliseconds or microseconds of our time is taken as such.
    /// What `precision=auto` of the v3 write means.
    Auto,
}

/// Why a text is not a precision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown precision {0:?}, expected one of ns, us, ms, s, m, h")]
pub struct PrecisionError(pub String);

impl Precision {
    /// The earliest time, in nanoseconds (contract, data-plane section 4).
    pub const MIN_NANOS: i64 = -9_223_372_036_854_775_806;
    /// The latest time, in nanoseconds (contract, data-plane section 4).
    pub const MAX_NANOS: i64 = 9_223_372_036_854_775_806;

    /// The time that `timestamp` means, in nanoseconds; `None` out of range.
    pub fn nanos(self, timestamp: i64) -> Option<i64> {
        let factor = match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
            Self::Minutes => 60_000_000_000,
            Self::Hours => 3_600_000_000_000,
            Self::Auto => match timestamp.unsigned_abs() {
                0..5_000_000_000 => 1_000_000_000,
                5_000_000_000..5_000_000_000_000 => 1_000_000,
                5_000_000_000_000..5_000_000_000_000_000 => 1_000,
                _ => 1,
            },
        };
        let nanos = timestamp.checked_mul(factor)?;
        (Self::MIN_NANOS..=Self::MAX_NANOS)
            .contains(&nanos)
            .then_some(nanos)
    }

    /// Its documented short name.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Minutes => "m",
            Self::Hours => "h",
            Self::Auto => "auto",
        }
    }

    pub(crate) const ALL: [Self; 7] = [
        Self::Nanoseconds,
        Self::Microseconds,
        Self::Milliseconds,
        Self::Seconds,
        Self::Minutes,
        Self::Hours,
        Self::Auto,
    ];
}

impl FromStr for Precision {
    type Err = PrecisionError;

    /// Accepts every spelling that any documented client uses (contract, X-DP-5), but not `auto`, which only one
    /// route knows.
    fn from_str(text: &str) -> Result<Self, PrecisionError> {
        Ok(match text {
            "ns" | "n" | "nanosecond" => Self::Nanoseconds,
            "us" | "u" | "microsecond" => Self::Microseconds,
            "ms" | "millisecond" => Self::Milliseconds,
            "s" | "second" => Self::Seconds,
            "m" => Self::Minutes,
            "h" => Self::Hours,
            other => return Err(PrecisionError(other.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_moment_in_every_unit() {
        for (name, timestamp) in [
            ("ns", 1_699_999_200_000_000_000),
            ("n", 1_699_999_200_000_000_000),
            ("nanosecond", 1_699_999_200_000_000_000),
            ("us", 1_699_999_200_000_000),
            ("u", 1_699_999_200_000_000),
            ("microsecond", 1_699_999_200_000_000),
            ("ms", 1_699_999_200_000),
            ("millisecond", 1_699_999_200_000),
            ("s", 1_699_999_200),
            ("second", 1_699_999_200),
            ("m", 28_333_320),
            ("h", 472_222),
        ] {
            let precision: Precision = name.parse().expect("documented");
            assert_eq!(
                precision.nanos(timestamp),
                Some(1_699_999_200_000_000_000),
                "{name}"
            );
            if !matches!(precision, Precision::Minutes | Precision::Hours) {
                assert_eq!(
                    Precision::Auto.nanos(timestamp),
                    Some(1_699_999_200_000_000_000),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn refuses_other_names() {
        for name in ["", "NS", "minute", "auto", "d"] {
            assert_eq!(name.parse::<Precision>(), Err(PrecisionError(name.to_owned())));
        }
    }

    #[test]
    fn refuses_moments_out_of_range() {
        assert_eq!(Precision::Seconds.nanos(i64::MAX), None);
        assert_eq!(Precision::Nanoseconds.nanos(i64::MAX), None);
        assert_eq!(Precision::Nanoseconds.nanos(i64::MIN + 1), None);
        assert_eq!(
            Precision::Nanoseconds.nanos(Precision::MIN_NANOS),
            Some(Precision::MIN_NANOS)
        );
    }
}
