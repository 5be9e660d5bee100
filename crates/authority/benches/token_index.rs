//! Lists of tokens from the index in memory: the first look, which builds it, then pages in every order, searches that
//! hit few, many and none, and a look right after an act.
//!
//! The floor is what no list that shows rows of the catalog can avoid: reading the fifty rows of the page by their ids,
//! and for a search one pass for the term over the descriptions alone, side by side in memory.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use memchr::memmem;
use rescind_authority::{
    Authority, Caller, Catalog, CreateDatabaseToken, Location, NodeSettings, Place, SessionLimits, Settings,
    TokenColumn, TokenSearch,
};
use rescind_domain::{
    Actor, Clock, DatabaseName, DatabaseToken, DatabaseTokenId, Permission, Permissions, Secret, SecretKind,
    Timestamp, TokenState, TokenStatus, UserId,
};
use rescind_testkit::{FrozenStopwatch, SeededRng};
use tokio::runtime::Runtime;

use figures::{Sample, Table};

#[path = "../../server/benches/figures/mod.rs"]
mod figures;

const SIZES: [(usize, &str); 2] = [(100_000, "100 k"), (1_000_000, "1 M")];
const ROUNDS: usize = 41;
/// Rows of a page, as the Admin UI shows them.
const ROWS: usize = 50;
const DATABASES: usize = 100;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;
const AIM: &str = "< 50 ms";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut table =
        Table::new("Token index (floor: reading the page's rows, and one pass over the descriptions)");
    for (size, words) in SIZES {
        let world = World::make(&runtime, size)?;
        world.measure(&runtime, words, &mut table)?;
    }
    table.print();
    Ok(())
}

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

/// One size: an authority on a catalog with so many tokens, and what the floor needs.
struct World {
    authority: Arc<Authority>,
    catalog: Catalog,
    caller: Caller,
    place: Place,
    descriptions: Vec<u8>,
    _directory: tempfile::TempDir,
}

impl World {
    fn make(runtime: &Runtime, size: usize) -> Outcome<Self> {
        let directory = match Path::new("/dev/shm") {
            shared if shared.is_dir() => tempfile::tempdir_in(shared)?,
            _ => tempfile::tempdir()?,
        };
        let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
        let rng = Arc::new(SeededRng::new(size as u64));
        let settings = Settings {
            node: NodeSettings::alone("bench"),
            stopwatch: Arc::new(FrozenStopwatch::default()),
            clock: Arc::new(WallClock),
            rng: Arc::<SeededRng>::clone(&rng),
            session_limits: SessionLimits::default(),
        };
        runtime.block_on(async {
            let catalog = Catalog::open(&location).await?;
            let authority = Authority::open(catalog.clone(), settings).await?;
            let founding = authority.draw_up("bench@example.org".parse()?)?;
            let place = Place {
                account: founding.account.id,
                cluster: founding.cluster.id,
            };
            authority.found(founding).await?;
            let mut descriptions = Vec::new();
            let mut tx = catalog.begin(&WallClock).await?;
            for number in 0..size {
                let (token, secret) = mint(number, place, &rng)?;
                descriptions.extend_from_slice(token.description.as_str().to_lowercase().as_bytes());
                descriptions.push(0xff);
                tx.insert_database_token(&token, &secret.hash()).await?;
            }
            tx.commit_all(Vec::new()).await?;
            Ok(Self {
                caller: Caller::operator(place.account),
                authority,
                catalog,
                place,
                descriptions,
                _directory: directory,
            })
        })
    }

    fn measure(&self, runtime: &Runtime, words: &str, table: &mut Table) -> Outcome<()> {
        let before = resident_bytes();
        let began = Instant::now();
        let total = self.search(runtime, &TokenSearch::default())?.1;
        let took = began.elapsed();
        table.row(
            &format!("{words} tokens, first look"),
            &ms(took.as_secs_f64()),
            "",
            "",
            "",
        );
        if let (Some(before), Some(after)) = (before, resident_bytes()) {
            let each = after.saturating_sub(before) / total;
            table.row(
                &format!("{words} tokens, memory per token"),
                &format!("{each} B"),
                "",
                "",
                "",
            );
        }
        for (name, search) in cases(total) {
            let (mut values, mut floors) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let began = Instant::now();
                let (ids, _) = self.search(runtime, &search)?;
                values.push(began.elapsed());
                let began = Instant::now();
                self.floor(runtime, &search, &ids)?;
                floors.push(began.elapsed());
            }
            let found = self.search(runtime, &search)?.1;
            report(
                table,
                &format!("{words} tokens, {name} ({found} found)"),
                values,
                floors,
            );
        }
        self.measure_news(runtime, words, table)
    }

    /// A look right after an act: the token is read from the catalog and put in its place first.
    fn measure_news(&self, runtime: &Runtime, words: &str, table: &mut Table) -> Outcome<()> {
        let search = TokenSearch {
            sort: TokenColumn::Description,
            rows: ROWS,
            ..TokenSearch::default()
        };
        let (mut values, mut floors) = (Vec::new(), Vec::new());
        for number in 0..ROUNDS {
            let request = CreateDatabaseToken {
                description: format!("fleet {number}, new").parse()?,
                permissions: Permissions::default(),
                expires_at: None,
            };
            let create = self
                .authority
                .create_database_token(&self.caller, self.place, request);
            runtime.block_on(create)?;
            let began = Instant::now();
            let (ids, _) = self.search(runtime, &search)?;
            values.push(began.elapsed());
            let began = Instant::now();
            self.floor(runtime, &search, &ids)?;
            floors.push(began.elapsed());
        }
        report(
            table,
            &format!("{words} tokens, by description after a create"),
            values,
            floors,
        );
        Ok(())
    }

    fn search(&self, runtime: &Runtime, search: &TokenSearch) -> Outcome<(Vec<DatabaseTokenId>, usize)> {
        let search = self
            .authority
            .search_database_tokens(&self.caller, self.place, search);
        let found = runtime.block_on(search)?;
        Ok((found.items.iter().map(|token| token.id).collect(), found.total))
    }

    fn floor(&self, runtime: &Runtime, search: &TokenSearch, ids: &[DatabaseTokenId]) -> Outcome<()> {
        if !search.text.is_empty() {
            black_box(memmem::find_iter(&self.descriptions, &search.text).count());
        }
        black_box(runtime.block_on(self.catalog.database_tokens_by_ids(ids))?);
        Ok(())
    }
}

fn cases(total: usize) -> Vec<(&'static str, TokenSearch)> {
    let by = |sort, descending| TokenSearch {
        sort,
        descending,
        rows: ROWS,
        ..TokenSearch::default()
    };
    let of_text = |text: &str| TokenSearch {
        text: text.to_owned(),
        ..by(TokenColumn::CreatedAt, true)
    };
    vec![
        ("by status", by(TokenColumn::Status, false)),
        ("by description", by(TokenColumn::Description, false)),
        ("by id", by(TokenColumn::Id, false)),
        ("by databases", by(TokenColumn::Databases, false)),
        ("by creation, newest first", by(TokenColumn::CreatedAt, true)),
        ("by expiry", by(TokenColumn::ExpiresAt, false)),
        ("by last use, latest first", by(TokenColumn::LastUsedAt, true)),
        (
            "by last use, from the middle",
            TokenSearch {
                offset: total / 2,
                ..by(TokenColumn::LastUsedAt, true)
            },
        ),
        ("search, few hits", of_text("gateway 4711")),
        ("search, all hits", of_text("fleet")),
        ("search, one letter", of_text("e")),
        ("search, none", of_text("zeppelin")),
        (
            "search, hits by description, three filters",
            TokenSearch {
                text: "gateway 1".to_owned(),
                statuses: vec![TokenStatus::Active, TokenStatus::Expired],
                unused_since: Some(WallClock.now().plus_micros(-10 * DAY)),
                database: "sensors-7".parse().ok(),
                ..by(TokenColumn::Description, true)
            },
        ),
    ]
}

fn report(table: &mut Table, what: &str, values: Vec<Duration>, floors: Vec<Duration>) {
    let pairs = values.iter().zip(&floors);
    let ratios: Sample = pairs
        .map(|(value, floor)| value.as_secs_f64() / floor.as_secs_f64())
        .collect();
    let (value, floor) = (
        values.into_iter().collect::<Sample>(),
        floors.into_iter().collect::<Sample>(),
    );
    let ratio = format!("{:.1}", ratios.median());
    table.row(what, &ms(value.median()), &ms(floor.median()), &ratio, AIM);
}

fn ms(seconds: f64) -> String {
    match seconds {
        long if long >= 1.0 => format!("{long:.2} s"),
        short => format!("{:.2} ms", short * 1e3),
    }
}

/// Where the system tells it as a file.
fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// A third of the tokens expire, some have, a tenth is revoked, half were never used.
fn mint(number: usize, place: Place, rng: &SeededRng) -> Outcome<(DatabaseToken, Secret)> {
    let now = WallClock.now();
    let ago = |days: u64| now.plus_micros(-(rng.below(days * DAY as u64) as i64));
    let database: DatabaseName = format!("sensors-{}", rng.below(DATABASES as u64)).parse()?;
    let permission = |action: &str, resource: &str| -> Outcome<Permission> {
        Ok(Permission {
            action: action.parse()?,
            resource: resource.parse()?,
        })
    };
    let permissions = match rng.below(10) {
        0 => vec![permission("read", "*")?],
        _ => vec![
            permission("read", database.as_str())?,
            permission("write", database.as_str())?,
        ],
    };
    let secret = Secret::mint(SecretKind::Database, rng);
    let token = DatabaseToken {
        id: DatabaseTokenId::mint(rng),
        account: place.account,
        cluster: place.cluster,
        description: format!("Fleet {}, gateway {number}", rng.below(1_000)).parse()?,
        permissions: Permissions::new(permissions)?,
        prefix: secret.prefix(),
        created_at: ago(400),
        created_by: Actor::User(UserId::from_bytes([rng.below(20) as u8; 16])),
        expires_at: number.is_multiple_of(3).then(|| ago(300).plus_micros(200 * DAY)),
        state: match number % 10 {
            0 => TokenState::Revoked { at: ago(100) },
            _ => TokenState::Active,
        },
        last_used_at: number.is_multiple_of(2).then(|| ago(100)),
    };
    Ok((token, secret))
}
