//! The seam between the one SQL text and the two backends. Nothing else in the crate asks which backend it is.
//!
//! Both are reached through sqlx's `Any` driver: with `$1` placeholders, text ids and 64-bit integers one text serves
//! both, and loading a million rows through it costs no more than through the native driver.

use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Executor};

use crate::{Error, Location};

/// Set on every connection. FULL: what was acknowledged survives power loss (promise G5). The log is checkpointed every
/// 16 MB instead of every 4, because a checkpoint costs the unlucky commit two more synchronisations.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 10000; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000; \
     PRAGMA temp_store = MEMORY";

/// Set on every connection. A node that stops in the middle of a transaction must not hold the ledger for ever.
const POSTGRES_SETTINGS: &str = "SET synchronous_commit = on; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '30s'; SET timezone = 'UTC'";

/// As above, but without waiting for the disk: see `Catalog::acknowledge`.
const POSTGRES_ROUND_SETTINGS: &str = "SET synchronous_commit = off; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '30s'; SET timezone = 'UTC'";

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
const POSTGRES_READERS: u32 = 10;
const POSTGRES_WRITERS: u32 = 4;
const FEED_READERS: u32 = 1;
const POSTGRES_LEASES: u32 = 1;
const POSTGRES_ROUNDS: u32 = 2;

/// Which backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// Begins a transaction that writes. SQLite takes its one write lock at once, so that no later statement can fail
    /// for the lack of it.
    pub(crate) fn begin_writing(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Begins a transaction whose statements all see the same moment.
    pub(crate) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Keeps a second process from migrating at the same time; SQLite's write lock does so by itself.
    pub(crate) fn lock_migrations(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(7310032981)"),
        }
    }

    /// Notes what a node acts by. On PostgreSQL those who wait for it are told.
    pub(crate) fn acknowledge(self) -> &'static str {
        match self {
            Self::Sqlite => "UPDATE nodes SET applied = $2 WHERE id = $1 AND applied < $2",
            Self::Postgres => {
                "WITH acknowledged AS (
                     UPDATE nodes SET applied = $2 WHERE id = $1 AND applied < $2 RETURNING id)
                 SELECT pg_notify('rescind_applied', '')::text AS told FROM acknowledged"
            }
        }
    }

    /// Tells the other nodes that changes were committed, if there can be others.
    pub(crate) fn tell_of_change(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_notify('rescind_changed', '')::text AS told"),
        }
    }

    /// The elements of the JSON array in this place of a statement, as rows with a column `value`: how a statement takes
    /// any number of rows as one parameter.
    pub(crate) fn elements(self, place: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({place})"),
            Self::Postgres => format!("json_array_elements(CAST({place} AS json))"),
        }
    }

    /// Statements that write to different tables and share their parameters, as one: each round trip to a server counts
    /// while everybody else waits for the ledger.
    pub(crate) fn together(self, [first, second, last]: [&str; 3]) -> String {
        match self {
            Self::Sqlite => format!("{first}; {second}; {last}"),
            Self::Postgres => format!("WITH first AS ({first}), second AS ({second}) {last}"),
        }
    }

    /// Ends a selection, in order, of rows that will be written. Whoever else writes several of them, such as the flush of
    /// uses, waits for its turn instead of for each other. On SQLite the transaction has its lock already.
    pub(crate) fn lock_rows(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR NO KEY UPDATE",
        }
    }

    /// The schema in the backend's words. Text sorts by its bytes on both.
    pub(crate) fn schema(self, text: &str) -> String {
        let words = match self {
            Self::Sqlite => ["INTEGER", "TEXT", "BLOB", "STRICT"],
            Self::Postgres => ["BIGINT", "TEXT COLLATE \"C\"", "BYTEA", ""],
        };
        ["{integer}", "{text}", "{bytes}", "{strict}"]
            .into_iter()
            .zip(words)
            .fold(text.to_owned(), |text, (mark, word)| text.replace(mark, word))
    }
}

/// The connections to one catalog.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    pub(crate) backend: Backend,
    pub(crate) readers: AnyPool,
    /// For what brings a revocation to this node, and for nothing that may take long: hundreds of searches that wait for
    /// the other readers must not delay it.
    pub(crate) feed: AnyPool,
    /// On SQLite one connection: writers queue here, in order, instead of fighting for the file's lock.
    pub(crate) writers: AnyPool,
    /// For the renewals of this node's lease, which must not queue behind acts.
    pub(crate) leases: AnyPool,
    /// For the rounds of fences. Its commits do not wait for the disk (on SQLite, where there is one node, they do).
    pub(crate) rounds: AnyPool,
    /// Where to listen for signals, if anybody else can give them.
    pub(crate) signals: Option<String>,
}

impl Pools {
    pub(crate) async fn open(location: &Location) -> Result<Self, Error> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        match location {
            Location::Sqlite(path) => {
                create_file(path)?;
                let options = sqlite_options(path)?.disable_statement_logging();
                try_out(&options, SQLITE_SETTINGS).await?;
                let pool = |connections| {
                    AnyPoolOptions::new()
                        .max_connections(connections)
                        .test_before_acquire(false)
                        .idle_timeout(None)
                        .max_lifetime(None)
                };
                // The writer comes first: it turns the file into one with a write-ahead log.
                let writers = connect(pool(1), &options, SQLITE_SETTINGS).await?;
                let readers = connect(pool(SQLITE_READERS), &options, SQLITE_SETTINGS).await?;
                let feed = connect(pool(FEED_READERS), &options, SQLITE_SETTINGS).await?;
                Ok(Self {
                    backend: Backend::Sqlite,
                    readers,
                    feed,
                    leases: writers.clone(),
                    rounds: writers.clone(),
                    writers,
                    signals: None,
                })
            }
            Location::Postgres(url) => {
                let options = url.parse::<AnyConnectOptions>()?.disable_statement_logging();
                try_out(&options, POSTGRES_SETTINGS).await?;
                let pool = |connections| AnyPoolOptions::new().max_connections(connections);
                Ok(Self {
                    backend: Backend::Postgres,
                    readers: connect(pool(POSTGRES_READERS), &options, POSTGRES_SETTINGS).await?,
                    feed: connect(pool(FEED_READERS), &options, POSTGRES_SETTINGS).await?,
                    writers: connect(pool(POSTGRES_WRITERS), &options, POSTGRES_SETTINGS).await?,
                    leases: connect(pool(POSTGRES_LEASES), &options, POSTGRES_SETTINGS).await?,
                    rounds: connect(pool(POSTGRES_ROUNDS), &options, POSTGRES_ROUND_SETTINGS).await?,
                    signals: Some(url.to_string()),
                })
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.feed.close().await;
        self.leases.close().await;
        self.rounds.close().await;
        // Last, so that SQLite folds its log into the file.
        self.writers.close().await;
    }
}

/// A path goes into a URL, where most characters mean something.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');

/// What runs statements, in a transaction or not.
pub(crate) type Connection = AnyConnection;

/// One connection without a pool: a pool takes every failure for one that passes, tries again and at last says only that
/// time is up.
async fn try_out(options: &AnyConnectOptions, settings: &'static str) -> Result<(), Error> {
    let mut connection = AnyConnection::connect_with(options).await?;
    connection.execute(sqlx::raw_sql(settings)).await?;
    Ok(connection.close().await?)
}

async fn connect(
    pool: AnyPoolOptions,
    options: &AnyConnectOptions,
    settings: &'static str,
) -> Result<AnyPool, Error> {
    let pool = pool
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| {
            Box::pin(async move { connection.execute(sqlx::raw_sql(settings)).await.map(|_| ()) })
        });
    Ok(pool.connect_with(options.clone()).await?)
}

fn sqlite_options(path: &Path) -> Result<AnyConnectOptions, Error> {
    let file = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let absolute = std::path::absolute(path).map_err(file)?;
    let text = absolute.to_str().ok_or_else(|| Error::Path {
        path: path.to_owned(),
    })?;
    Ok(format!("sqlite://{}", percent_encode(text.as_bytes(), PLAIN)).parse()?)
}

/// SQLite would create the file readable for everyone; its log files take over the mode of the file.
fn create_file(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let created = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match created {
        Ok(_) => {
            // The name must survive power loss as well as the contents.
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let directory = std::fs::File::open(directory.unwrap_or(Path::new("."))).map_err(file)?;
            directory.sync_all().map_err(file)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(file(error)),
    }
}
