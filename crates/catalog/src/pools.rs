//! The connections to one catalog, by what they are for, and how each kind is set.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, ConnectOptions as _, Connection as _};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

use crate::connections::{Lent, Line, Pool, set, within};
use crate::seam::Backend;
use crate::{Error, Location};
use crate::{faults, migrations};

/// Set on every connection. FULL: what was acknowledged survives power loss (promise G5). The log is checkpointed every
/// 16 MB instead of every 4, because a checkpoint costs the unlucky commit two more synchronisations.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 10000; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000; \
     PRAGMA temp_store = MEMORY";

/// Set on every connection, besides what [`Manner`] says. The server finds out within twenty seconds that a client is
/// gone which could not say so, and takes back what it locked. It compiles no statement: over tables that it has not yet
/// looked at it would take the feed for dear and spend a second or two on compiling what takes a millisecond, at each
/// reading, which ends terms.
const POSTGRES_SETTINGS: &str = "SET timezone = 'UTC'; SET jit = off; SET lock_timeout = '10s'; SET tcp_keepalives_idle = 10; \
     SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '20s'";

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
const POSTGRES_READERS: u32 = 10;
const POSTGRES_WRITERS: u32 = 4;
const FEED_READERS: u32 = 1;

/// After so long without use a connection to PostgreSQL is given back: a node that was busy once must not keep those that
/// another one needs to come back.
const IDLE: Duration = Duration::from_secs(60);
/// How long the end of connections may take. PostgreSQL notices by itself that a process is gone.
const CLOSING: Duration = Duration::from_secs(2);
/// How long a connection may lie unused before it is asked whether it is well.
const TRUSTED: Duration = Duration::from_secs(1);
/// How long a connection has for answering that.
const LIVELINESS: Duration = Duration::from_secs(2);
/// What the client waits beyond the time after which the server gives a statement up itself.
const GRACE: Duration = Duration::from_secs(5);
/// A file is always there; that somebody else has it locked is SQLite's to notice.
const SQLITE_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// How connections to PostgreSQL for one purpose behave.
#[derive(Debug, Clone, Copy)]
struct Manner {
    /// After so many seconds the server gives a statement up.
    statement: u64,
    /// After so many seconds without a statement it gives a transaction up, and the locks it holds.
    idle_transaction: u64,
    /// Whether a commit waits for the disk.
    is_durable: bool,
    /// Whether every statement looks rows up by their keys: one plan is good for all values and any size of the tables.
    by_key_alone: bool,
}

/// Pages of lists, searches. Whoever reads everything lifts the limit of time.
const READING: Manner = Manner {
    statement: 15,
    idle_transaction: 60,
    is_durable: true,
    by_key_alone: false,
};

/// Acts. Every other act waits while one holds the ledger: a node that stops in the middle of it must lose it before they
/// give up, and no sooner than a lease usually takes to lapse. While a network swallows what one act says, the others of its
/// node wait for that long, too.
const WRITING: Manner = Manner {
    statement: 12,
    idle_transaction: 5,
    is_durable: true,
    by_key_alone: false,
};

/// What keeps nodes current is quick or of no use. Planning the statement of the feed takes longer than running it.
const KEEPING: Manner = Manner {
    statement: 3,
    idle_transaction: 3,
    is_durable: true,
    by_key_alone: true,
};

impl Manner {
    fn settings(self) -> String {
        let plan = match self.by_key_alone {
            true => "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off",
            false => "SET plan_cache_mode = auto",
        };
        format!(
            "{POSTGRES_SETTINGS}; SET statement_timeout = '{}s'; SET idle_in_transaction_session_timeout = '{}s'; \
             SET synchronous_commit = {}; {plan}",
            self.statement,
            self.idle_transaction,
            if self.is_durable { "on" } else { "off" },
        )
    }
}

/// The connections to one catalog. `Debug` never shows a password.
#[derive(Clone)]
pub(crate) struct Pools {
    pub(crate) backend: Backend,
    pub(crate) readers: Pool,
    /// On SQLite one connection: writers queue here, in order, instead of fighting for the file's lock.
    pub(crate) writers: Pool,
    /// For what brings a revocation to this node, and for nothing that may take long: hundreds of searches that wait for
    /// the other readers must not delay it.
    pub(crate) feed: Line,
    /// For the renewals of this node's lease, which must not queue behind acts.
    pub(crate) leases: Line,
    /// For what nodes tell each other. Its commits do not wait for the disk (on SQLite, where there is one node, they do).
    pub(crate) signals: Line,
    /// For the rounds of fences.
    pub(crate) rounds: Line,
    /// Acts of this process follow one another before they come to the ledger's lock. Otherwise PostgreSQL, which learns
    /// late that a process is cut off or stopped, would give the lock to each that it has waiting.
    turn: Arc<Mutex<()>>,
    /// Where to listen for signals, if anybody else can give them.
    pub(crate) shared_url: Option<String>,
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pools").field(&self.backend).finish()
    }
}

impl Pools {
    pub(crate) async fn open(location: &Location) -> Result<Self, Error> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        match location {
            Location::Sqlite(path) => Self::open_sqlite(path).await,
            Location::Postgres(url) => Self::open_postgres(url).await,
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self, Error> {
        create_file(path)?;
        let options = sqlite_options(path)?.disable_statement_logging();
        // Without a pool, which takes every failure for one that passes, tries again and at last says only that time is up.
        let mut connection = AnyConnection::connect_with(&options).await?;
        set(&mut connection, SQLITE_SETTINGS).await?;
        connection.close().await?;
        let connect = async |connections| {
            let pool = AnyPoolOptions::new()
                .max_connections(connections)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None);
            let pool = with_settings(pool, SQLITE_SETTINGS.to_owned());
            Ok::<_, Error>(Pool {
                inner: pool.connect_with(options.clone()).await?,
                patience: SQLITE_PATIENCE,
            })
        };
        // The writer comes first: it turns the file into one with a write-ahead log.
        let writers = connect(1).await?;
        Ok(Self {
            backend: Backend::Sqlite,
            readers: connect(SQLITE_READERS).await?,
            feed: Line::Shared(connect(FEED_READERS).await?),
            leases: Line::Shared(writers.clone()),
            signals: Line::Shared(writers.clone()),
            rounds: Line::Shared(writers.clone()),
            writers,
            turn: Arc::default(),
            shared_url: None,
        })
    }

    async fn open_postgres(url: &str) -> Result<Self, Error> {
        if let Some(fault) = faults::unreadable(url) {
            return Err(Error::Server(fault));
        }
        let options = url.parse::<AnyConnectOptions>()?.disable_statement_logging();
        // Without a pool, which takes every failure for one that passes, tries again and at last says only that time is up.
        let trial = Line::new(options.clone(), KEEPING.settings(), ACQUIRE_TIMEOUT);
        let fault = faults::examine(&mut *trial.take().await?).await?;
        trial.close().await;
        if let Some(fault) = fault {
            return Err(Error::Server(fault));
        }
        let pool = |connections, manner: Manner| Pool {
            inner: looked_after(with_settings(
                AnyPoolOptions::new()
                    .max_connections(connections)
                    .idle_timeout(IDLE),
                manner.settings(),
            ))
            .connect_lazy_with(options.clone()),
            patience: Duration::from_secs(manner.statement) + GRACE,
        };
        let line = |manner: Manner| {
            let patience = Duration::from_secs(manner.statement);
            Line::new(options.clone(), manner.settings(), patience)
        };
        let not_durable = Manner {
            is_durable: false,
            ..KEEPING
        };
        Ok(Self {
            backend: Backend::Postgres,
            readers: pool(POSTGRES_READERS, READING),
            writers: pool(POSTGRES_WRITERS, WRITING),
            feed: line(KEEPING),
            leases: line(KEEPING),
            signals: line(not_durable),
            rounds: line(not_durable),
            turn: Arc::default(),
            shared_url: Some(url.to_owned()),
        })
    }

    /// Looks whether everything that will be needed is allowed.
    pub(crate) async fn ensure_rights(&self) -> Result<(), Error> {
        if self.backend == Backend::Sqlite {
            return Ok(());
        }
        let mut reader = self.readers.take().await?;
        match faults::examine_rights(&mut reader, &migrations::tables()).await? {
            Some(fault) => Err(Error::Server(fault)),
            None => Ok(()),
        }
    }

    /// Waits until no other act of this process holds the ledger or waits for it.
    pub(crate) async fn turn(&self) -> Result<OwnedMutexGuard<()>, Error> {
        timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.turn).lock_owned())
            .await
            .map_err(|_| Error::Unavailable("the acts before it take too long".into()))
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Lent, Error> {
        Ok(self.writers.begin(self.backend.begin_writing()).await?)
    }

    /// Begins a transaction that writes what may be lost in a crash.
    pub(crate) async fn begin_forgettable(&self) -> Result<Lent, Error> {
        Ok(self.writers.begin(self.backend.begin_forgettable()).await?)
    }

    pub(crate) async fn close(&self) {
        let closing = async {
            self.readers.inner.close().await;
            for line in [&self.feed, &self.leases, &self.signals, &self.rounds] {
                line.close().await;
            }
            // Last, so that SQLite folds its log into the file.
            self.writers.inner.close().await;
        };
        match self.backend {
            Backend::Sqlite => closing.await,
            // A server that does not answer keeps no process from ending.
            Backend::Postgres => drop(timeout(CLOSING, closing).await),
        }
    }
}

fn with_settings(pool: AnyPoolOptions, settings: String) -> AnyPoolOptions {
    pool.acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| {
            let settings = settings.clone();
            Box::pin(async move { set(connection, &settings).await })
        })
}

/// A connection that says nothing any more must not take its place in the pool with it: by itself, the pool would wait for
/// it as long as TCP does.
fn looked_after(pool: AnyPoolOptions) -> AnyPoolOptions {
    pool.test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                let is_trusted = known.idle_for < TRUSTED;
                Ok(is_trusted || within(LIVELINESS, connection.ping()).await.is_ok())
            })
        })
        .after_release(|connection, _| {
            Box::pin(async move { Ok(within(LIVELINESS, connection.ping()).await.is_ok()) })
        })
}

/// A path goes into a URL, where most characters mean something.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');

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
