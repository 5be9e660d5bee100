//! Admission in process, from the bytes of the header to the permit, while a writer revokes beside it.
//!
//! The floor, measured in the same rounds under the same writer, is what no design that stores SHA-512 can avoid: the
//! hash of the token and one look-up in a plain `HashMap` of that size, without any lock, clock, permission or count
//! of uses. Every request presents another token, in random order, so that both miss the processor's caches alike.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rescind_authority::{
    Authority, Caller, Catalog, Location, NodeSettings, Place, Refusal, SessionLimits, Settings,
};
use rescind_domain::{
    Action, Actor, Ask, Clock, DatabaseName, DatabaseToken, DatabaseTokenId, Permission, Permissions,
    Resource, Secret, SecretKind, Timestamp, TokenState,
};
use rescind_testkit::{FrozenStopwatch, SeededRng};
use sha2::{Digest, Sha512};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use figures::{Sample, Table};

#[path = "../../server/benches/figures/mod.rs"]
mod figures;

/// How many tokens are asked for, each at most once per pass of a size.
const SIZES: [(usize, &str); 3] = [(1_000, "1 k"), (100_000, "100 k"), (1_000_000, "1 M")];
/// Tokens that nobody presents: the writer revokes these.
const SPARE: usize = 20_000;
/// Requests of one thread in one pass: some ten milliseconds, so that most passes are not interrupted.
const REQUESTS: usize = 20_000;
/// Secrets at most that the authority refuses, round after round.
const STRANGERS: usize = 200_000;
const ROUNDS: usize = 41;
const DATABASES: usize = 100;
const REVOCATIONS_PER_SECOND: u64 = 1_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut table = Table::new("Admission, nanoseconds per request (floor: SHA-512 + one HashMap look-up)");
    for (size, words) in SIZES {
        let world = World::make(&runtime, size)?;
        world.measure(&runtime, words, &mut table);
    }
    table.print();
    Ok(())
}

/// The system's clock, as the server has it: reading it is part of the price.
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

/// Header values in the order in which they are presented, side by side in memory as a connection's buffer has them.
#[derive(Default)]
struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    databases: Vec<usize>,
}

impl Requests {
    fn push(&mut self, secret: &[u8], database: usize) {
        self.bytes.extend_from_slice(b"Bearer ");
        self.bytes.extend_from_slice(secret);
        self.ends.push(self.bytes.len());
        self.databases.push(database);
    }

    /// `count` of them from the given one on, beginning again at the end.
    fn from(&self, first: usize, count: usize) -> impl Iterator<Item = (&[u8], usize)> {
        (first..first + count).map(|index| {
            let index = index % self.ends.len();
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            (&self.bytes[start..self.ends[index]], self.databases[index])
        })
    }
}

/// One size: an authority that loaded its catalog, the floor's table, and what is presented to both.
struct World {
    authority: Arc<Authority>,
    caller: Caller,
    place: Place,
    floor: HashMap<[u8; 64], u32>,
    names: Vec<DatabaseName>,
    known: Requests,
    unknown: Requests,
    misspelt: Requests,
    spare: Vec<DatabaseTokenId>,
    _directory: tempfile::TempDir,
}

impl World {
    fn make(runtime: &Runtime, size: usize) -> Outcome<Self> {
        // The writer's disk is no part of admission: memory, where the system offers it as a directory.
        let directory = match Path::new("/dev/shm") {
            shared if shared.is_dir() => tempfile::tempdir_in(shared)?,
            _ => tempfile::tempdir()?,
        };
        let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
        let rng = Arc::new(SeededRng::new(size as u64));
        let names: Vec<DatabaseName> = (0..DATABASES)
            .map(|number| format!("sensors-{number}").parse())
            .collect::<Result<_, _>>()?;
        let settings = || Settings {
            node: NodeSettings::alone("bench"),
            stopwatch: Arc::new(FrozenStopwatch::default()),
            clock: Arc::new(WallClock),
            rng: Arc::<SeededRng>::clone(&rng),
            session_limits: SessionLimits::default(),
        };
        runtime.block_on(async {
            let catalog = Catalog::open(&location).await?;
            let founder = Authority::open(catalog.clone(), settings()).await?;
            let founding = founder.draw_up("bench@example.org".parse()?)?;
            let place = Place {
                account: founding.account.id,
                cluster: founding.cluster.id,
            };
            founder.found(founding).await?;
            let tokens = mint(size + SPARE, place, &names, &rng)?;
            let mut tx = catalog.begin(&WallClock).await?;
            for (token, secret) in &tokens {
                tx.insert_database_token(token, &secret.hash()).await?;
            }
            tx.commit_all(Vec::new()).await?;
            drop(founder);
            catalog.close().await;
            // As after a restart: everything is loaded from the file.
            let authority = Authority::open(Catalog::open(&location).await?, settings()).await?;
            Ok(Self {
                caller: Caller::operator(place.account),
                authority,
                place,
                floor: tokens
                    .iter()
                    .map(|(_, secret)| (*secret.hash().as_bytes(), 1))
                    .collect(),
                known: shuffled(&tokens[..size], &rng),
                unknown: strangers(size, &rng),
                misspelt: misspelt(&tokens[..size], &rng),
                spare: tokens[size..].iter().map(|(token, _)| token.id).collect(),
                names,
                _directory: directory,
            })
        })
    }

    /// Interleaved rounds of each case and its floor, the writer beside all of them.
    fn measure(&self, runtime: &Runtime, words: &str, table: &mut Table) {
        let shutdown = CancellationToken::new();
        let revoked = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let upkeep = runtime.spawn(Arc::clone(&self.authority).run(shutdown.clone()));
        let writer = runtime.spawn(revoke_steadily(
            Arc::clone(&self.authority),
            self.caller,
            self.place,
            self.spare.clone(),
            shutdown.clone(),
            Arc::clone(&revoked),
        ));
        for threads in [1, 2] {
            let cases = [
                ("known", &self.known, "≤ 1.5", Self::admit as Pass),
                (
                    "unknown, right checksum",
                    &self.unknown,
                    "≤ 1.5",
                    Self::refuse_unknown,
                ),
                ("wrong checksum", &self.misspelt, "< 1", Self::refuse_misspelt),
            ];
            for (case, requests, aim, pass) in cases {
                let (mut values, mut floors) = (Vec::new(), Vec::new());
                for round in 0..ROUNDS {
                    values.push(self.pass(threads, round, requests, pass));
                    floors.push(self.pass(threads, round, requests, Self::look_up));
                }
                let ratios: Sample = values
                    .iter()
                    .zip(&floors)
                    .map(|(value, floor)| value / floor)
                    .collect();
                let (value, floor) = (
                    values.into_iter().collect::<Sample>(),
                    floors.into_iter().collect::<Sample>(),
                );
                table.row(
                    &format!("{words} tokens, {threads} thread(s), {case}"),
                    &format!("{:.0} ns", value.median()),
                    &format!("{:.0} ns", floor.median()),
                    &format!("{:.2}", ratios.median()),
                    aim,
                );
            }
        }
        let rate = revoked.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
        let aim = format!("{REVOCATIONS_PER_SECOND}/s");
        table.row(
            &format!("{words} tokens, revocations beside it"),
            &format!("{rate:.0}/s"),
            "",
            "",
            &aim,
        );
        shutdown.cancel();
        runtime.block_on(async {
            writer.await.expect("the writer does not panic");
            upkeep.await.expect("the upkeep does not panic");
        });
    }

    /// Runs `pass` on that many threads at once; nanoseconds per request, as one thread sees them.
    fn pass(&self, threads: usize, round: usize, requests: &Requests, pass: Pass) -> f64 {
        let start = Barrier::new(threads);
        let one = |thread: usize| {
            let first = (round * threads + thread) * REQUESTS;
            start.wait();
            let began = Instant::now();
            pass(self, requests, first);
            began.elapsed().as_nanos() as f64 / REQUESTS as f64
        };
        thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|thread| scope.spawn(move || one(thread)))
                .collect();
            let times = running
                .into_iter()
                .map(|thread| thread.join().expect("no pass panics"));
            times.sum::<f64>() / threads as f64
        })
    }

    fn admit(&self, requests: &Requests, first: usize) {
        for (header, database) in requests.from(first, REQUESTS) {
            let ask = Ask {
                action: Action::Write,
                database: &self.names[database],
            };
            let admission = self
                .authority
                .admit(bearer(header), ask)
                .expect("the token is active");
            black_box(admission.permit().is_cut());
        }
    }

    fn refuse_unknown(&self, requests: &Requests, first: usize) {
        for (header, database) in requests.from(first, REQUESTS) {
            let ask = Ask {
                action: Action::Write,
                database: &self.names[database],
            };
            let refusal = self
                .authority
                .admit(bearer(header), ask)
                .expect_err("nobody has it");
            assert!(matches!(refusal, Refusal::Unknown));
        }
    }

    fn refuse_misspelt(&self, requests: &Requests, first: usize) {
        for (header, database) in requests.from(first, REQUESTS) {
            let ask = Ask {
                action: Action::Write,
                database: &self.names[database],
            };
            black_box(
                self.authority
                    .admit(bearer(header), ask)
                    .expect_err("it is misspelt"),
            );
        }
    }

    fn look_up(&self, requests: &Requests, first: usize) {
        for (header, _) in requests.from(first, REQUESTS) {
            let hash: [u8; 64] = Sha512::digest(bearer(header)).into();
            black_box(self.floor.get(&hash));
        }
    }
}

type Pass = fn(&World, &Requests, usize);

/// What every face does first: the scheme, in any case, and one space (RFC 6750, section 2.1).
fn bearer(header: &[u8]) -> &[u8] {
    match header.split_at_checked(7) {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case(b"bearer ") => secret,
        _ => &[],
    }
}

fn mint(
    count: usize,
    place: Place,
    names: &[DatabaseName],
    rng: &SeededRng,
) -> Outcome<Vec<(DatabaseToken, Secret)>> {
    let now = WallClock.now();
    let mut tokens = Vec::with_capacity(count);
    for number in 0..count {
        let resource = Resource::Database(names[number % names.len()].clone());
        let both = [Action::Read, Action::Write].map(|action| Permission {
            action,
            resource: resource.clone(),
        });
        let secret = Secret::mint(SecretKind::Database, rng);
        let token = DatabaseToken {
            id: DatabaseTokenId::mint(rng),
            account: place.account,
            cluster: place.cluster,
            description: format!("sensor {number}").parse()?,
            permissions: Permissions::new(both)?,
            prefix: secret.prefix(),
            created_at: now,
            created_by: Actor::System,
            expires_at: None,
            state: TokenState::Active,
            last_used_at: None,
        };
        tokens.push((token, secret));
    }
    Ok(tokens)
}

/// Every token once, in random order.
fn shuffled(tokens: &[(DatabaseToken, Secret)], rng: &SeededRng) -> Requests {
    let mut order: Vec<usize> = (0..tokens.len()).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, rng.below(last as u64 + 1) as usize);
    }
    let mut requests = Requests::default();
    for index in order {
        requests.push(tokens[index].1.expose().as_bytes(), index % DATABASES);
    }
    requests
}

/// Well-formed secrets that no catalog holds.
fn strangers(count: usize, rng: &SeededRng) -> Requests {
    let mut requests = Requests::default();
    for index in 0..count.min(STRANGERS) {
        let secret = Secret::mint(SecretKind::Database, rng);
        requests.push(secret.expose().as_bytes(), index % DATABASES);
    }
    requests
}

/// Good secrets with one character changed.
fn misspelt(tokens: &[(DatabaseToken, Secret)], rng: &SeededRng) -> Requests {
    let mut requests = Requests::default();
    for (index, (_, secret)) in tokens.iter().enumerate().take(STRANGERS) {
        let mut text = secret.expose().as_bytes().to_vec();
        let at = 6 + rng.below(58) as usize;
        text[at] = if text[at] == b'0' { b'1' } else { b'0' };
        requests.push(&text, index % DATABASES);
    }
    requests
}

/// Revokes one token per millisecond until there are no more, or until told to stop.
async fn revoke_steadily(
    authority: Arc<Authority>,
    caller: Caller,
    place: Place,
    tokens: Vec<DatabaseTokenId>,
    shutdown: CancellationToken,
    revoked: Arc<AtomicU64>,
) {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / REVOCATIONS_PER_SECOND as u32);
    for token in tokens {
        tick.tick().await;
        if shutdown.is_cancelled() {
            return;
        }
        let done = authority.revoke_database_token(&caller, place, token).await;
        done.expect("an active token can be revoked");
        revoked.fetch_add(1, Ordering::Relaxed);
    }
}
