//! Database names as requests give them.

use std::borrow::Cow;

use rescind_domain::DatabaseName;

use crate::failures::Failure;

/// What a request calls the database that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A name that a database can have.
    Named(DatabaseName),
    /// A name that none can have: nothing is to be found there, but only whoever has a right to every database may
    /// learn so.
    Impossible(String),
}

impl Target {
    fn of(name: &str) -> Self {
        match name.parse() {
            Ok(name) => Self::Named(name),
            // Answers repeat it: as much of it as helps.
            Err(_) => Self::Impossible(name.chars().take(2 * DatabaseName::MAX_BYTES).collect()),
        }
    }

    /// v1: `db` and `rp` together are one name (contract, data-plane section 3).
    pub(crate) fn v1(db: Option<&str>, rp: Option<&str>) -> Result<Self, Failure> {
        let db = given("db", db)?;
        Ok(Self::of(&match rp {
            None | Some("" | "''" | "autogen" | "default") => Cow::Borrowed(db),
            Some(rp) => Cow::Owned(format!("{db}/{}", rp.to_lowercase())),
        }))
    }

    /// v2: the bucket is the database.
    pub(crate) fn v2(bucket: Option<&str>) -> Result<Self, Failure> {
        match bucket {
            None | Some("") => Err(Failure::Invalid("missing bucket value".to_owned())),
            Some(bucket) => Ok(Self::of(bucket)),
        }
    }

    /// v3: `db` is the database.
    pub(crate) fn v3(db: Option<&str>) -> Result<Self, Failure> {
        Ok(Self::of(given("db", db)?))
    }
}

fn given<'a>(field: &str, value: Option<&'a str>) -> Result<&'a str, Failure> {
    match value {
        None => Err(Failure::Invalid(format!("missing field `{field}`"))),
        Some("") => Err(Failure::Invalid(
            "namespace name length must be between 1 and 64 characters".to_owned(),
        )),
        Some(value) => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v1_joins_database_and_retention_policy() {
        let cases = [
            ("db", None, "db"),
            ("db", Some(""), "db"),
            ("db", Some("''"), "db"),
            ("db", Some("autogen"), "db"),
            ("db", Some("default"), "db"),
            ("db", Some("OneYear"), "db/oneyear"),
            ("db/oneyear", Some("oneyear"), "db/oneyear/oneyear"),
            ("db/autogen", None, "db/autogen"),
        ];
        for (db, rp, expected) in cases {
            assert_eq!(
                Target::v1(Some(db), rp).ok(),
                Some(Target::of(expected)),
                "{db} {rp:?}"
            );
        }
    }

    #[test]
    fn a_missing_name_is_told_from_an_impossible_one() {
        let refusals = [
            Target::v1(None, None),
            Target::v1(Some(""), Some("x")),
            Target::v2(None),
            Target::v2(Some("")),
        ];
        let texts = refusals.map(|refusal| refusal.expect_err("refused").to_string());
        insta::assert_snapshot!(texts.join("\n"));
        assert_eq!(
            Target::v2(Some("a b")).ok(),
            Some(Target::Impossible("a b".to_owned()))
        );
        assert_eq!(
            Target::v3(Some(&"x".repeat(999))).ok(),
            Some(Target::Impossible("x".repeat(128)))
        );
        assert!(matches!(Target::v3(Some("a-b")), Ok(Target::Named(_))));
    }
}
