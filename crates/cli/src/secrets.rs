//! What keeps secrets out of messages: people give tokens where ids and names belong, and servers repeat them.

use std::borrow::Cow;

use rescind_domain::{DatabaseTokenId, ManagementTokenId, SecretKind, redact};

/// A run of this many letters and digits, mixed as no name is, is a secret that lost its prefix: copied by a double
/// click, say. Ids are shorter, and hashes have no capitals.
const TELLING_RUN: usize = 40;

/// Why a text is no id of a token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenIdError {
    /// It is what only the token's owner may know.
    #[error("this is a token's secret; give its id, which `influxctl {list}` shows")]
    Secret {
        /// The command that shows ids of this kind.
        list: &'static str,
    },
    /// It is something else.
    #[error("{0}")]
    NoId(String),
}

/// Reads the id of a database token.
pub(crate) fn database_token_id(text: &str) -> Result<DatabaseTokenId, TokenIdError> {
    token_id(text, "token list")
}

/// Reads the id of a management token.
pub(crate) fn management_token_id(text: &str) -> Result<ManagementTokenId, TokenIdError> {
    token_id(text, "management list")
}

fn token_id<T: std::str::FromStr<Err: ToString>>(text: &str, list: &'static str) -> Result<T, TokenIdError> {
    let is_prefixed = [SecretKind::Database, SecretKind::Management]
        .iter()
        .any(|kind| text.starts_with(kind.prefix()));
    if is_prefixed || masked(text) != text {
        return Err(TokenIdError::Secret { list });
    }
    text.parse()
        .map_err(|error: T::Err| TokenIdError::NoId(error.to_string()))
}

/// `text` with `…` in place of every secret in it, behind its prefix if it has one.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    match (redact(text), without_runs(text)) {
        (text, None) => text,
        (text, Some(_)) => Cow::Owned(without_runs(&text).unwrap_or_else(|| text.into_owned())),
    }
}

/// `None` when there is nothing to mask.
fn without_runs(text: &str) -> Option<String> {
    let is_secret = |run: &&str| {
        run.len() >= TELLING_RUN
            && run.bytes().any(|byte| byte.is_ascii_digit())
            && run.bytes().any(|byte| byte.is_ascii_uppercase())
            && run.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    let found: Vec<&str> = runs.filter(is_secret).collect();
    (!found.is_empty()).then(|| {
        found
            .iter()
            .fold(text.to_owned(), |text, run| text.replace(run, "…"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RANDOM: &str = "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ30aB1cD2eF3gH4iJ5kL6mN7oP";

    #[test]
    fn a_secret_is_told_from_an_id() {
        for secret in [
            format!("apiv1_{RANDOM}"),
            format!("M.V1.{RANDOM}"),
            RANDOM.to_owned(),
            "apiv1_cutoff".to_owned(),
        ] {
            let error = database_token_id(&secret)
                .map(|_| ())
                .expect_err("no id")
                .to_string();
            assert!(error.contains("influxctl token list"), "{error}");
        }
        let error = management_token_id("123")
            .map(|_| ())
            .expect_err("no id")
            .to_string();
        assert!(error.contains("must be a UUID"), "{error}");
        assert!(database_token_id("33333333-3333-4333-8333-333333333333").is_ok());
    }

    #[test]
    fn names_and_hashes_stay() {
        for text in [
            "no such database: apiv1_requests",
            "it should start with apiv1_ or M.V1. and be complete",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "/srv/Someone/2024/AVeryLongDirectoryName/config.toml",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_secret_passes(before in "\\PC{0,9}", prefix in "(apiv1_|M\\.V1\\.|)", after in "[^a-zA-Z0-9]{0,9}") {
            let text = format!("{before} {prefix}{RANDOM}{after}");
            let shown = masked(&text);
            prop_assert!(!shown.contains(&RANDOM[..8]), "{}", shown);
            let (start, end) = (format!("{before} {prefix}…"), after.as_str());
            prop_assert!(shown.starts_with(&start) && shown.ends_with(end));
        }
    }
}
