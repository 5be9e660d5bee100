//! The engine: its parts, and how they start and stop.

use std::fs::{self, File};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::DefaultHashBuilder;
use rescind_domain::{Clock, DatabaseId, TableId};
use tokio::sync::Semaphore;

use crate::budget::Budget;
use crate::committer::{CommitError, Committer, Effect, LogCounters};
use crate::errors::Error;
use crate::log::{self, Log};
use crate::maintenance::Maintenance;
use crate::manifest::Manifest;
use crate::queries::Queries;
use crate::records::Record;
use crate::replay;
use crate::schema::Column;
use crate::settings::Settings;
use crate::tables::Tables;

/// The embedded database. Clones share one engine; it stops when the last is dropped.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// What has been counted since the engine was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Points stored.
    pub lines_written: u64,
    /// Lines rejected.
    pub lines_rejected: u64,
    /// Writes refused for other reasons than their lines.
    pub writes_refused: u64,
    /// Bytes appended to the log.
    pub log_bytes: u64,
    /// Times the log was made durable.
    pub log_syncs: u64,
    /// Bytes of points that are not in files yet, now.
    pub buffer_bytes: u64,
    /// Queries started.
    pub queries: u64,
    /// Queries that ended in an error.
    pub queries_failed: u64,
    /// Tables that hold points, now.
    pub tables: u64,
    /// Parquet files, now.
    pub files: u64,
    /// Bytes of Parquet files, now.
    pub file_bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) lines_written: AtomicU64,
    pub(crate) lines_rejected: AtomicU64,
    pub(crate) writes_refused: AtomicU64,
    pub(crate) queries: AtomicU64,
    pub(crate) queries_failed: AtomicU64,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hasher: DefaultHashBuilder,
    pub(crate) tables: Arc<Tables>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) committer: Committer,
    pub(crate) maintenance: Maintenance,
    pub(crate) queries: Queries,
    /// How many bodies are parsed at a time, besides short ones.
    pub(crate) parsers: Semaphore,
    pub(crate) counters: Counters,
    log_counters: Arc<LogCounters>,
    /// Held as long as the engine lives: a second process must not write here.
    _lock: File,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("dir", &self.settings.dir)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the engine of a directory, making it if it is new, and replays its log.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the file and the place of what the engine never wrote; [`Error::Io`] covers the rest,
    /// a directory that another process has open included.
    pub fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let dir = &settings.dir;
        for dir in [
            dir.clone(),
            settings.log_dir(),
            settings.data_dir(),
            settings.spill_dir(),
        ] {
            fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
        }
        log::sync_dir(dir)?;
        let lock = lock(&settings)?;
        let hasher = DefaultHashBuilder::default();
        let tables = Arc::new(Tables::default());
        let manifest = Manifest::read(dir)?;
        replay::load_files(&manifest, &settings.data_dir(), &tables)?;
        let next_segment = replay::replay(&settings.log_dir(), manifest.first_segment, &tables, &hasher)?;
        replay::check_files(&settings.data_dir(), &tables)?;
        let log = Log::create(&settings.log_dir(), next_segment)?;
        let log_counters = Arc::new(LogCounters::default());
        let committer = Committer::start(log, Arc::clone(&tables), Arc::clone(&log_counters))?;
        let queries = Queries::start(&settings)?;
        let parsers = std::thread::available_parallelism().map_or(2, usize::from);
        let inner = Arc::new(Inner {
            budget: Arc::new(Budget::new(Arc::clone(&tables), settings.buffer_limit())),
            maintenance: Maintenance::new(&manifest),
            clock,
            hasher,
            tables,
            committer,
            queries,
            parsers: Semaphore::new(parsers),
            counters: Counters::default(),
            log_counters,
            settings,
            _lock: lock,
        });
        if inner.settings.background {
            Maintenance::start(&inner)?;
            inner.wake_when_full();
        }
        Ok(Self { inner })
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// The columns of a table, `time` first, then as they came; none when no point was ever written to it.
    pub fn table_columns(&self, table: TableId) -> Vec<Column> {
        self.inner
            .tables
            .get(table)
            .map_or_else(Vec::new, |table| table.schema().columns().to_vec())
    }

    /// Every table that holds, or held, a point.
    pub fn tables(&self) -> Vec<TableId> {
        self.inner.tables.all().iter().map(|table| table.id).collect()
    }

    /// How many bytes a table takes, on disk and in memory, about.
    pub fn table_bytes(&self, table: TableId) -> u64 {
        self.inner.tables.get(table).map_or(0, |table| table.bytes())
    }

    /// Removes the data of a table, durably. Its id must not be used again.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the log cannot take it.
    pub async fn drop_table(&self, table: TableId) -> Result<(), Error> {
        let effect = Effect::DropTable(table);
        self.inner
            .commit(Some(&Record::DropTable(table)), effect)
            .await
            .map(drop)
    }

    /// Removes the data of all tables of a database, durably. Its id must not be used again.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the log cannot take it.
    pub async fn drop_database(&self, database: DatabaseId) -> Result<(), Error> {
        let effect = Effect::DropDatabase(database);
        self.inner
            .commit(Some(&Record::DropDatabase(database)), effect)
            .await
            .map(drop)
    }

    /// What has been counted so far.
    pub fn stats(&self) -> Stats {
        let Inner {
            counters,
            log_counters,
            tables,
            ..
        } = &*self.inner;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let all = tables.all();
        let files: Vec<_> = all.iter().flat_map(|table| table.files()).collect();
        Stats {
            lines_written: get(&counters.lines_written),
            lines_rejected: get(&counters.lines_rejected),
            writes_refused: get(&counters.writes_refused),
            log_bytes: get(&log_counters.bytes),
            log_syncs: get(&log_counters.syncs),
            buffer_bytes: tables.buffered.load(Ordering::Relaxed) as u64,
            queries: get(&counters.queries),
            queries_failed: get(&counters.queries_failed),
            tables: all.len() as u64,
            files: files.len() as u64,
            file_bytes: files.iter().map(|file| file.meta.bytes).sum(),
        }
    }

    /// Persists what is buffered and stops: later writes are refused. Nothing is lost without it, but the next start
    /// replays the log.
    ///
    /// # Errors
    /// As [`Engine::persist`]; the engine is stopped all the same.
    pub async fn close(&self) -> Result<(), Error> {
        let persisted = self.persist().await;
        let inner = Arc::clone(&self.inner);
        let stopped = tokio::task::spawn_blocking(move || {
            inner.maintenance.close();
            inner.committer.close();
        });
        stopped.await.map_err(|error| Error::Stopped(error.to_string()))?;
        persisted
    }
}

impl Inner {
    /// Commits something that is not a write.
    pub(crate) async fn commit(&self, record: Option<&Record>, effect: Effect) -> Result<u64, Error> {
        let answer = self.committer.commit(record, effect).await;
        answer
            .unwrap_or_else(|_| Err(CommitError::Failed("the committing thread is gone".to_owned())))
            .map_err(|error| match error {
                CommitError::Cut => Error::Stopped("cut".to_owned()),
                CommitError::TooLarge { .. } => Error::Stopped("too large for the log".to_owned()),
                CommitError::Failed(why) => Error::Stopped(why),
            })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.maintenance.close();
    }
}

fn lock(settings: &Settings) -> Result<File, Error> {
    let path = settings.dir.join("lock");
    let file = File::create(&path).map_err(Error::io("create", &path))?;
    file.try_lock()
        .map_err(std::io::Error::from)
        .map_err(Error::io("lock", &path))?;
    Ok(file)
}
