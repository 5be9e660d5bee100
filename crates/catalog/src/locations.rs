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

/// Why a text is not a location. Shows no value: it may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// It begins like none.
    #[error("must be sqlite:PATH or postgres://USER@HOST/DATABASE")]
    Form,
    /// A parameter of a PostgreSQL URL that nothing would heed: a typing error must not turn encryption off.
    #[error("has the parameter {name:?}, which is unknown; known ones are {}", PARAMETERS.join(", "))]
    Parameter {
        /// Its name.
        name: String,
    },
}

/// The parameters of a PostgreSQL URL that the driver heeds.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// Whether the driver heeds every parameter of the URL.
fn check_parameters(url: &str) -> Result<(), LocationError> {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let name = parameter.split('=').next().unwrap_or_default();
        if !PARAMETERS.contains(&name) {
            let name = name.to_owned();
            return Err(LocationError::Parameter { name });
        }
    }
    Ok(())
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            check_parameters(text)?;
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) => match path.strip_prefix("//").unwrap_or(path) {
                "" => Err(LocationError::Form),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            },
            None => Err(LocationError::Form),
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
            assert_eq!(text.parse::<Location>(), Err(LocationError::Form), "{text:?}");
        }
    }

    #[test]
    fn a_misspelt_parameter_is_refused_without_its_value() {
        let url = "postgres://db/catalog?sslmode=require&passwrod=hush";
        let refused = url.parse::<Location>().expect_err("refused").to_string();
        assert!(
            refused.contains("\"passwrod\"") && !refused.contains("hush"),
            "{refused}"
        );
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
