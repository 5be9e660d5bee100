//! What admission costs a one-line write: the real route, beside the same route with a gateway that says yes to all.
//!
//! Both gateways stand before the same engine, in this process, on a port each; writes are synced as always. Needs the
//! feature `bench-always-admit`, which the server itself is never built with.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use rescind_authority::{
    Admission, Authority, Caller, Catalog, CreateDatabase, CreateDatabaseToken, Location, NodeSettings,
    Place, SessionLimits, Settings,
};
use rescind_domain::{
    Action, Ask, Clock, DatabaseLimits, DatabaseName, DatabaseView, Permission, Permissions, Permit,
    Resource, Secret, TableName, Timestamp,
};
use rescind_engine::{Engine, Precision, TableMaker, TableMakerError, Write};
use rescind_gateway::{Answer, Gateway, SqlRequest, Upstream, UpstreamError, WriteRequest, router};
use rescind_testkit::{FrozenStopwatch, SeededRng};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use figures::{Sample, Table};
use load::feeds::{DATABASE, OneLine};
use load::{Load, load};

mod figures;
mod load;

const ROUNDS: usize = 61;
/// Short, so that the two see the same neighbours on the machine.
const ROUND: Duration = Duration::from_millis(250);
const CONNECTIONS: [usize; 3] = [1, 16, 64];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let runtime = Runtime::new()?;
    let directory = tempfile::tempdir()?;
    let routes = runtime.block_on(Routes::open(directory.path()))?;
    let title =
        format!("One-line writes with admission, {ROUNDS} rounds in turn (floor: admission says yes to all)");
    let mut table = Table::new(&title);
    for connections in CONNECTIONS {
        let (mut checked, mut floors) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            checked.push(routes.load(routes.checking, connections));
            floors.push(routes.load(routes.always, connections));
        }
        let ratios: Sample = checked
            .iter()
            .zip(&floors)
            .map(|(one, other)| one.rate / other.rate)
            .collect();
        let in_words = |loads: &[Load]| {
            let rate = loads.iter().map(|load| load.rate).collect::<Sample>().median();
            let latency = loads
                .iter()
                .map(|load| load.latencies.median())
                .collect::<Sample>()
                .median();
            format!("{rate:.0}/s, p50 {:.2} ms", latency * 1e3)
        };
        table.row(
            &format!("{connections} connection(s)"),
            &in_words(&checked),
            &in_words(&floors),
            &format!("{:.3}", ratios.median()),
            "≥ 0.95",
        );
    }
    table.print();
    Ok(())
}

/// The two gateways, serving.
struct Routes {
    checking: SocketAddr,
    always: SocketAddr,
    secret: Secret,
}

impl Routes {
    async fn open(directory: &Path) -> Outcome<Self> {
        let location = Location::Sqlite(directory.join("catalog.sqlite"));
        let settings = Settings {
            node: NodeSettings::alone("bench"),
            stopwatch: Arc::new(FrozenStopwatch::default()),
            clock: Arc::new(WallClock),
            rng: Arc::new(SeededRng::new(1)),
            session_limits: SessionLimits::default(),
        };
        let authority = Authority::open(Catalog::open(&location).await?, settings).await?;
        let engine = Engine::open(
            rescind_engine::Settings::new(directory.join("engine")),
            Arc::new(WallClock),
        )?;
        let secret = prepare(&authority).await?;
        let database: DatabaseName = DATABASE.parse()?;
        let ask = Ask {
            action: Action::Write,
            database: &database,
        };
        let admission = authority
            .admit(secret.expose().as_bytes(), ask)
            .map_err(|e| e.to_string())?;
        let upstream = Arc::new(Direct {
            engine,
            authority: Arc::clone(&authority),
        });
        let bounds = rescind_gateway::Settings::default;
        let checking = Gateway::new(Arc::clone(&authority), Arc::<Direct>::clone(&upstream), bounds());
        let always = Gateway::always_admitting(authority, upstream, bounds(), admission);
        Ok(Self {
            checking: serve(checking).await?,
            always: serve(always).await?,
            secret,
        })
    }

    fn load(&self, address: SocketAddr, connections: usize) -> Load {
        let moment = u64::try_from(WallClock.now().micros()).unwrap_or_default() * 1_000;
        let lines = (0..connections).map(|number| OneLine::new(self.secret.expose(), number, moment));
        let load = load(&address.to_string(), ROUND, lines.collect());
        assert_eq!(load.refused, 0, "a busy server would make the rounds unlike");
        load
    }
}

async fn serve(gateway: Gateway) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = router(gateway).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}

/// The first account, the database and a token that may write to it.
async fn prepare(authority: &Arc<Authority>) -> Outcome<Secret> {
    let founding = authority.draw_up("bench@example.org".parse()?)?;
    let place = Place {
        account: founding.account.id,
        cluster: founding.cluster.id,
    };
    authority.found(founding).await?;
    let caller = Caller::operator(place.account);
    let database = CreateDatabase {
        name: DATABASE.parse()?,
        limits: DatabaseLimits::default(),
        partition_template: None,
    };
    authority.create_database(&caller, place, database).await?;
    let token = CreateDatabaseToken {
        description: "bench".parse()?,
        permissions: Permissions::new([Permission {
            action: Action::Write,
            resource: Resource::Database(DATABASE.parse()?),
        }])?,
        expires_at: None,
    };
    Ok(authority
        .create_database_token(&caller, place, token)
        .await?
        .secret)
}

/// Straight into the engine.
struct Direct {
    engine: Engine,
    authority: Arc<Authority>,
}

#[async_trait]
impl Upstream for Direct {
    async fn write(
        &self,
        admission: &Admission,
        database: Arc<DatabaseView>,
        request: WriteRequest,
    ) -> Result<(), UpstreamError> {
        let write = Write {
            lines: request.lines,
            precision: Precision::Nanoseconds,
            accept_partial: request.accept_partial,
        };
        let written = self.engine.write(admission.permit(), database, write, self).await;
        written
            .map(drop)
            .map_err(|error| UpstreamError::Internal(error.into()))
    }

    async fn query_sql(
        &self,
        _admission: &Admission,
        _database: Arc<DatabaseView>,
        _request: SqlRequest,
    ) -> Result<Answer, UpstreamError> {
        Err(UpstreamError::NotImplemented(
            "this benchmark asks nothing".to_owned(),
        ))
    }
}

#[async_trait]
impl TableMaker for Direct {
    async fn make_tables(
        &self,
        permit: &Permit,
        names: Vec<TableName>,
    ) -> Result<Arc<DatabaseView>, TableMakerError> {
        let made = self.authority.create_written_tables(permit, names).await;
        made.map_err(|error| TableMakerError::Unavailable(error.to_string()))
    }
}

struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that is passed in")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}
