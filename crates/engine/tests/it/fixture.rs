//! An engine in a temporary directory, a catalog in memory, permits and a clock that stands still.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use async_trait::async_trait;
use futures::TryStreamExt;
use parking_lot::Mutex;
use rescind_domain::{
    Action, Ask, Clock, ClusterId, DatabaseGrant, DatabaseId, DatabaseLimits, DatabaseName, DatabaseTokenId,
    DatabaseView, Permission, Permissions, Permit, Resource, TableId, TableName, TableView, Tether,
    Timestamp, decide,
};
use rescind_engine::{
    Engine, Format, Precision, Query, QueryError, Settings, TableMaker, TableMakerError, Write, WriteError,
    Written,
};

/// 2023-11-14T22:13:20Z, in nanoseconds.
pub(crate) const NOW: i64 = 1_700_000_000_000_000_000;

/// A clock that tests move.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn set_nanos(&self, nanos: i64) {
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed) / 1_000)
    }
}

/// A tether that tests cut.
#[derive(Debug, Default)]
pub(crate) struct TestTether(AtomicBool);

impl TestTether {
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Tether for TestTether {
    fn is_cut(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A database whose tables are made by writes.
pub(crate) struct TestDatabase {
    view: Mutex<Arc<DatabaseView>>,
    next_table: AtomicI64,
}

impl TestDatabase {
    pub(crate) fn new(id: i64, name: &str, limits: DatabaseLimits) -> Self {
        let view = DatabaseView {
            id: DatabaseId::new(id).expect("positive"),
            name: name.parse().expect("a name"),
            limits,
            tables: BTreeMap::new(),
        };
        Self {
            view: Mutex::new(Arc::new(view)),
            next_table: AtomicI64::new(id * 1_000),
        }
    }

    pub(crate) fn view(&self) -> Arc<DatabaseView> {
        Arc::clone(&self.view.lock())
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut DatabaseView)) {
        let mut view = self.view.lock();
        let mut changed = (**view).clone();
        change(&mut changed);
        *view = Arc::new(changed);
    }

    pub(crate) fn table(&self, name: &str) -> TableId {
        self.view().tables[name].id
    }

    pub(crate) fn permit(&self, action: Action, tether: Arc<dyn Tether>) -> Permit {
        let name = self.view().name.clone();
        permit(action, &name, tether)
    }
}

fn permit(action: Action, database: &DatabaseName, tether: Arc<dyn Tether>) -> Permit {
    let permission = Permission {
        action,
        resource: Resource::AllDatabases,
    };
    let grant = DatabaseGrant {
        token: DatabaseTokenId::from_bytes([1; 16]),
        cluster: ClusterId::from_bytes([2; 16]),
        permissions: Arc::new(Permissions::new([permission]).expect("few")),
        expires_at: None,
    };
    decide(&grant, Ask { action, database }, tether).expect("allowed")
}

#[async_trait]
impl TableMaker for TestDatabase {
    async fn make_tables(
        &self,
        _: &Permit,
        names: Vec<TableName>,
    ) -> Result<Arc<DatabaseView>, TableMakerError> {
        let limits = self.view().limits;
        let count = self.view().tables.len() + names.len();
        if count > usize::try_from(limits.max_tables.get()).expect("positive") {
            return Err(TableMakerError::TooMany {
                max: limits.max_tables.get(),
            });
        }
        self.change(|view| {
            for name in names {
                let id = self.next_table.fetch_add(1, Ordering::Relaxed);
                view.tables.entry(name).or_insert(TableView {
                    id: TableId::new(id).expect("positive"),
                    max_columns: limits.max_columns,
                    is_current_name: true,
                });
            }
        });
        Ok(self.view())
    }
}

/// An engine and one database.
pub(crate) struct Fixture {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) engine: Engine,
    pub(crate) database: TestDatabase,
    pub(crate) tether: Arc<TestTether>,
    pub(crate) dir: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(DatabaseLimits::default(), |_| {})
    }

    pub(crate) fn with(limits: DatabaseLimits, adjust: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let mut settings = Settings::new(dir.path());
        settings.background = false;
        adjust(&mut settings);
        let clock = Arc::new(TestClock(AtomicI64::new(NOW)));
        let engine = Engine::open(settings.clone(), Arc::<TestClock>::clone(&clock)).expect("opens");
        Self {
            settings,
            clock,
            engine,
            database: TestDatabase::new(1, "home", limits),
            tether: Arc::default(),
            dir,
        }
    }

    /// Drops the engine without closing it, and opens it again.
    pub(crate) fn restart(self) -> Self {
        self.replaced(|| {})
    }

    /// The same, with something done while no engine is open.
    pub(crate) fn replaced(mut self, between: impl FnOnce()) -> Self {
        let clock = Arc::<TestClock>::clone(&self.clock);
        let settings = self.settings.clone();
        drop(self.engine);
        between();
        // The end of a query that just gave its last batch may still hold the engine for a moment.
        self.engine = (0..1_000)
            .find_map(
                |_| match Engine::open(settings.clone(), Arc::<TestClock>::clone(&clock)) {
                    Err(rescind_engine::Error::Io { doing: "lock", .. }) => {
                        std::thread::sleep(std::time::Duration::from_millis(1));
                        None
                    }
                    opened => Some(opened.expect("opens again")),
                },
            )
            .expect("the engine before it has stopped");
        self
    }

    pub(crate) async fn try_write(&self, write: Write) -> Result<Written, WriteError> {
        let permit = self
            .database
            .permit(Action::Write, Arc::<TestTether>::clone(&self.tether));
        self.engine
            .write(&permit, self.database.view(), write, &self.database)
            .await
    }

    pub(crate) async fn write(&self, lines: &str) {
        self.try_write(lines_of(lines)).await.expect("stored");
    }

    pub(crate) async fn try_query(&self, query: Query, format: Format) -> Result<Vec<u8>, QueryError> {
        let permit = self
            .database
            .permit(Action::Read, Arc::<TestTether>::clone(&self.tether));
        let result = self.engine.query(&permit, self.database.view(), query).await?;
        let parts: Vec<_> = result.encode(format).try_collect().await?;
        Ok(parts.concat())
    }

    pub(crate) async fn try_sql(&self, sql: &str, format: Format) -> Result<String, QueryError> {
        let query = Query {
            sql: sql.to_owned(),
            ..Query::default()
        };
        let bytes = self.try_query(query, format).await?;
        Ok(String::from_utf8(bytes).expect("a text format"))
    }

    pub(crate) async fn csv(&self, sql: &str) -> String {
        self.try_sql(sql, Format::Csv).await.expect("answered")
    }
}

pub(crate) fn lines_of(lines: impl Into<Vec<u8>>) -> Write {
    Write {
        lines: lines.into().into(),
        precision: Precision::Nanoseconds,
        accept_partial: true,
    }
}

impl Fixture {
    /// Knows the same tables by the same ids as another.
    pub(crate) fn adopt_tables(&self, other: &Self) {
        let tables = other.database.view().tables.clone();
        self.database.change(|view| view.tables = tables);
    }

    /// The Parquet files on disk.
    pub(crate) fn parquet_files(&self) -> Vec<std::path::PathBuf> {
        self.files_below("data")
    }

    pub(crate) fn files_below(&self, name: &str) -> Vec<std::path::PathBuf> {
        let mut files = Vec::new();
        let mut dirs = vec![self.dir.path().join(name)];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    dirs.push(path)
                } else {
                    files.push(path)
                }
            }
        }
        files.sort();
        files
    }
}
