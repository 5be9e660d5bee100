//! An authority on a temporary SQLite file, founded, with a frozen clock and a seeded generator.

use std::sync::Arc;

use rescind_authority::{
    Admission, Authority, Caller, Catalog, CreateDatabase, CreateDatabaseToken, Created, Location, Place,
    Refusal, SessionLimits, Settings,
};
use rescind_domain::{
    Action, Ask, DatabaseLimits, DatabaseToken, Permission, Permissions, Secret, Timestamp,
};
use rescind_testkit::{FrozenClock, SeededRng};

pub(crate) struct House {
    pub(crate) authority: Arc<Authority>,
    pub(crate) clock: Arc<FrozenClock>,
    pub(crate) place: Place,
    pub(crate) caller: Caller,
    pub(crate) management_secret: Secret,
    pub(crate) directory: tempfile::TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let clock = Arc::new(FrozenClock::default());
        let authority = open(&directory, &clock, 1).await;
        let founding = authority
            .draw_up("ada@example.com".parse().expect("an address"))
            .expect("drawn up");
        let place = Place {
            account: founding.account.id,
            cluster: founding.cluster.id,
        };
        let management_secret = founding.secret.clone();
        authority.found(founding).await.expect("founded");
        let caller = authority
            .authenticate(management_secret.expose().as_bytes())
            .expect("authenticated");
        Self {
            authority,
            clock,
            place,
            caller,
            management_secret,
            directory,
        }
    }

    /// A second process's view after the first has gone: everything comes from the file.
    pub(crate) async fn reopened(self) -> Self {
        drop(self.authority);
        let authority = open(&self.directory, &self.clock, 2).await;
        Self { authority, ..self }
    }

    pub(crate) async fn database(&self, name: &str) {
        let request = CreateDatabase {
            name: name.parse().expect("a name"),
            limits: DatabaseLimits::default(),
            partition_template: None,
        };
        self.authority
            .create_database(&self.caller, self.place, request)
            .await
            .expect("a database");
    }

    pub(crate) async fn token(&self, permissions: &[(&str, &str)]) -> Created<DatabaseToken> {
        self.token_until(permissions, None).await
    }

    pub(crate) async fn token_until(
        &self,
        permissions: &[(&str, &str)],
        expires_at: Option<Timestamp>,
    ) -> Created<DatabaseToken> {
        let request = CreateDatabaseToken {
            description: "a test's".parse().expect("a description"),
            permissions: set(permissions),
            expires_at,
        };
        self.authority
            .create_database_token(&self.caller, self.place, request)
            .await
            .expect("a token")
    }

    pub(crate) fn admit(
        &self,
        secret: &Secret,
        action: Action,
        database: &str,
    ) -> Result<Admission, Refusal> {
        let database = database.parse().expect("a name");
        self.authority.admit(
            secret.expose().as_bytes(),
            Ask {
                action,
                database: &database,
            },
        )
    }
}

pub(crate) fn set(permissions: &[(&str, &str)]) -> Permissions {
    let of_words = |(action, resource): &(&str, &str)| Permission {
        action: action.parse().expect("an action"),
        resource: resource.parse().expect("a resource"),
    };
    Permissions::new(permissions.iter().map(of_words)).expect("few")
}

async fn open(directory: &tempfile::TempDir, clock: &Arc<FrozenClock>, seed: u64) -> Arc<Authority> {
    let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
    let catalog = Catalog::open(&location).await.expect("a catalog");
    let settings = Settings {
        node_name: "node-1".to_owned(),
        clock: Arc::clone(clock) as _,
        rng: Arc::new(SeededRng::new(seed)),
        session_limits: SessionLimits::default(),
    };
    Authority::open(catalog, settings).await.expect("an authority")
}
