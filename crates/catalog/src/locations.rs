//! Where a catalog is kept.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a catalog is kept. `Debug` and `Display` never show a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// In this file, on the machine of the one node.
    Sqlite(PathBuf),
    /// In the PostgreSQL database at this URL, shared by several nodes. May hold a password.
    Postgres(String),
}

/// Why a text is not a location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be sqlite:PATH or postgres://USER@HOST/DATABASE")]
pub struct LocationError;

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) => match path.strip_prefix("//").unwrap_or(path) {
                "" => Err(LocationError),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            },
            None => Err(LocationError),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                // What stands before the last '@' may be a password, and so may a query parameter.
                let shown = url.rsplit_once('@').map_or(url.as_str(), |(_, host)| host);
                let shown = shown.split('?').next().unwrap_or_default();
                let shown = shown.split_once("://").map_or(shown, |(_, rest)| rest);
                write!(f, "postgres://{shown}")
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        for text in ["sqlite:a/b.db", "sqlite://a/b.db"] {
            assert_eq!(text.parse(), Ok(Location::Sqlite("a/b.db".into())));
        }
        assert_eq!("sqlite:///a/b.db".parse(), Ok(Location::Sqlite("/a/b.db".into())));
        for text in ["", "sqlite:", "sqlite://", "mysql://h/d", "a.db"] {
            assert_eq!(text.parse::<Location>(), Err(LocationError), "{text:?}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgres://rescind:hush@db:5432/catalog",
            "postgresql://rescind:hu@sh@db:5432/catalog",
            "postgres://db:5432/catalog?user=rescind&password=hush",
        ] {
            let location: Location = url.parse().expect("a location");
            assert_eq!(location.to_string(), "postgres://db:5432/catalog");
            assert_eq!(format!("{location:?}"), "postgres://db:5432/catalog");
        }
    }
}
