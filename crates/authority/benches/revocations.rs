//! Revocations through several nodes on one PostgreSQL: how many a second from callers at once, how long a hundred
//! thousand by one call take, and what a thousand a second cost those who are admitted meanwhile.
//!
//! All nodes are in this process, so that it is the protocol and the catalog that are measured; `catalog/nodes` measures
//! real processes over HTTP. Each case first measures its floor, on the same server: commits of one row one after the
//! other, in a loop of the server's own, without a client.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use rescind_authority::{
    Authority, Caller, Catalog, CreateDatabaseToken, Location, MOST_REVOKED, NodeSettings, Place,
    REVOKED_TOGETHER, SessionLimits, Settings,
};
use rescind_domain::{
    Action, Ask, Clock, DatabaseTokenId, Permission, Permissions, Secret, Stopwatch, Timestamp,
};
use rescind_testkit::{Postgres, SeededRng};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use figures::{Sample, Table};

#[path = "../../server/benches/figures/mod.rs"]
mod figures;

const NODES: [usize; 3] = [1, 3, 10];
const CALLERS: [usize; 3] = [1, 16, 64];
/// How long each case takes.
const CASE: Duration = Duration::from_secs(3);
/// Tokens for the callers of one number of nodes: what is left over is left over.
const SPARE: usize = 60_000;
const FLOOR_COMMITS: usize = 1_000;

/// Tokens whose secrets are presented while others are revoked.
const PRESENTED: usize = 1_000;
const REQUESTS: usize = 200_000;
const ROUNDS: usize = 15;
const REVOCATIONS_PER_SECOND: u32 = 1_000;
/// How long the writer works before the first request that is measured beside it.
const START: Duration = Duration::from_millis(300);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    metrics::set_global_recorder(Renewals)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut rates =
        Table::new("Revocations per second (floor: commits of one row per second, one after the other)");
    let mut bulk = Table::new(&format!(
        "{MOST_REVOKED} tokens revoked by one call, {REVOKED_TOGETHER} at a time; terms of {} s",
        NodeSettings::USUAL_LEASE.as_secs()
    ));
    let mut admission =
        Table::new("Admission while others are revoked (floor: the same while nothing happens)");
    let server = Postgres::start()?;
    server.ask("CREATE TABLE floor AS SELECT 0 AS value")?;
    for count in NODES {
        let mut house = House::on_postgresql(&runtime, &server, count)?;
        for callers in CALLERS {
            let floor = commits_per_second(&server)?;
            let what = format!("PostgreSQL, {count} node(s), {callers} caller(s)");
            house.measure_rate(&runtime, callers, &what, Some(floor), &mut rates);
        }
        house.measure_bulk(&runtime, count, &mut bulk)?;
        if count == 3 {
            house.measure_admission(&runtime, &mut admission)?;
        }
        house.close(&runtime);
    }
    let directory = tempfile::tempdir()?;
    let mut house = House::on_sqlite(
        &runtime,
        &Location::Sqlite(directory.path().join("catalog.sqlite")),
    )?;
    for callers in CALLERS {
        let what = format!("SQLite, {callers} caller(s)");
        house.measure_rate(&runtime, callers, &what, None, &mut rates);
    }
    house.close(&runtime);
    rates.print();
    bulk.print();
    admission.print();
    Ok(())
}

/// Renewals of leases that failed, of all nodes.
static FAILED_RENEWALS: LazyLock<Arc<AtomicU64>> = LazyLock::new(Arc::default);

/// Counts them, and nothing else.
struct Renewals;

impl Recorder for Renewals {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match key.name() {
            "rescind_lease_renewal_failures_total" => Counter::from_arc(Arc::clone(&FAILED_RENEWALS)),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// The system's clock, as the server has it.
struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that is passed in")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

struct Running(Instant);

impl Stopwatch for Running {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How many commits a second the server makes durable for somebody who needs no round trips.
fn commits_per_second(server: &Postgres) -> Outcome<f64> {
    let began = Instant::now();
    server.ask(&format!(
        "DO $$ BEGIN FOR i IN 1..{FLOOR_COMMITS} LOOP UPDATE floor SET value = i; COMMIT; END LOOP; END $$"
    ))?;
    Ok(FLOOR_COMMITS as f64 / began.elapsed().as_secs_f64())
}

async fn open(location: &Location, number: usize, admits: bool) -> Outcome<Arc<Authority>> {
    let settings = Settings {
        node: NodeSettings {
            admits,
            ..NodeSettings::alone(&format!("node-{number}"))
        },
        clock: Arc::new(WallClock),
        stopwatch: Arc::new(Running(Instant::now())),
        rng: Arc::new(SeededRng::new(WallClock.now().micros() as u64 + number as u64)),
        session_limits: SessionLimits::default(),
    };
    Ok(Authority::open(Catalog::open(location).await?, settings).await?)
}

/// Makes the installation.
async fn found(authority: &Arc<Authority>) -> Outcome<Place> {
    let founding = authority.draw_up("bench@example.org".parse()?)?;
    let place = Place {
        account: founding.account.id,
        cluster: founding.cluster.id,
    };
    authority.found(founding).await?;
    Ok(place)
}

fn words() -> Outcome<Permissions> {
    let permission = Permission {
        action: Action::Write,
        resource: "sensors".parse()?,
    };
    Ok(Permissions::new([permission])?)
}

/// The nodes of one case, and tokens to revoke.
struct House {
    nodes: Vec<Arc<Authority>>,
    place: Place,
    caller: Caller,
    bulk: Vec<DatabaseTokenId>,
    spare: Arc<Mutex<Vec<DatabaseTokenId>>>,
    shutdown: CancellationToken,
    upkeep: Vec<JoinHandle<()>>,
}

impl House {
    fn on_postgresql(runtime: &Runtime, server: &Postgres, count: usize) -> Outcome<Self> {
        let location = Location::Postgres(server.url());
        // One that takes no lease, for nobody will keep it.
        let founder = runtime.block_on(open(&location, 0, false))?;
        let place = match server
            .ask("SELECT account_id, id FROM clusters LIMIT 1")?
            .split_once('|')
        {
            Some((account, cluster)) => Place {
                account: account.parse()?,
                cluster: cluster.parse()?,
            },
            None => runtime.block_on(found(&founder))?,
        };
        let ids = server.ask(&format!(
            "INSERT INTO database_tokens (id, cluster_id, description, description_folded, permissions, secret_hash,
                 prefix, created_at, created_by)
             SELECT gen_random_uuid(), '{}', 'sensor', 'sensor', '[[\"write\",\"sensors\"]]',
                 sha512(convert_to(gen_random_uuid()::text, 'UTF8')), 'apiv1_abc', 1, 'operator'
             FROM generate_series(1, {}) RETURNING id",
            place.cluster,
            MOST_REVOKED + SPARE
        ))?;
        server.ask("VACUUM ANALYZE")?;
        let mut ids: Vec<DatabaseTokenId> = ids.lines().map(str::parse).collect::<Result<_, _>>()?;
        let bulk = ids.split_off(SPARE);
        let nodes = runtime.block_on(async {
            let mut nodes = Vec::new();
            for number in 0..count {
                nodes.push(open(&location, number, true).await?);
            }
            Ok::<_, Box<dyn Error>>(nodes)
        })?;
        Ok(Self::with(runtime, nodes, place, bulk, ids))
    }

    fn on_sqlite(runtime: &Runtime, location: &Location) -> Outcome<Self> {
        runtime.block_on(async {
            let node = open(location, 0, true).await?;
            let place = found(&node).await?;
            let caller = Caller::operator(place.account);
            let mut ids = Vec::new();
            for _ in 0..SPARE {
                let request = CreateDatabaseToken {
                    description: "sensor".parse()?,
                    permissions: words()?,
                    expires_at: None,
                };
                ids.push(node.create_database_token(&caller, place, request).await?.item.id);
            }
            Ok(Self::with(runtime, vec![node], place, Vec::new(), ids))
        })
    }

    fn with(
        runtime: &Runtime,
        nodes: Vec<Arc<Authority>>,
        place: Place,
        bulk: Vec<DatabaseTokenId>,
        spare: Vec<DatabaseTokenId>,
    ) -> Self {
        let shutdown = CancellationToken::new();
        let upkeep = nodes
            .iter()
            .map(|node| runtime.spawn(Arc::clone(node).run(shutdown.clone())))
            .collect();
        Self {
            nodes,
            place,
            caller: Caller::operator(place.account),
            bulk,
            spare: Arc::new(Mutex::new(spare)),
            shutdown,
            upkeep,
        }
    }

    /// Gives the leases up, so that nobody waits for these nodes.
    fn close(self, runtime: &Runtime) {
        self.shutdown.cancel();
        for node in self.upkeep {
            runtime.block_on(node).expect("no node panics");
        }
    }

    /// Callers that each revoke one token after the other, through one node after the other.
    fn measure_rate(
        &mut self,
        runtime: &Runtime,
        callers: usize,
        what: &str,
        floor: Option<f64>,
        table: &mut Table,
    ) {
        let one = |number: usize| {
            let node = Arc::clone(&self.nodes[number % self.nodes.len()]);
            let (spare, caller, place) = (Arc::clone(&self.spare), self.caller, self.place);
            async move {
                let (mut latencies, began) = (Vec::new(), Instant::now());
                while began.elapsed() < CASE {
                    let Some(id) = spare.lock().expect("no caller panics").pop() else {
                        break;
                    };
                    let asked = Instant::now();
                    let done = node.revoke_database_token(&caller, place, id).await;
                    done.expect("an active token can be revoked");
                    latencies.push(asked.elapsed());
                }
                (latencies.len() as f64 / began.elapsed().as_secs_f64(), latencies)
            }
        };
        let running: Vec<_> = (0..callers).map(|number| runtime.spawn(one(number))).collect();
        let (mut rate, mut latencies) = (0.0, Vec::new());
        for caller in running {
            let (own, took) = runtime.block_on(caller).expect("no caller panics");
            rate += own;
            latencies.extend(took);
        }
        let latencies: Sample = latencies.into_iter().collect();
        let ratio = floor.map_or_else(String::new, |floor| format!("{:.2}", rate / floor));
        table.row(
            what,
            &format!(
                "{rate:.0}/s, p50 {:.1} ms, p99 {:.1} ms",
                latencies.median() * 1e3,
                latencies.quantile(0.99) * 1e3
            ),
            &floor.map_or_else(String::new, |floor| format!("{floor:.0}/s")),
            &ratio,
            "",
        );
    }

    /// All by one call, while somebody else revokes one by one through another node.
    fn measure_bulk(&mut self, runtime: &Runtime, count: usize, table: &mut Table) -> Outcome<()> {
        let is_over = Arc::new(AtomicBool::new(false));
        let node = Arc::clone(&self.nodes[self.nodes.len() - 1]);
        let (spare, caller, place) = (Arc::clone(&self.spare), self.caller, self.place);
        let beside = runtime.spawn({
            let is_over = Arc::clone(&is_over);
            async move {
                let (mut longest, mut acts) = (Duration::ZERO, 0_u32);
                while !is_over.load(Ordering::Acquire) {
                    let Some(id) = spare.lock().expect("no caller panics").pop() else {
                        break;
                    };
                    let asked = Instant::now();
                    let done = node.revoke_database_token(&caller, place, id).await;
                    done.expect("nobody waits ten seconds for the ledger");
                    longest = longest.max(asked.elapsed());
                    acts += 1;
                }
                (longest, acts)
            }
        });
        let ids = std::mem::take(&mut self.bulk);
        let (failed, began) = (FAILED_RENEWALS.load(Ordering::Relaxed), Instant::now());
        let done = runtime.block_on(self.nodes[0].revoke_database_tokens(&caller, place, ids));
        let (outcomes, receipt) = done?;
        let took = began.elapsed();
        is_over.store(true, Ordering::Release);
        let (waited, acts) = runtime.block_on(beside)?;
        let failed = FAILED_RENEWALS.load(Ordering::Relaxed) - failed;
        assert_eq!(outcomes.len(), MOST_REVOKED);
        assert!(receipt.is_complete(), "{receipt:?}");
        table.row(
            &format!("PostgreSQL, {count} node(s), until every node refuses them"),
            &format!("{:.2} s", took.as_secs_f64()),
            "",
            "",
            "",
        );
        table.row(
            &format!("PostgreSQL, {count} node(s), longest of {acts} other acts beside it"),
            &format!("{:.2} s", waited.as_secs_f64()),
            "",
            "",
            "≤ 1 s",
        );
        table.row(
            &format!("PostgreSQL, {count} node(s), renewals of leases that failed meanwhile"),
            &failed.to_string(),
            "",
            "",
            "0",
        );
        Ok(())
    }

    /// Requests to one node, in turn while nothing happens and while another node revokes steadily.
    fn measure_admission(&mut self, runtime: &Runtime, table: &mut Table) -> Outcome<()> {
        let secrets = runtime.block_on(self.present())?;
        let (is_busy, revoked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(0)));
        let writer = runtime.spawn(revoke_steadily(
            Arc::clone(&self.nodes[0]),
            (self.caller, self.place),
            Arc::clone(&self.spare),
            Arc::clone(&is_busy),
            Arc::clone(&revoked),
        ));
        let node = &self.nodes[1];
        let (mut idle, mut busy, mut spent) = (Vec::new(), Vec::new(), Duration::ZERO);
        for _ in 0..ROUNDS {
            idle.push(pass(node, &secrets)?);
            is_busy.store(true, Ordering::Release);
            let began = Instant::now();
            std::thread::sleep(START);
            busy.push(pass(node, &secrets)?);
            is_busy.store(false, Ordering::Release);
            spent += began.elapsed();
            std::thread::sleep(START);
        }
        writer.abort();
        let rate = f64::from(*revoked.lock().expect("the writer does not panic")) / spent.as_secs_f64();
        for (what, of) in [
            ("time of one thread", Pass::wall as fn(&Pass) -> f64),
            ("processor time of that thread", Pass::busy),
        ] {
            let ratios: Sample = busy
                .iter()
                .zip(&idle)
                .map(|(busy, idle)| of(busy) / of(idle))
                .collect();
            let (busy, idle): (Sample, Sample) =
                (busy.iter().map(of).collect(), idle.iter().map(of).collect());
            table.row(
                &format!("one request, {what}"),
                &format!("{:.0} ns", busy.median()),
                &format!("{:.0} ns", idle.median()),
                &format!("{:.2}", ratios.median()),
                "≤ 1.05",
            );
        }
        table.row(
            "revocations beside it",
            &format!("{rate:.0}/s"),
            "",
            "",
            &format!("{REVOCATIONS_PER_SECOND}/s"),
        );
        Ok(())
    }

    /// Secrets of tokens that every node admits.
    async fn present(&self) -> Outcome<Vec<Secret>> {
        let mut secrets = Vec::with_capacity(PRESENTED);
        for _ in 0..PRESENTED {
            let request = CreateDatabaseToken {
                description: "presented".parse()?,
                permissions: words()?,
                expires_at: None,
            };
            let made = self.nodes[0].create_database_token(&self.caller, self.place, request);
            secrets.push(made.await?.secret);
        }
        Ok(secrets)
    }
}

/// What one request took, in nanoseconds.
struct Pass {
    wall: f64,
    busy: f64,
}

impl Pass {
    fn wall(&self) -> f64 {
        self.wall
    }

    fn busy(&self) -> f64 {
        self.busy
    }
}

fn pass(node: &Authority, secrets: &[Secret]) -> Outcome<Pass> {
    let database = "sensors".parse()?;
    let ask = Ask {
        action: Action::Write,
        database: &database,
    };
    let (began, ran) = (Instant::now(), processor_time()?);
    for number in 0..REQUESTS {
        // A step that meets each of them, in no order that a cache could guess.
        let secret = &secrets[number * 617 % secrets.len()];
        let admission = node.admit(secret.expose().as_bytes(), ask);
        black_box(admission.expect("the token is active").permit().is_cut());
    }
    let each = |nanos: u128| nanos as f64 / REQUESTS as f64;
    Ok(Pass {
        wall: each(began.elapsed().as_nanos()),
        busy: each(u128::from(processor_time()? - ran)),
    })
}

/// Nanoseconds that this thread ran (proc(5), `schedstat`).
fn processor_time() -> Outcome<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}

/// Begins one revocation per millisecond while told to, whether the one before has ended or not.
async fn revoke_steadily(
    node: Arc<Authority>,
    (caller, place): (Caller, Place),
    spare: Arc<Mutex<Vec<DatabaseTokenId>>>,
    is_busy: Arc<AtomicBool>,
    revoked: Arc<Mutex<u32>>,
) {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / REVOCATIONS_PER_SECOND);
    loop {
        tick.tick().await;
        if !is_busy.load(Ordering::Acquire) {
            tick.reset();
            continue;
        }
        let Some(id) = spare.lock().expect("no caller panics").pop() else {
            return;
        };
        let (node, revoked) = (Arc::clone(&node), Arc::clone(&revoked));
        tokio::spawn(async move {
            let done = node.revoke_database_token(&caller, place, id).await;
            done.expect("an active token can be revoked");
            *revoked.lock().expect("nobody panics") += 1;
        });
    }
}
