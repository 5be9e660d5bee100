//! Speed of the engine: synced bulk writes, synced one-line writes, and short queries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use futures::TryStreamExt;
use futures::future::join_all;
use parking_lot::Mutex;
use rescind_domain::{
    Action, Ask, Clock, ClusterId, DatabaseGrant, DatabaseId, DatabaseLimits, DatabaseTokenId, DatabaseView,
    MaxColumns, Permission, Permissions, Permit, Resource, TableId, TableName, TableView, Tether, Timestamp,
    decide,
};
use rescind_engine::{Engine, Format, Precision, Query, Settings, TableMaker, TableMakerError, Write};
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

/// Lines of a bulk write.
const BULK: i64 = 5_000;
/// 2023-11-14T22:13:20Z, in nanoseconds.
const START: i64 = 1_700_000_000_000_000_000;

struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(START / 1_000)
    }
}

#[derive(Debug)]
struct Uncut;

impl Tether for Uncut {
    fn is_cut(&self) -> bool {
        false
    }
}

struct OneTable(Mutex<Arc<DatabaseView>>);

#[async_trait]
impl TableMaker for OneTable {
    async fn make_tables(
        &self,
        _: &Permit,
        names: Vec<TableName>,
    ) -> Result<Arc<DatabaseView>, TableMakerError> {
        let mut view = self.0.lock();
        let mut changed = (**view).clone();
        for (name, id) in names.into_iter().zip(1..) {
            let table = TableView {
                id: TableId::new(id).expect("positive"),
                max_columns: MaxColumns::default(),
                is_current_name: true,
            };
            changed.tables.insert(name, table);
        }
        *view = Arc::new(changed);
        Ok(Arc::clone(&view))
    }
}

struct Bench {
    runtime: Runtime,
    engine: Engine,
    database: OneTable,
    time: AtomicI64,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Arc<Self> {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let view = DatabaseView {
            id: DatabaseId::new(1).expect("positive"),
            name: "bench".parse().expect("a name"),
            limits: DatabaseLimits::default(),
            tables: BTreeMap::new(),
        };
        Arc::new(Self {
            runtime: Runtime::new().expect("threads"),
            engine: Engine::open(Settings::new(dir.path()), Arc::new(StillClock)).expect("opens"),
            database: OneTable(Mutex::new(Arc::new(view))),
            time: AtomicI64::new(START),
            _dir: dir,
        })
    }

    fn permit(&self, action: Action) -> Permit {
        let view = self.view();
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
        let ask = Ask {
            action,
            database: &view.name,
        };
        decide(&grant, ask, Arc::new(Uncut)).expect("allowed")
    }

    fn view(&self) -> Arc<DatabaseView> {
        Arc::clone(&self.database.0.lock())
    }

    /// `count` lines, newer than all before.
    fn lines(&self, count: i64) -> Bytes {
        use std::fmt::Write as _;
        let start = self.time.fetch_add(count, Ordering::Relaxed);
        let mut lines = String::new();
        for time in start..start + count {
            let host = time % 100;
            writeln!(
                lines,
                "cpu,host=h{host},region=eu usage=0.{host},idle={host}i {time}"
            )
            .expect("grows");
        }
        lines.into()
    }

    async fn write(&self, permit: &Permit, lines: Bytes) {
        let write = Write {
            lines,
            precision: Precision::Nanoseconds,
            accept_partial: true,
        };
        // The engine may ask for patience while it persists; that belongs to the measured speed.
        while let Err(error) = self
            .engine
            .write(permit, self.view(), write.clone(), &self.database)
            .await
        {
            assert!(
                matches!(error, rescind_engine::WriteError::Overloaded { .. }),
                "{error}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// One task for each list of bodies.
    fn write_all(self: &Arc<Self>, permit: &Permit, bodies: Vec<Vec<Bytes>>) {
        let tasks = bodies.into_iter().map(|bodies| {
            let (bench, permit) = (Arc::clone(self), permit.clone());
            self.runtime.spawn(async move {
                for body in bodies {
                    bench.write(&permit, body).await;
                }
            })
        });
        for done in self.runtime.block_on(join_all(tasks)) {
            done.expect("written");
        }
    }

    fn query(&self, sql: &str) -> usize {
        let permit = self.permit(Action::Read);
        let query = Query {
            sql: sql.to_owned(),
            ..Query::default()
        };
        self.runtime.block_on(async {
            let result = self
                .engine
                .query(&permit, self.view(), query)
                .await
                .expect("planned");
            let parts: Vec<Bytes> = result.encode(Format::Json).try_collect().await.expect("answered");
            parts.iter().map(Bytes::len).sum()
        })
    }

    fn fill(&self, lines: i64) {
        let permit = self.permit(Action::Write);
        for _ in 0..lines / BULK {
            self.runtime.block_on(self.write(&permit, self.lines(BULK)));
        }
    }
}

/// Synced batches of 5,000 lines from so many writers at once.
#[divan::bench(args = [1, 4], sample_count = 60, sample_size = 1)]
fn bulk(bencher: Bencher<'_, '_>, writers: usize) {
    let bench = Bench::new();
    let permit = bench.permit(Action::Write);
    let rounds = 5;
    let lines = writers * rounds * usize::try_from(BULK).expect("positive");
    bencher
        .counter(ItemsCount::new(lines))
        .with_inputs(|| -> Vec<Vec<Bytes>> {
            (0..writers)
                .map(|_| (0..rounds).map(|_| bench.lines(BULK)).collect())
                .collect()
        })
        .bench_values(|batches| {
            bench.write_all(&permit, batches);
        });
}

/// Synced writes of one line from so many writers at once.
#[divan::bench(args = [1, 16, 64], sample_count = 20, sample_size = 1)]
fn single(bencher: Bencher<'_, '_>, writers: usize) {
    let bench = Bench::new();
    let permit = bench.permit(Action::Write);
    let rounds = 100;
    bencher
        .counter(ItemsCount::new(writers * rounds))
        .with_inputs(|| -> Vec<Vec<Bytes>> {
            (0..writers)
                .map(|_| (0..rounds).map(|_| bench.lines(1)).collect())
                .collect()
        })
        .bench_values(|lines| {
            bench.write_all(&permit, lines);
        });
}

/// The shortest query.
#[divan::bench(sample_count = 300, sample_size = 1)]
fn select_one(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    bencher.bench_local(|| bench.query("SELECT 1"));
}

const LAST: &str = "SELECT time, usage FROM cpu WHERE host = 'h12' ORDER BY time DESC LIMIT 1";

/// The last value of one series of 100, among half a million buffered points.
#[divan::bench(sample_count = 300, sample_size = 1)]
fn last_value_buffered(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    bench.fill(500_000);
    bencher.bench_local(|| bench.query(LAST));
}

/// The same from a file.
#[divan::bench(sample_count = 300, sample_size = 1)]
fn last_value_persisted(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    bench.fill(500_000);
    bench.runtime.block_on(bench.engine.persist()).expect("persisted");
    bencher.bench_local(|| bench.query(LAST));
}
