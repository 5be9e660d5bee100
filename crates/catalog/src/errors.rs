//! What can go wrong between a caller and the catalog, free of any transport and any driver.

use std::path::PathBuf;

use rescind_domain::Revision;

use crate::{Location, ServerFault};

/// What the driver said, for the log.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the catalog did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog cannot be reached, is overloaded or refused the statement. Nothing was kept.
    #[error("the catalog is unavailable")]
    Unavailable(#[source] Source),
    /// The connection failed while committing: the act may have been kept or not. Acts are safe to look up and repeat.
    #[error("whether the catalog kept the act is unknown; look before repeating it")]
    Uncertain(#[source] Source),
    /// Something with the same unique property exists. The transaction is spent: drop it.
    #[error("this {what} exists already")]
    Conflict {
        /// What exists: "database name".
        what: &'static str,
    },
    /// What was to be changed or referred to does not exist. The transaction is spent: drop it.
    #[error("no such {what}")]
    Missing {
        /// What does not exist: "database".
        what: &'static str,
    },
    /// A stored value is not what Rescind writes.
    #[error("the catalog is damaged: table {table}, column {column}, row {row}: {problem}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        row: String,
        /// What is wrong with the value.
        problem: String,
    },
    /// The catalog was last opened by a newer version of Rescind.
    #[error(
        "the catalog has schema version {found}, and this version of rescind knows versions up to {known}: use a newer rescind"
    )]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The catalog does not hold what was read from it before, though it may hold as much.
    #[error(
        "the catalog went back: it is at revision {found} and does not hold what was read from it up to revision {seen}. It \
         was restored from an older back-up, or it is another one. Start every node anew, and revoke again what was revoked \
         since the back-up was made"
    )]
    Rewound {
        /// What was seen before.
        seen: Revision,
        /// What it is at now.
        found: Revision,
    },
    /// The page cursor is of another list or another sort order.
    #[error("the cursor does not belong to this list and order; start again from the first page")]
    Cursor,
    /// The file of a SQLite catalog cannot be created.
    #[error("the catalog file {} cannot be created", path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file of a SQLite catalog holds something else, or has been damaged.
    #[error("{} is not a SQLite database, or a damaged one: restore it from a back-up", path.display())]
    NotADatabase {
        /// Where it is.
        path: PathBuf,
        /// What the driver said.
        source: Source,
    },
    /// The PostgreSQL server cannot keep the catalog.
    #[error(transparent)]
    Server(ServerFault),
    /// The path of a SQLite catalog is not UTF-8.
    #[error("the path of the catalog file must be UTF-8, not {}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl Error {
    /// What it means if it is the PostgreSQL server's: what is wrong with it, in words.
    pub fn fault(&self) -> Option<ServerFault> {
        match self {
            Self::Server(fault) => Some(fault.clone()),
            Self::Unavailable(source) | Self::Uncertain(source) => {
                source.downcast_ref::<sqlx::Error>().and_then(ServerFault::of)
            }
            _ => None,
        }
    }

    /// What a failure to open the catalog at `location` means: a file that cannot be read will not become readable.
    pub(crate) fn opening(self, location: &Location) -> Self {
        match (self, location) {
            (Self::Unavailable(source), Location::Sqlite(path)) if is_damage(&*source) => {
                Self::NotADatabase {
                    path: path.clone(),
                    source,
                }
            }
            (error @ Self::Unavailable(_), Location::Postgres(_)) => {
                error.fault().map_or(error, Self::Server)
            }
            (other, _) => other,
        }
    }

    /// What a failed statement that writes `what` means to the caller.
    pub(crate) fn writing(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |error| match error.as_database_error().map(|database| database.kind()) {
            Some(sqlx::error::ErrorKind::UniqueViolation) => Self::Conflict { what },
            Some(sqlx::error::ErrorKind::ForeignKeyViolation) => Self::Missing { what: "owner" },
            _ => Self::from(error),
        }
    }

    /// Every write says how many rows it must have touched: one.
    pub(crate) fn exactly_one(what: &'static str, affected: u64) -> Result<(), Self> {
        match affected {
            1 => Ok(()),
            _ => Err(Self::Missing { what }),
        }
    }
}

/// SQLITE_CORRUPT and SQLITE_NOTADB, whatever their extension (SQLite, "Result and Error Codes").
const DAMAGE: [u32; 2] = [11, 26];

fn is_damage(source: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = source
        .downcast_ref::<sqlx::Error>()
        .and_then(sqlx::Error::as_database_error);
    let code = error.and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| DAMAGE.contains(&(code & 0xff)))
}
