//! Where a catalog is kept.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

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

/// What is unsafe about the way to a catalog, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Exposure {
    /// Nothing insists on encryption.
    #[error(
        "what passes between this node and PostgreSQL on {host} may pass in clear, and whoever is in between may change it: \
         add sslmode=verify-full to the address, and sslrootcert=FILE for an authority of your own; sslmode=disable says \
         that the way is safe by itself"
    )]
    Clear {
        /// Where PostgreSQL runs.
        host: String,
    },
    /// An authority is named, and nothing is compared with it.
    #[error(
        "sslrootcert in the address is not looked at, so that anybody may pass for PostgreSQL on {host}: only \
         sslmode=verify-full and verify-ca ask for its certificate"
    )]
    Unverified {
        /// Where PostgreSQL runs.
        host: String,
    },
}

impl Location {
    /// What is unsafe about the way to it; `None` where nothing is, or whoever wrote the address said that it is meant so.
    pub fn exposure(&self) -> Option<Exposure> {
        let Self::Postgres(url) = self else {
            return None;
        };
        let options = PgConnectOptions::from_str(url).ok()?;
        let host = options.get_host().to_owned();
        if options.get_socket().is_some() || is_here(&host) {
            return None;
        }
        let names_authority = || files_of(url).iter().any(|(name, _)| *name == ROOT);
        match options.get_ssl_mode() {
            // To the driver `allow` is the same as `disable`, which nobody can know who writes it.
            PgSslMode::Allow | PgSslMode::Prefer => Some(Exposure::Clear { host }),
            PgSslMode::Disable | PgSslMode::Require if names_authority() => {
                Some(Exposure::Unverified { host })
            }
            PgSslMode::Disable | PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => None,
        }
    }
}

/// Whether nothing passes through a network.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    // A directory is that of a socket.
    is_loopback || host.starts_with('/') || host.eq_ignore_ascii_case("localhost")
}

const ROOT: &str = "sslrootcert";
/// The parameters that name files, and the variables that do where they are missing.
const FILES: [(&str, &str); 3] = [
    (ROOT, "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
];

/// The files that a PostgreSQL URL names, by parameter.
pub(crate) fn files_of(url: &str) -> Vec<(&'static str, PathBuf)> {
    let named = FILES.into_iter().filter_map(|(name, variable)| {
        let given = parameters(url).rfind(|(known, _)| *known == name);
        let value = match given {
            Some((_, value)) => {
                let value = value.replace('+', " ");
                percent_decode_str(&value).decode_utf8().ok()?.into_owned()
            }
            None => std::env::var(variable).ok()?,
        };
        // The driver takes the certificate itself, too.
        (!value.trim_start().starts_with("-----BEGIN")).then(|| (name, PathBuf::from(value)))
    });
    named.collect()
}

fn parameters(url: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let given = parameters.split('&').filter(|parameter| !parameter.is_empty());
    given.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
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
    for (name, _) in parameters(url) {
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
    fn a_way_that_may_be_in_clear_is_told() {
        let exposure = |url: &str| {
            let location: Location = url.parse().expect("a location");
            location.exposure()
        };
        let host = || "db".to_owned();
        for url in [
            "postgres://u:hush@db/c",
            "postgres://u:hush@db/c?sslmode=prefer",
            "postgres:///c?user=u&host=db&sslmode=allow",
        ] {
            assert_eq!(exposure(url), Some(Exposure::Clear { host: host() }), "{url}");
        }
        assert_eq!(
            exposure("postgres://u@db/c?sslmode=require&sslrootcert=/ca.pem"),
            Some(Exposure::Unverified { host: host() })
        );
        for url in [
            "postgres://u@db/c?sslmode=verify-full&sslrootcert=/ca.pem",
            "postgres://u@db/c?sslmode=require",
            "postgres://u@db/c?sslmode=disable",
            "postgres://u@127.0.0.1/c",
            "postgres://u@[::1]/c",
            "postgres://u@localhost:5433/c",
            "postgres://u@%2Fvar%2Frun%2Fpostgresql/c",
            "sqlite:c.db",
        ] {
            assert_eq!(exposure(url), None, "{url}");
        }
    }

    #[test]
    fn files_are_those_that_the_driver_reads() {
        let url = "postgres://u@db/c?sslrootcert=/a.pem&sslkey=%2Fetc%2Fmy%20key&sslrootcert=/b.pem&sslcert=-----BEGIN";
        let files = files_of(url);
        assert_eq!(
            files,
            [
                (ROOT, PathBuf::from("/b.pem")),
                ("sslkey", PathBuf::from("/etc/my key"))
            ]
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
