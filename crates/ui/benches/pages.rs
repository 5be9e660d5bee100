//! Pages of the Admin UI with many tokens: the list in every order and searched, the token's page, the revoke dialog over
//! the list; and what a page weighs.
//!
//! A page is asked for as a browser does, with its cookie, and is there when its last byte is. The floor is the smallest
//! page that knows its visitor: Help.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use rescind_authority::{
    Acceptance, Authority, Catalog, Location, NodeSettings, Place, SessionLimits, Settings,
};
use rescind_domain::{
    Actor, Agent, Client, Clock, DatabaseToken, DatabaseTokenId, Permission, Permissions, Secret, SecretKind,
    Timestamp, TokenState, UserId,
};
use rescind_testkit::{FrozenStopwatch, SeededRng};
use rescind_ui::{Ui, router};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use figures::{Sample, Table};
use no_figures::NoFigures;

#[path = "../../server/benches/figures/mod.rs"]
mod figures;
#[path = "../tests/it/no_figures.rs"]
mod no_figures;

const SIZES: [(usize, &str); 2] = [(100_000, "100 k"), (1_000_000, "1 M")];
const ROUNDS: usize = 31;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;
const AIM: &str = "50 ms";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut table = Table::new("Pages of the Admin UI (floor: the page Help)");
    for (size, words) in SIZES {
        let house = House::build(&runtime, size)?;
        house.measure(&runtime, words, &mut table)?;
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

/// One size: the Admin UI over an account with so many tokens, and a visitor's cookie.
struct House {
    ui: Router,
    cookie: String,
    place: Place,
    token: DatabaseTokenId,
    _directory: tempfile::TempDir,
}

impl House {
    fn build(runtime: &Runtime, size: usize) -> Outcome<Self> {
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
            let link = founding.invitation_secret.clone();
            authority.found(founding).await?;
            let mut tx = catalog.begin(&WallClock).await?;
            let mut last = None;
            for number in 0..size {
                let (token, secret) = mint(number, place, &rng)?;
                tx.insert_database_token(&token, &secret.hash()).await?;
                last = Some(token.id);
            }
            tx.commit_all(Vec::new()).await?;
            let cookie = sign_in(&authority, &link).await?;
            let ui = router(Ui {
                authority,
                clock: Arc::new(WallClock),
                rng,
                figures: Arc::new(NoFigures {
                    started_at: WallClock.now(),
                }),
                post: None,
                public_url: "http://127.0.0.1:8181".into(),
                secure: false,
            });
            Ok(Self {
                ui,
                cookie,
                place,
                token: last.ok_or("no tokens")?,
                _directory: directory,
            })
        })
    }

    fn measure(&self, runtime: &Runtime, words: &str, table: &mut Table) -> Outcome<()> {
        let list = format!("/clusters/{}/database-tokens", self.place.cluster);
        let (first, weight) = self.fetch(runtime, &list)?;
        table.row(
            &format!("{words} tokens, first look at the list"),
            &ms(first.as_secs_f64()),
            "",
            "",
            "",
        );
        let mut pages = vec![("the token's page".to_owned(), format!("{list}/{}", self.token))];
        pages.push((
            "the revoke dialog over the list".to_owned(),
            format!("{list}/{}/revoke", self.token),
        ));
        for column in [
            "status",
            "description",
            "id",
            "databases",
            "created",
            "expires",
            "used",
        ] {
            for direction in ["asc", "desc"] {
                let path = format!("{list}?sort={column}&dir={direction}");
                pages.push((format!("by {column}, {direction}"), path));
            }
        }
        for (name, term) in [
            ("search, few hits", "gateway+4711"),
            ("search, all hits", "fleet"),
            ("search, one letter", "e"),
            ("search, none", "zeppelin"),
        ] {
            pages.push((name.to_owned(), format!("{list}?q={term}&rows=25")));
        }
        pages.push(("the last page".to_owned(), format!("{list}?page=99999&rows=100")));
        for (name, path) in pages {
            let (mut values, mut floors) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                values.push(self.fetch(runtime, &path)?.0);
                floors.push(self.fetch(runtime, "/help")?.0);
            }
            report(table, &format!("{words} tokens, {name}"), values, floors);
        }
        let assets = self.assets(runtime, &list)?;
        let kilobytes = |bytes: usize| format!("{:.1} kB", bytes as f64 / 1e3);
        table.row(
            &format!("{words} tokens, weight of the list, compressed"),
            &kilobytes(weight + assets),
            "",
            "",
            "60 kB",
        );
        Ok(())
    }

    /// How long a page took until its last byte, and how many bytes it had on the wire.
    fn fetch(&self, runtime: &Runtime, path: &str) -> Outcome<(Duration, usize)> {
        let (took, body) = self.get(runtime, path)?;
        Ok((took, body.len()))
    }

    fn get(&self, runtime: &Runtime, path: &str) -> Outcome<(Duration, Vec<u8>)> {
        let request = Request::get(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::ACCEPT_ENCODING, "gzip")
            .body(Body::empty())?;
        let ui = self.ui.clone();
        runtime.block_on(async move {
            let began = Instant::now();
            let response = ui.oneshot(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            let took = began.elapsed();
            match status {
                StatusCode::OK => Ok((took, body.to_vec())),
                other => Err(format!("{path}: {other}").into()),
            }
        })
    }

    /// What the style and the script weigh.
    fn assets(&self, runtime: &Runtime, page: &str) -> Outcome<usize> {
        let (_, body) = self.get(runtime, page)?;
        let mut html = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(body.as_slice()), &mut html)?;
        let mut weight = 0;
        for asset in html.split('"').filter(|text| text.starts_with("/assets/")) {
            weight += self.fetch(runtime, asset)?.1;
        }
        Ok(weight)
    }
}

async fn sign_in(authority: &Arc<Authority>, link: &Secret) -> Outcome<String> {
    let acceptance = Acceptance {
        first_name: "Bench".to_owned(),
        last_name: "Mark".to_owned(),
        password: "seven quiet harbours".to_owned(),
    };
    let client = Client {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        agent: Agent::new("bench"),
    };
    let signed_in = authority
        .accept_invitation(link.expose().as_bytes(), acceptance, client)
        .await?;
    Ok(format!("rescind_session={}", signed_in.secret.expose()))
}

fn report(table: &mut Table, what: &str, values: Vec<Duration>, floors: Vec<Duration>) {
    let (value, floor): (Sample, Sample) = (values.into_iter().collect(), floors.into_iter().collect());
    let ratio = format!("{:.1}", value.median() / floor.median());
    table.row(what, &ms(value.median()), &ms(floor.median()), &ratio, AIM);
}

fn ms(seconds: f64) -> String {
    match seconds {
        long if long >= 1.0 => format!("{long:.2} s"),
        short => format!("{:.2} ms", short * 1e3),
    }
}

/// A third of the tokens expire, some have, a tenth is revoked, half were never used.
fn mint(number: usize, place: Place, rng: &SeededRng) -> Outcome<(DatabaseToken, Secret)> {
    let now = WallClock.now();
    let ago = |days: u64| now.plus_micros(-(rng.below(days * DAY as u64) as i64));
    let database = format!("sensors-{}", rng.below(100));
    let permission = |action: &str| -> Outcome<Permission> {
        Ok(Permission {
            action: action.parse()?,
            resource: database.parse()?,
        })
    };
    let secret = Secret::mint(SecretKind::Database, rng);
    let token = DatabaseToken {
        id: DatabaseTokenId::mint(rng),
        account: place.account,
        cluster: place.cluster,
        description: format!("Fleet {}, gateway {number}", rng.below(1_000)).parse()?,
        permissions: Permissions::new([permission("read")?, permission("write")?])?,
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
