//! Precision: what the timestamps of a write count.

use crate::endpoints::Endpoint;
use crate::failures::Failure;

/// What a timestamp counts since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Nanoseconds.
    #[default]
    Nanosecond,
    /// Microseconds.
    Microsecond,
    /// Milliseconds.
    Millisecond,
    /// Seconds.
    Second,
    /// Minutes (contract, data-plane X-DP-5).
    Minute,
    /// Hours.
    Hour,
    /// Each timestamp's magnitude says (contract, core-wire section 6; v3 only).
    Auto,
}

const UNITS: &str =
    "`ns`, `us`, `ms`, `s`, `m`, `h`, `n`, `u`, `nanosecond`, `microsecond`, `millisecond`, `second`";

impl Precision {
    /// What a write means that does not say: nanoseconds, in v3 as [`Self::Auto`].
    pub(crate) const fn default_of(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::WriteV3 => Self::Auto,
            _ => Self::Nanosecond,
        }
    }

    pub(crate) fn parse(text: &str, endpoint: Endpoint) -> Result<Self, Failure> {
        match text {
            "ns" | "n" | "nanosecond" => Ok(Self::Nanosecond),
            "us" | "u" | "microsecond" => Ok(Self::Microsecond),
            "ms" | "millisecond" => Ok(Self::Millisecond),
            "s" | "second" => Ok(Self::Second),
            "m" => Ok(Self::Minute),
            "h" => Ok(Self::Hour),
            "auto" if endpoint == Endpoint::WriteV3 => Ok(Self::Auto),
            other => Err(Failure::Invalid(refuse(other, endpoint))),
        }
    }
}

/// The documented words (contract, data-plane section 3.2), with the list of what is accepted here.
fn refuse(text: &str, endpoint: Endpoint) -> String {
    let text: String = text.chars().take(32).collect();
    match endpoint {
        Endpoint::WriteV1 => {
            format!(
                "failed to deserialize db/rp/precision in request: unknown variant `{text}`, expected one of {UNITS}"
            )
        }
        Endpoint::WriteV2 => {
            format!(
                "failed to deserialize org/bucket/precision in request: unknown variant `{text}`, expected one of {UNITS}"
            )
        }
        Endpoint::WriteV3 | Endpoint::QuerySql => {
            format!("precision: unknown variant `{text}`, expected one of `auto`, {UNITS}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_refusal_is_accepted() {
        for endpoint in [Endpoint::WriteV1, Endpoint::WriteV2, Endpoint::WriteV3] {
            let refusal = refuse("x", endpoint);
            let words: Vec<_> = refusal.split('`').skip(3).step_by(2).collect();
            assert!(words.len() >= 12, "{words:?}");
            assert!(
                words.iter().all(|word| Precision::parse(word, endpoint).is_ok()),
                "{words:?}"
            );
        }
    }

    #[test]
    fn nothing_else_is() {
        for text in ["", "NS", "minute", "hour", "µs", "auto"] {
            assert!(Precision::parse(text, Endpoint::WriteV2).is_err(), "{text:?}");
        }
        assert!(Precision::parse("Auto", Endpoint::WriteV3).is_err());
    }
}
