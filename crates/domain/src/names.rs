//! Names people give: databases, tables, descriptions.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("{0} must not be empty")]
    Empty(&'static str),
    /// Too long, counted in bytes.
    #[error("{what} must be at most {max} bytes long, this one has {got}")]
    TooLong {
        /// What was named.
        what: &'static str,
        /// The longest allowed.
        max: usize,
        /// The length given.
        got: usize,
    },
    /// A character that the rules exclude.
    #[error("{what} may hold only {allowed}, not {found:?}")]
    Character {
        /// What was named.
        what: &'static str,
        /// The characters allowed.
        allowed: &'static str,
        /// The first one that is not.
        found: char,
    },
    /// A first character that the rules exclude.
    #[error("{what} must start with {allowed}, not {found:?}")]
    Start {
        /// What was named.
        what: &'static str,
        /// The characters allowed.
        allowed: &'static str,
        /// The one found.
        found: char,
    },
    /// A prefix kept for the system.
    #[error("{what} must not start with {prefix:?}, which is reserved")]
    Reserved {
        /// What was named.
        what: &'static str,
        /// The reserved prefix.
        prefix: &'static str,
    },
}

macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_name!(
    /// A database name: 1 to 64 ASCII letters, digits, `_`, `-` or `/`, case-sensitive, starting with a letter,
    /// a digit or `_` (contract, influxctl section 7.1 and X-DP-11).
    DatabaseName
);
text_name!(
    /// A table name. Names chosen through a face follow the strict rule ([`str::parse`]); names that arrive in
    /// line protocol follow the format's own ([`TableName::written`]).
    TableName
);
text_name!(
    /// What a token is for, in the words of whoever made it: at most 16 KiB of any text without NUL.
    Description
);

impl DatabaseName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 64;
}

impl FromStr for DatabaseName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "database name";
        check_length(WHAT, text, Self::MAX_BYTES)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
        check_characters(WHAT, text, "ASCII letters, digits, '_', '-' and '/'", allowed)?;
        check_start(WHAT, text)?;
        Ok(Self(text.into()))
    }
}

impl TableName {
    /// The longest name, in bytes (contract, data-plane section 4).
    pub const MAX_BYTES: usize = 65_536;

    /// A name as line protocol carries it: anything but control characters and the reserved prefix `iox_`.
    ///
    /// # Errors
    /// Empty, longer than [`Self::MAX_BYTES`], a control character, or the reserved prefix.
    pub fn written(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "table name";
        check_length(WHAT, text, Self::MAX_BYTES)?;
        check_characters(WHAT, text, "printable characters", |c| !c.is_control())?;
        if text.starts_with("iox_") {
            return Err(NameError::Reserved {
                what: WHAT,
                prefix: "iox_",
            });
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for TableName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "table name";
        check_length(WHAT, text, Self::MAX_BYTES)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        check_characters(WHAT, text, "ASCII letters, digits, '_' and '-'", allowed)?;
        check_start(WHAT, text)?;
        Self::written(text)
    }
}

impl Description {
    /// The longest description, in bytes.
    pub const MAX_BYTES: usize = 16_384;
}

impl FromStr for Description {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "description";
        if text.len() > Self::MAX_BYTES {
            return Err(NameError::TooLong {
                what: WHAT,
                max: Self::MAX_BYTES,
                got: text.len(),
            });
        }
        check_characters(WHAT, text, "text without NUL characters", |c| c != '\0')?;
        Ok(Self(text.into()))
    }
}

fn check_length(what: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    match text.len() {
        0 => Err(NameError::Empty(what)),
        got if got > max => Err(NameError::TooLong { what, max, got }),
        _ => Ok(()),
    }
}

fn check_characters(
    what: &'static str,
    text: &str,
    allowed: &'static str,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), NameError> {
    match text.chars().find(|c| !is_allowed(*c)) {
        Some(found) => Err(NameError::Character { what, allowed, found }),
        None => Ok(()),
    }
}

fn check_start(what: &'static str, text: &str) -> Result<(), NameError> {
    match text.chars().next() {
        Some(found @ ('-' | '/')) => Err(NameError::Start {
            what,
            allowed: "a letter, a digit or '_'",
            found,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refusals_say_what_is_wrong() {
        let texts = ["", "-a", "/a", "a b", "plátanos", &"a".repeat(65)];
        let refusals: Vec<String> = texts
            .iter()
            .map(|text| text.parse::<DatabaseName>().expect_err("refused").to_string())
            .collect();
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        database name must not be empty
        database name must start with a letter, a digit or '_', not '-'
        database name must start with a letter, a digit or '_', not '/'
        database name may hold only ASCII letters, digits, '_', '-' and '/', not ' '
        database name may hold only ASCII letters, digits, '_', '-' and '/', not 'á'
        database name must be at most 64 bytes long, this one has 65
        "#);
    }

    proptest! {
        #[test]
        fn database_names_by_the_rule_are_names(text in "[A-Za-z0-9_][A-Za-z0-9_/-]{0,63}") {
            prop_assert_eq!(text.parse::<DatabaseName>().map(|n| n.to_string()), Ok(text));
        }

        #[test]
        fn nothing_else_is(text in "\\PC{0,80}") {
            let by_the_rule = (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-/".contains(&b))
                && !text.starts_with(['-', '/']);
            prop_assert_eq!(text.parse::<DatabaseName>().is_ok(), by_the_rule);
        }

        #[test]
        fn every_strict_table_name_can_be_written(text in "[A-Za-z0-9_][A-Za-z0-9_-]{0,63}") {
            prop_assume!(!text.starts_with("iox_"));
            prop_assert!(text.parse::<TableName>().is_ok() && TableName::written(&text).is_ok());
        }
    }
}
