//! Preferences of whoever asks (RFC 7240): how long to wait for the answer.

use std::time::Duration;

/// The header that carries preferences.
pub const PREFER: &str = "Prefer";
/// The header that says which of them were heeded.
pub const PREFERENCE_APPLIED: &str = "Preference-Applied";

/// `wait=SECONDS`: an answer is wanted within this time, whatever is known by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitPreference {
    /// How long.
    pub patience: Duration,
    text: String,
}

impl WaitPreference {
    /// The preference for this time, to the millisecond.
    pub fn new(patience: Duration) -> Self {
        let millis = patience.as_millis();
        let (seconds, rest) = (millis / 1_000, millis % 1_000);
        let fraction = format!(".{rest:03}");
        Self {
            patience: Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)),
            text: format!(
                "{seconds}{}",
                fraction.trim_end_matches('0').trim_end_matches('.')
            ),
        }
    }

    /// Finds it among the values of all `Prefer` headers. The first one counts (RFC 7240 section 2); one that cannot be
    /// understood is as good as none. Fractions of a second are an addition of ours.
    pub fn find<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let wait = values
            .into_iter()
            .flat_map(|value| value.split(','))
            .find_map(|one| {
                let one = one.split(';').next().unwrap_or_default();
                let (name, value) = one.split_once('=')?;
                name.trim().eq_ignore_ascii_case("wait").then(|| value.trim())
            })?;
        let quoted = wait.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let text = quoted.unwrap_or(wait);
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |digits: &str, most: usize| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        };
        if !is_number(seconds, MOST_DIGITS) || !is_number(fraction, MOST_DIGITS) {
            return None;
        }
        let patience = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
        Some(Self {
            patience,
            text: text.to_owned(),
        })
    }
}

/// Nobody waits for more than three years.
const MOST_DIGITS: usize = 8;

/// As the headers have it: `wait=10`.
impl std::fmt::Display for WaitPreference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "wait={}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wait_that_is_one_counts() {
        let find = |values: &[&str]| WaitPreference::find(values.iter().copied()).map(|w| w.to_string());
        for (values, wanted) in [
            (&["wait=10"][..], Some("wait=10")),
            (&["respond-async, WAIT = \"5\"; x=y"], Some("wait=5")),
            (&["return=minimal", "wait=0.25, wait=9"], Some("wait=0.25")),
            (&["wait=0"], Some("wait=0")),
            (&["wait"], None),
            (&["wait="], None),
            (&["wait=-1"], None),
            (&["wait=1e9"], None),
            (&["wait=soon, wait=3"], None),
            (&["wait=123456789"], None),
            (&["wait=1."], None),
            (&["waiting=3"], None),
            (&[], None),
        ] {
            assert_eq!(find(values).as_deref(), wanted, "{values:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (millis, text) in [
            (0, "wait=0"),
            (250, "wait=0.25"),
            (10_000, "wait=10"),
            (59_050, "wait=59.05"),
        ] {
            let wait = WaitPreference::new(Duration::from_millis(millis));
            assert_eq!(wait.to_string(), text);
            assert_eq!(WaitPreference::find([text]), Some(wait));
        }
    }
}
