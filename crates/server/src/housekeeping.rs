//! What a node does on its own: removes points past their retention and what was deleted long ago.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rescind_authority::Authority;
use rescind_domain::{Chain, TableId};
use rescind_engine::Engine;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::metrics;

/// How often it looks.
const ROUND: Duration = Duration::from_secs(60);

/// Keeps a node tidy.
pub(crate) struct Housekeeping {
    /// Knows what is to be kept and how long.
    pub(crate) authority: Arc<Authority>,
    /// Holds it.
    pub(crate) engine: Engine,
}

impl Housekeeping {
    /// Works until `shutdown`, which may be in the middle of a round: the next start finds what is left to do.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut rounds = interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let working = async {
            loop {
                rounds.tick().await;
                self.round().await;
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = working => {}
        }
    }

    /// Each part on its own: what fails is tried again in the next round and does not hold up the others.
    async fn round(&self) {
        for (what, done) in [
            (
                "points past their retention were not removed",
                self.expire().await,
            ),
            ("deleted databases were not removed", self.purge_databases().await),
            ("deleted tables were not removed", self.purge_tables().await),
            (
                "what another node removed was not removed",
                self.follow_purges().await,
            ),
        ] {
            if let Err(error) = done {
                metrics::count_failed_housekeeping();
                tracing::warn!(error = %Chain(&error), "{what}; trying again in a minute");
            }
        }
    }

    async fn expire(&self) -> Result<(), Failure> {
        let retentions = self
            .authority
            .database_views()
            .iter()
            .map(|view| (view.id, view.limits.retention))
            .collect();
        self.engine
            .expire(retentions)
            .await
            .map_err(|e| Failure::because("the embedded database", e))
    }

    async fn purge_databases(&self) -> Result<(), Failure> {
        for database in self.authority.databases_to_purge().await? {
            let removed = self.engine.drop_database(database.id).await;
            removed.map_err(|e| Failure::because(format!("database {}", database.id), e))?;
            self.authority.note_database_purged(database).await?;
        }
        Ok(())
    }

    async fn purge_tables(&self) -> Result<(), Failure> {
        for table in self.authority.tables_to_purge().await? {
            let removed = self.engine.drop_table(table.table.id).await;
            removed.map_err(|e| Failure::because(format!("table {}", table.table.id), e))?;
            self.authority.note_table_purged(table).await?;
        }
        Ok(())
    }

    /// Whichever node purges first notes it for all: the others hold points of it still.
    async fn follow_purges(&self) -> Result<(), Failure> {
        let views = self.authority.database_views();
        let active: HashSet<TableId> = views
            .iter()
            .flat_map(|view| view.tables.values().map(|table| table.id))
            .collect();
        let mut others = self.engine.tables();
        others.retain(|table| !active.contains(table));
        for table in self.authority.purged_tables(&others).await? {
            let removed = self.engine.drop_table(table).await;
            removed.map_err(|e| Failure::because(format!("table {table}"), e))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures::StreamExt as _;
    use rescind_authority::{
        Catalog, CreateDatabase, CreateDatabaseToken, Location, NodeSettings, Place, SessionLimits, Settings,
        UpdateDatabase,
    };
    use rescind_domain::{Action, Ask, Permission, Permissions, Resource, Secret};
    use rescind_gateway::{Format, Precision, SqlRequest, Upstream as _, WriteRequest};
    use rescind_testkit::{FrozenClock, FrozenStopwatch, SeededRng};

    use super::*;
    use crate::upstream::Embedded;

    const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

    /// An account with a cluster and an engine, all on one frozen clock.
    struct World {
        housekeeping: Housekeeping,
        clock: Arc<FrozenClock>,
        caller: rescind_authority::Caller,
        place: Place,
        secret: Secret,
        _directory: tempfile::TempDir,
    }

    impl World {
        async fn new() -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            let clock = Arc::new(FrozenClock::default());
            let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
            let catalog = Catalog::open(&location).await.expect("a catalog");
            let settings = Settings {
                node: NodeSettings::alone("test"),
                stopwatch: Arc::new(FrozenStopwatch::default()),
                clock: Arc::clone(&clock) as _,
                rng: Arc::new(SeededRng::default()),
                session_limits: SessionLimits::default(),
            };
            let authority = Authority::open(catalog, settings).await.expect("an authority");
            let founding = authority
                .draw_up("a@b".parse().expect("an address"))
                .expect("drawn up");
            let place = Place {
                account: founding.account.id,
                cluster: founding.cluster.id,
            };
            authority.found(founding).await.expect("founded");
            let caller = authority.operator().await.expect("an operator");
            let permissions = [Action::Read, Action::Write].map(|action| Permission {
                action,
                resource: Resource::AllDatabases,
            });
            let request = CreateDatabaseToken {
                description: "Everything".parse().expect("a description"),
                permissions: Permissions::new(permissions).expect("few enough"),
                expires_at: None,
            };
            let token = authority
                .create_database_token(&caller, place, request)
                .await
                .expect("a token");
            let engine = rescind_engine::Settings::new(directory.path().join("engine"));
            let engine = Engine::open(engine, Arc::clone(&clock) as _).expect("an engine");
            let housekeeping = Housekeeping { authority, engine };
            Self {
                housekeeping,
                clock,
                caller,
                place,
                secret: token.secret,
                _directory: directory,
            }
        }

        async fn make_database(&self, name: &str) {
            let request = CreateDatabase {
                name: name.parse().expect("a name"),
                limits: rescind_domain::DatabaseLimits::default(),
                partition_template: None,
            };
            let authority = &self.housekeeping.authority;
            authority
                .create_database(&self.caller, self.place, request)
                .await
                .expect("a database");
        }

        fn upstream(&self) -> Embedded {
            Embedded::new(
                self.housekeeping.engine.clone(),
                Arc::clone(&self.housekeeping.authority),
            )
        }

        fn admit(&self, action: Action, database: &str) -> rescind_authority::Admission {
            let database = database.parse().expect("a name");
            let ask = Ask {
                action,
                database: &database,
            };
            self.housekeeping
                .authority
                .admit(self.secret.expose().as_bytes(), ask)
                .expect("admitted")
        }

        /// Writes one point of the clock's present and has it go to a file.
        async fn write(&self, database: &str, table: &str) {
            let admission = self.admit(Action::Write, database);
            let view = self
                .housekeeping
                .authority
                .database_view(admission.permit())
                .expect("a database");
            let lines = format!("{table} n=1").into();
            let request = WriteRequest {
                lines,
                precision: Precision::Nanosecond,
                accept_partial: false,
            };
            self.upstream()
                .write(&admission, view, request)
                .await
                .expect("written");
            self.housekeeping.engine.persist().await.expect("persisted");
        }

        /// How many points a table shows.
        async fn count(&self, database: &str, table: &str) -> String {
            let admission = self.admit(Action::Read, database);
            let view = self
                .housekeeping
                .authority
                .database_view(admission.permit())
                .expect("a database");
            let request = SqlRequest {
                sql: format!("SELECT count(*) AS n FROM {table}"),
                params: BTreeMap::new(),
                format: Format::Csv,
            };
            let answer = self
                .upstream()
                .query_sql(&admission, view, request)
                .await
                .expect("an answer");
            let parts: Vec<_> = answer.body.collect().await;
            parts
                .into_iter()
                .map(|part| String::from_utf8_lossy(&part.expect("a part")).into_owned())
                .collect()
        }

        fn files(&self) -> u64 {
            self.housekeeping.engine.stats().files
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_deleted_long_ago_goes_and_the_rest_stays() {
        let world = World::new().await;
        let authority = &world.housekeeping.authority;
        for name in ["kept", "gone"] {
            world.make_database(name).await;
            world.write(name, "one").await;
        }
        world.write("kept", "two").await;
        assert_eq!(world.files(), 3);
        let (kept, gone) = ("kept".parse().expect("a name"), "gone".parse().expect("a name"));
        authority
            .delete_database(&world.caller, world.place, gone)
            .await
            .expect("deleted");
        let two = "two".parse().expect("a name");
        authority
            .delete_table(&world.caller, world.place, kept, two)
            .await
            .expect("deleted");

        world.clock.advance(WEEK - Duration::from_secs(1));
        world.housekeeping.round().await;
        assert_eq!(world.files(), 3, "within the window everything can be restored");
        world.clock.advance(Duration::from_secs(3_602));
        world.housekeeping.round().await;
        assert_eq!(world.files(), 1);
        assert_eq!(world.count("kept", "one").await, "n\n1\n");
        assert!(authority.databases_to_purge().await.expect("readable").is_empty());
        assert!(authority.tables_to_purge().await.expect("readable").is_empty());
    }

    /// Each node has points of its own of a database that all share.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_another_node_purged_goes_here_too() {
        let world = World::new().await;
        let authority = &world.housekeeping.authority;
        for name in ["kept", "gone"] {
            world.make_database(name).await;
            world.write(name, "one").await;
        }
        let gone = "gone".parse().expect("a name");
        authority
            .delete_database(&world.caller, world.place, gone)
            .await
            .expect("deleted");
        world.clock.advance(WEEK + Duration::from_secs(3_602));
        for database in authority.databases_to_purge().await.expect("readable") {
            // By another node, and by a third one at the same moment.
            for _ in 0..2 {
                let noted = authority.note_database_purged(database.clone()).await;
                noted.expect("noted");
            }
        }
        assert_eq!(world.files(), 2);
        world.housekeeping.round().await;
        assert_eq!(world.files(), 1);
        assert_eq!(world.count("kept", "one").await, "n\n1\n");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn points_past_their_retention_leave_the_disk() {
        let world = World::new().await;
        world.make_database("short").await;
        let update = UpdateDatabase {
            retention: Some("1d".parse().expect("a day")),
            ..UpdateDatabase::default()
        };
        let name = "short".parse().expect("a name");
        let authority = &world.housekeeping.authority;
        authority
            .update_database(&world.caller, world.place, name, update)
            .await
            .expect("updated");
        world.write("short", "one").await;
        world.housekeeping.round().await;
        assert_eq!(world.files(), 1);
        world.clock.advance(WEEK);
        world.housekeeping.round().await;
        assert_eq!(world.files(), 0);
        assert_eq!(world.count("short", "one").await, "n\n0\n");
    }
}
