//! Start with a million active tokens: how long until `ready`, and how much memory each of them takes.
//!
//! The real `rescind serve` in the release profile. Its data directory is made by a first start, filled through the
//! catalog's own transaction while nothing serves, and started again; an empty one, started in turn with it, is the
//! floor.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rescind_authority::{Catalog, Location};
use rescind_domain::{
    Action, Actor, DatabaseToken, DatabaseTokenId, Permission, Permissions, Resource, Secret, SecretKind,
    Timestamp, TokenState,
};
use rescind_testkit::{FrozenClock, SeededRng, ServerSetup, TestServer};

use figures::{Sample, Table};

mod figures;

const TOKENS: usize = 1_000_000;
const ROUNDS: usize = 5;
/// Different permission sets among the tokens: each opens one database.
const DATABASES: usize = 100;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let (empty, full) = (tempfile::tempdir()?, tempfile::tempdir()?);
    found(empty.path());
    let secret = fill(full.path())?;
    let runs: Vec<(Start, Start)> = (0..ROUNDS)
        .map(|_| {
            Ok((
                Start::measure(full.path(), &secret)?,
                Start::measure(empty.path(), "")?,
            ))
        })
        .collect::<Outcome<_>>()?;
    report(&runs, fs::metadata(catalog_file(full.path())?)?.len());
    Ok(())
}

/// What one start was like.
struct Start {
    ready: Duration,
    /// Processor time of all threads until then.
    busy: Duration,
    resident: u64,
    peak: u64,
    first_admitted: Duration,
}

impl Start {
    /// Starts a server on `directory` and writes one line with `secret`, if there is one.
    fn measure(directory: &Path, secret: &str) -> Outcome<Self> {
        let began = Instant::now();
        let mut server = serve(directory);
        let ready = began.elapsed();
        let status = fs::read_to_string(format!("/proc/{}/status", server.pid()))?;
        let busy = processor_time(&fs::read_to_string(format!("/proc/{}/stat", server.pid()))?)?;
        let asked = Instant::now();
        if !secret.is_empty() {
            let reply = server
                .http()
                .bearer(secret)
                .post("/api/v3/write_lp?db=sensors-0", "room,name=a t=1");
            assert_eq!(reply.status, 204, "{reply}");
        }
        let first_admitted = asked.elapsed();
        server.stop();
        Ok(Self {
            ready,
            busy,
            resident: kilobytes(&status, "VmRSS:")? * 1024,
            peak: kilobytes(&status, "VmHWM:")? * 1024,
            first_admitted,
        })
    }
}

fn serve(directory: &Path) -> TestServer {
    ServerSetup::default().data_dir(directory.join("data")).start()
}

/// The first start: makes the catalog, and the database that the first write goes to.
fn found(directory: &Path) -> (String, String) {
    let mut server = serve(directory);
    let path = format!("{}/databases", server.cluster_path());
    let reply = server.management().json("POST", &path, r#"{"name":"sensors-0"}"#);
    assert_eq!(reply.status, 200, "{reply}");
    let ids = (server.account_id().to_owned(), server.cluster_id().to_owned());
    server.stop();
    ids
}

/// A data directory with a million active tokens; the secret of one of them.
fn fill(directory: &Path) -> Outcome<String> {
    let (account, cluster) = found(directory);
    let location = Location::Sqlite(catalog_file(directory)?);
    let rng = SeededRng::new(1);
    let now = now();
    let mut last = String::new();
    tokio::runtime::Runtime::new()?.block_on(async {
        let catalog = Catalog::open(&location).await?;
        let mut tx = catalog.begin(&FrozenClock::at(now)).await?;
        for number in 0..TOKENS {
            let resource = Resource::Database(format!("sensors-{}", number % DATABASES).parse()?);
            let both = [Action::Read, Action::Write].map(|action| Permission {
                action,
                resource: resource.clone(),
            });
            let secret = Secret::mint(SecretKind::Database, &rng);
            let token = DatabaseToken {
                id: DatabaseTokenId::mint(&rng),
                account: account.parse()?,
                cluster: cluster.parse()?,
                description: format!("sensor {number}").parse()?,
                permissions: Permissions::new(both)?,
                prefix: secret.prefix(),
                created_at: now,
                created_by: Actor::System,
                expires_at: None,
                state: TokenState::Active,
                last_used_at: None,
            };
            tx.insert_database_token(&token, &secret.hash()).await?;
            if number % DATABASES == 0 {
                last = secret.expose().to_owned();
            }
        }
        tx.commit_all(Vec::new()).await?;
        catalog.close().await;
        Ok(last)
    })
}

fn now() -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The SQLite file of a data directory, whatever it is called.
fn catalog_file(directory: &Path) -> Outcome<PathBuf> {
    for entry in fs::read_dir(directory.join("data"))? {
        let path = entry?.path();
        let mut magic = [0; 16];
        let is_catalog = path.is_file() && fs::File::open(&path)?.read_exact(&mut magic).is_ok();
        if is_catalog && magic == *b"SQLite format 3\0" {
            return Ok(path);
        }
    }
    Err("the data directory holds no catalog".into())
}

fn kilobytes(status: &str, key: &str) -> Outcome<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("the process has no such figure")?.parse()?)
}

/// User and system time of a process, from its `stat` (proc(5)): fields 14 and 15, in hundredths of a second.
fn processor_time(stat: &str) -> Outcome<Duration> {
    let (_, after_name) = stat.rsplit_once(") ").ok_or("the process has no name")?;
    let fields: Vec<u64> = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(10 * fields.iter().sum::<u64>()))
}

fn report(runs: &[(Start, Start)], catalog_bytes: u64) {
    let median = |value: &dyn Fn(&(Start, Start)) -> f64| runs.iter().map(value).collect::<Sample>().median();
    let ready = median(&|(full, _)| full.ready.as_secs_f64());
    let empty = median(&|(_, empty)| empty.ready.as_secs_f64());
    let per_token = |bytes: fn(&Start) -> u64| {
        median(&|(full, empty)| (bytes(full) as f64 - bytes(empty) as f64) / TOKENS as f64)
    };
    let megabytes = |bytes: f64| format!("{:.0} MB", bytes / 1e6);
    let mut table = Table::new("Start with 1,000,000 active tokens (floor: an empty catalog)");
    table.row(
        "from start to ready",
        &format!("{ready:.2} s"),
        &format!("{empty:.2} s"),
        &format!("{:.1}", ready / empty),
        "≤ 5 s",
    );
    let busy = median(&|(full, _)| full.busy.as_secs_f64());
    table.row("processor time until ready", &format!("{busy:.2} s"), "", "", "");
    table.row(
        "resident memory when ready",
        &megabytes(median(&|(full, _)| full.resident as f64)),
        &megabytes(median(&|(_, empty)| empty.resident as f64)),
        "",
        "",
    );
    table.row(
        "resident memory per token",
        &format!("{:.0} B", per_token(|start| start.resident)),
        "",
        "",
        "≤ 250 B",
    );
    table.row(
        "peak memory while loading, per token",
        &format!("{:.0} B", per_token(|start| start.peak)),
        "",
        "",
        "",
    );
    let first = median(&|(full, _)| full.first_admitted.as_secs_f64() * 1e3);
    table.row(
        "first admitted request (a synced write)",
        &format!("{first:.1} ms"),
        "",
        "",
        "",
    );
    table.row("catalog file", &megabytes(catalog_bytes as f64), "", "", "");
    table.print();
}
