//! The Admin UI alone, over an invented account: for working on how pages look and feel.
//!
//! `cargo run -p rescind-ui --example stage -- 127.0.0.1:8180` prints how to sign in. Nothing is kept. With `calm` after
//! the address no description is hostile: for pictures.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rescind_authority::{
    Acceptance, Authority, Caller, Catalog, CreateDatabase, CreateDatabaseToken, Founding, Location,
    NodeSettings, Place, SessionLimits, Settings,
};
use rescind_domain::{
    Action, Agent, Ask, Client, Clock as _, DatabaseId, DatabaseLimits, Permission, Permissions, Resource,
    Secret, TableId, Timestamp,
};
use rescind_testkit::{FrozenClock, FrozenStopwatch, SeededRng};
use rescind_ui::{Column, Counters, Distribution, Figures, NodeInfo, Process, Sample, Ui, router};
use tokio_util::sync::CancellationToken;

mod people;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "seven quiet harbours";

#[tokio::main]
#[expect(clippy::print_stdout, reason = "whoever starts it reads how to sign in")]
async fn main() -> Outcome<()> {
    let listen: SocketAddr = std::env::args()
        .nth(1)
        .as_deref()
        .unwrap_or("127.0.0.1:8180")
        .parse()?;
    let directory = tempfile::tempdir()?;
    let clock = Arc::new(FrozenClock::at(now().plus_micros(-7 * 86_400 * 1_000_000)));
    let authority = open(directory.path(), &clock).await?;
    tokio::spawn(Arc::clone(&authority).run(CancellationToken::new()));
    let founding = authority.draw_up(EMAIL.parse()?)?;
    let (link, place) = founded(&authority, founding).await?;
    let caller = accept(&authority, &link).await?;
    people::arrive(&authority, &clock, &caller, place).await?;
    furnish(&authority, &clock, &caller, place).await?;
    clock.set(now());
    let waiting = people::wait(&authority, &caller, place).await?;
    let running = Arc::clone(&clock);
    tokio::spawn(async move {
        loop {
            running.set(now());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let ui = router(Ui {
        authority,
        clock,
        rng: Arc::new(SeededRng::new(9)),
        figures: Arc::new(Invented),
        post: None,
        public_url: format!("http://{listen}").into(),
        secure: false,
    });
    let listener = tokio::net::TcpListener::bind(listen).await?;
    println!("http://{listen} {EMAIL} (or grace@, kurt@) / {PASSWORD}\n{waiting}");
    axum::serve(listener, ui.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a stage for people shows the time of people"
)]
fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

async fn open(directory: &std::path::Path, clock: &Arc<FrozenClock>) -> Outcome<Arc<Authority>> {
    let catalog = Catalog::open(&Location::Sqlite(directory.join("catalog.sqlite"))).await?;
    let settings = Settings {
        node: NodeSettings::alone("node-1"),
        stopwatch: Arc::new(FrozenStopwatch::default()),
        clock: Arc::clone(clock) as _,
        rng: Arc::new(SeededRng::new(7)),
        session_limits: SessionLimits {
            idle: Duration::from_secs(30 * 86_400),
            lifetime: Duration::from_secs(30 * 86_400),
            ..SessionLimits::default()
        },
    };
    Ok(Authority::open(catalog, settings).await?)
}

async fn founded(authority: &Arc<Authority>, founding: Founding) -> Outcome<(Secret, Place)> {
    let place = Place {
        account: founding.account.id,
        cluster: founding.cluster.id,
    };
    let link = founding.invitation_secret.clone();
    authority.found(founding).await?;
    Ok((link, place))
}

async fn accept(authority: &Arc<Authority>, link: &Secret) -> Outcome<Caller> {
    let acceptance = Acceptance {
        first_name: "Ada".to_owned(),
        last_name: "Byron".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let client = Client {
        address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 17)),
        agent: Agent::new("Mozilla/5.0 (Macintosh; Intel Mac OS X) Firefox/140.0"),
    };
    let signed_in = authority
        .accept_invitation(link.expose().as_bytes(), acceptance, client)
        .await?;
    Ok(authority.authenticate_session(signed_in.secret.expose().as_bytes())?)
}

const DATABASES: [&str; 6] = [
    "telemetry",
    "metrics-prod",
    "metrics-staging",
    "iot_factory_7",
    "billing",
    "weather",
];

/// The last three are there to be seen through.
const PURPOSES: [&str; 14] = [
    "Telegraf on build hosts",
    "Grafana, operations board",
    "Line 7 gateway, Rotterdam",
    "Nightly billing export",
    "Ingest: telemetry collectors (eu-west)",
    "Weather demo",
    "Data science notebooks",
    "Kapacitor alerts, to be replaced by the new alerting service before the end of the quarter, ask Grace first",
    "Staging: everything",
    "Mobile app, read only",
    "CI smoke test",
    "<script>alert('hostile')</script>",
    "قراءة فقط · لوحة المراقبة",
    "🚀 launch dashboard",
];

async fn furnish(
    authority: &Arc<Authority>,
    clock: &FrozenClock,
    caller: &Caller,
    place: Place,
) -> Outcome<()> {
    for name in DATABASES {
        let request = CreateDatabase {
            name: name.parse()?,
            limits: DatabaseLimits::default(),
            partition_template: None,
        };
        authority.create_database(caller, place, request).await?;
    }
    let mut secrets = Vec::new();
    for number in 0..42_usize {
        clock.advance(Duration::from_secs(1_700));
        secrets.push(token(authority, clock, caller, place, number).await?);
    }
    for (number, (id, _)) in secrets.iter().enumerate() {
        if number % 9 == 5 {
            authority.revoke_database_token(caller, place, *id).await?;
        }
    }
    let start = clock.now();
    let hours = (now().micros() - start.micros()) / 3_600_000_000;
    for hour in 0..=hours {
        clock.set(now().plus_micros((hour - hours) * 3_600_000_000));
        tokio::time::sleep(Duration::from_millis(210)).await;
        for (number, (_, secret)) in secrets.iter().enumerate().filter(|(number, _)| number % 3 != 1) {
            let uses = ((hour * 7 + number as i64 * 5) % 23) * (1 + (hour % 24 - 12).abs());
            use_it(authority, secret, number, uses)?;
        }
        authority.record_uses().await?;
    }
    Ok(())
}

async fn token(
    authority: &Arc<Authority>,
    clock: &FrozenClock,
    caller: &Caller,
    place: Place,
    number: usize,
) -> Outcome<(rescind_domain::DatabaseTokenId, Secret)> {
    let is_calm = std::env::args().nth(2).is_some_and(|word| word == "calm");
    let purposes = if is_calm { &PURPOSES[..11] } else { &PURPOSES[..] };
    let purpose = purposes[number % purposes.len()];
    let description = if number < purposes.len() {
        purpose.to_owned()
    } else {
        format!("{purpose} {number}")
    };
    let expiry = match number % 7 {
        3 => Some(7 * 86_400 + 3_600 * number as i64),
        5 => Some(3 * 86_400),
        6 => Some(90 * 86_400),
        _ => None,
    };
    let request = CreateDatabaseToken {
        description: description.parse()?,
        permissions: permissions(number)?,
        expires_at: expiry.map(|seconds| clock.now().plus_micros(seconds * 1_000_000)),
    };
    let created = authority.create_database_token(caller, place, request).await?;
    Ok((created.item.id, created.secret))
}

fn permissions(number: usize) -> Outcome<Permissions> {
    let name = |at: usize| DATABASES[at % DATABASES.len()].parse().map(Resource::Database);
    let mut permissions = vec![Permission {
        action: Action::Write,
        resource: name(number)?,
    }];
    for at in 0..number % 3 {
        permissions.push(Permission {
            action: Action::Read,
            resource: name(number + at)?,
        });
    }
    if number % 11 == 8 {
        permissions.push(Permission {
            action: Action::Read,
            resource: Resource::AllDatabases,
        });
    }
    Ok(Permissions::new(permissions)?)
}

fn use_it(authority: &Authority, secret: &Secret, number: usize, uses: i64) -> Outcome<()> {
    let database = DATABASES[number % DATABASES.len()].parse()?;
    for one in 0..uses {
        let action = if one % 4 == 3 { Action::Read } else { Action::Write };
        let ask = Ask {
            action,
            database: &database,
        };
        // Revoked and expired ones are refused, as they should be.
        if let Ok(admission) = authority.admit(secret.expose().as_bytes(), ask) {
            let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, number as u8));
            authority.note_use(admission.permit(), address, "Telegraf/1.35.0 Go/1.24");
        }
    }
    Ok(())
}

/// A count that grows by about `step` each time, faster and slower in waves of `length`.
fn wavy(at: u64, step: u64, length: f64) -> u64 {
    let at = at as f64;
    (step as f64 * (at + 0.6 * length * (at / length).sin() + length)) as u64
}

/// Figures of no server.
struct Invented;

impl Invented {
    fn counted(at: u64) -> Counters {
        Counters {
            admitted: 40_000 + wavy(at, 930, 23.0),
            refused: BTreeMap::from([
                ("revoked", 12 + wavy(at, 9, 5.0)),
                ("unknown", 3),
                ("expired", 40 + at),
            ]),
            writes: 31_000 + wavy(at, 620, 19.0),
            queries: 9_000 + wavy(at, 310, 11.0),
            bytes_written: 88_000_000 + wavy(at, 1_900_000, 31.0),
        }
    }
}

#[async_trait]
impl Figures for Invented {
    async fn columns(&self, _: DatabaseId, _: TableId) -> Vec<Column> {
        let columns = [
            ("time", "time"),
            ("room", "tag"),
            ("temperature", "f64"),
            ("humidity", "f64"),
        ];
        let column = |(name, kind): (&str, &str)| Column {
            name: name.to_owned(),
            kind: kind.to_owned(),
        };
        columns.into_iter().map(column).collect()
    }

    async fn table_bytes(&self, _: DatabaseId) -> BTreeMap<TableId, u64> {
        let sizes = (1..50).filter_map(|id| Some((TableId::new(id)?, 24_400 * id as u64)));
        sizes.collect()
    }

    async fn database_bytes(&self) -> BTreeMap<DatabaseId, u64> {
        let sizes = (1..50).filter_map(|id| Some((DatabaseId::new(id)?, 77_400_000 * id as u64)));
        sizes.collect()
    }

    fn counters(&self) -> Counters {
        Self::counted(240)
    }

    fn history(&self) -> Vec<Sample> {
        let sample = |at: u64| Sample {
            at: now().plus_micros((at as i64 - 239) * 15_000_000),
            counters: Self::counted(at),
            process: Process {
                cpu_seconds: 30.0 + wavy(at, 900, 27.0) as f64 / 1_000.0,
                resident_bytes: 190_000_000 + (at % 40) * 900_000,
            },
        };
        (0..240).map(sample).collect()
    }

    fn revocations(&self) -> Distribution {
        let bounds = [(1, 0), (5, 14), (10, 41), (25, 22), (50, 6), (100, 1), (1_000, 0)];
        Distribution {
            buckets: bounds
                .map(|(millis, count)| (Duration::from_millis(millis), count))
                .to_vec(),
            beyond: 0,
        }
    }

    fn process(&self) -> Process {
        Process {
            cpu_seconds: 246.0,
            resident_bytes: 212_000_000,
        }
    }

    fn node(&self) -> NodeInfo {
        NodeInfo {
            version: "0.1.0".to_owned(),
            started_at: now().plus_micros(-86_400_000_000),
            listens_on: "127.0.0.1:8181".to_owned(),
            cpus: 2,
        }
    }
}
