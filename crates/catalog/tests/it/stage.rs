//! An empty catalog with one account and one cluster, and short ways to act on it.

use rescind_catalog::{
    Catalog, ChangeKind, Committed, Entry, Grant, LoadedGrant, Location, NewDatabase, Transaction,
};
use rescind_domain::{
    Account, AccountId, Act, Actor, Agent, Client, Cluster, ClusterId, ClusterState, Database,
    DatabaseLimits, DatabaseToken, DatabaseTokenId, ManagementToken, ManagementTokenId, Permissions,
    Revision, Role, Secret, SecretHash, SecretKind, Session, SessionId, SessionKind, Timestamp, TokenState,
    User, UserId, UserState,
};
use rescind_testkit::{FrozenClock, SeededRng};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

/// When everything happens.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_767_323_045_000_000);

pub(crate) struct Stage {
    pub(crate) catalog: Catalog,
    pub(crate) location: Location,
    pub(crate) rng: SeededRng,
    pub(crate) account: AccountId,
    pub(crate) cluster: ClusterId,
    // Removed after the catalog is gone.
    _directory: Option<tempfile::TempDir>,
}

impl Stage {
    pub(crate) async fn on_sqlite() -> Self {
        // The path goes into a URL on its way: it must survive that.
        let directory = tempfile::Builder::new()
            .prefix("a #b?c%20é")
            .tempdir()
            .expect("temporary directory");
        let location = Location::Sqlite(directory.path().join("catalog.db"));
        Self::set(location, Some(directory)).await
    }

    pub(crate) async fn on_postgresql(url: &str, name: &str) -> Self {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(url).await.expect("server");
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("database");
        let (server, _) = url.rsplit_once('/').expect("the url ends with a database");
        Self::set(Location::Postgres(format!("{server}/{name}")), None).await
    }

    async fn set(location: Location, directory: Option<tempfile::TempDir>) -> Self {
        let catalog = Catalog::open(&location).await.expect("opens");
        assert!(catalog.is_empty().await.expect("reads"));
        let rng = SeededRng::new(7);
        let stage = Self {
            account: AccountId::mint(&rng),
            cluster: ClusterId::mint(&rng),
            catalog,
            location,
            rng,
            _directory: directory,
        };
        let mut act = stage.begin().await;
        let account = Account {
            id: stage.account,
            name: "home".to_owned(),
            created_at: NOW,
        };
        act.insert_account(&account).await.expect("account");
        let cluster = Cluster {
            id: stage.cluster,
            account: stage.account,
            name: "one".to_owned(),
            state: ClusterState::Ready,
            created_at: NOW,
        };
        act.insert_cluster(&cluster).await.expect("cluster");
        let entries = [
            stage.entry(Act::AccountCreate, stage.account.to_string(), vec![]),
            stage.entry(Act::ClusterCreate, stage.cluster.to_string(), vec![]),
        ];
        let committed = act.commit_all(entries.into()).await.expect("commits");
        assert_eq!((committed.revision, committed.sequence), (None, 2));
        stage
    }

    pub(crate) async fn begin(&self) -> Transaction {
        self.catalog.begin(&FrozenClock::at(NOW)).await.expect("begins")
    }

    /// Commits `act` as one act with at most one change.
    pub(crate) async fn commit(
        &self,
        act: Transaction,
        what: Act,
        subject: impl ToString,
        change: Option<ChangeKind>,
    ) -> Committed {
        let entry = self.entry(what, subject, change.into_iter().collect());
        act.commit(entry).await.expect("commits")
    }

    pub(crate) fn entry(&self, act: Act, subject: impl ToString, changes: Vec<ChangeKind>) -> Entry {
        Entry {
            actor: Actor::System,
            account: self.account,
            act,
            subject: subject.to_string(),
            details: vec![("because".to_owned(), "of a test".to_owned())],
            changes,
        }
    }

    pub(crate) fn token(
        &self,
        description: &str,
        permissions: &[(&str, &str)],
    ) -> (DatabaseToken, SecretHash) {
        let secret = Secret::mint(SecretKind::Database, &self.rng);
        let token = DatabaseToken {
            id: DatabaseTokenId::mint(&self.rng),
            account: self.account,
            cluster: self.cluster,
            description: description.parse().expect("a description"),
            permissions: permissions_of(permissions),
            prefix: secret.prefix(),
            created_at: NOW,
            created_by: Actor::System,
            expires_at: None,
            state: TokenState::Active,
            last_used_at: None,
        };
        (token, secret.hash())
    }

    pub(crate) fn management_token(&self, description: &str) -> (ManagementToken, SecretHash) {
        let secret = Secret::mint(SecretKind::Management, &self.rng);
        let token = ManagementToken {
            id: ManagementTokenId::mint(&self.rng),
            account: self.account,
            description: description.parse().expect("a description"),
            prefix: secret.prefix(),
            created_at: NOW,
            created_by: Actor::Operator,
            expires_at: None,
            state: TokenState::Active,
            last_used_at: None,
        };
        (token, secret.hash())
    }

    pub(crate) async fn create_token(&self, token: &DatabaseToken, secret: &SecretHash) -> Committed {
        let mut act = self.begin().await;
        act.insert_database_token(token, secret).await.expect("token");
        let change = Some(ChangeKind::DatabaseToken(token.id));
        self.commit(act, Act::DatabaseTokenCreate, token.id, change).await
    }

    /// A user who is not kept yet.
    pub(crate) fn user(&self, email: &str) -> User {
        User {
            id: UserId::mint(&self.rng),
            account: self.account,
            email: email.parse().expect("an address"),
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            role: Role::Admin,
            state: UserState::Enabled,
            created_at: NOW,
        }
    }

    pub(crate) async fn create_user(&self, email: &str) -> User {
        let user = self.user(email);
        let mut act = self.begin().await;
        act.insert_user(&user).await.expect("user");
        self.commit(act, Act::UserCreate, user.id, Some(ChangeKind::User(user.id)))
            .await;
        user
    }

    /// A session of an hour that is not kept yet.
    pub(crate) fn session(&self, user: UserId, kind: SessionKind) -> (Session, SecretHash) {
        let session = Session {
            id: SessionId::mint(&self.rng),
            user,
            kind,
            client: client("2001:db8::7", "Netscape \"9\""),
            created_at: NOW,
            expires_at: NOW.plus_micros(3_600_000_000),
            last_used_at: None,
            ended_at: None,
        };
        (session, Secret::mint(kind.secret_kind(), &self.rng).hash())
    }

    pub(crate) async fn create_session(&self, user: UserId, kind: SessionKind) -> (Session, SecretHash) {
        let (session, secret) = self.session(user, kind);
        let mut act = self.begin().await;
        act.insert_session(&session, &secret).await.expect("session");
        let change = Some(ChangeKind::Session(session.id));
        self.commit(act, Act::UserUpdate, user, change).await;
        (session, secret)
    }

    pub(crate) fn new_database(&self, name: &str) -> NewDatabase {
        NewDatabase {
            cluster: self.cluster,
            name: name.parse().expect("a name"),
            limits: DatabaseLimits::default(),
            partition_template: None,
        }
    }

    pub(crate) async fn create_database(&self, name: &str) -> Database {
        let mut act = self.begin().await;
        let database = act
            .insert_database(self.new_database(name))
            .await
            .expect("database");
        let change = Some(ChangeKind::Database(database.id));
        self.commit(act, Act::DatabaseCreate, database.id, change).await;
        database
    }

    /// Runs a statement behind the catalog's back.
    pub(crate) async fn tamper(&self, statement: &str) -> Result<u64, sqlx::Error> {
        Self::tamper_at(&self.location, statement).await
    }

    pub(crate) async fn tamper_at(location: &Location, statement: &str) -> Result<u64, sqlx::Error> {
        let mut connection = match location {
            Location::Postgres(url) => AnyConnection::connect(url).await?,
            Location::Sqlite(path) => {
                let bytes = path.to_str().expect("UTF-8").bytes();
                let path: String = bytes.map(|byte| format!("%{byte:02X}")).collect();
                AnyConnection::connect(&format!("sqlite:{path}")).await?
            }
        };
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await;
        connection.close().await?;
        Ok(done?.rows_affected())
    }

    /// All grants, ordered by secret.
    pub(crate) async fn grants(&self) -> Vec<LoadedGrant> {
        let mut grants = Vec::new();
        let place = self
            .catalog
            .load_grants(Revision::new(0), &mut |grant| grants.push(grant))
            .await
            .expect("loads");
        assert_eq!(place.revision, self.catalog.revision().await.expect("reads"));
        grants.sort_by_key(|grant| *grant.secret.as_bytes());
        grants
    }

    pub(crate) async fn database_grants(&self) -> Vec<DatabaseTokenId> {
        let grants = self.grants().await.into_iter();
        let ids = grants.filter_map(|loaded| match loaded.grant {
            Grant::Database(grant) => Some(grant.token),
            Grant::Management(_) | Grant::Session(_) => None,
        });
        ids.collect()
    }
}

pub(crate) fn client(address: &str, agent: &str) -> Client {
    Client {
        address: address.parse().expect("an address"),
        agent: Agent::new(agent),
    }
}

pub(crate) fn permissions_of(pairs: &[(&str, &str)]) -> Permissions {
    let permissions = pairs.iter().map(|(action, resource)| rescind_domain::Permission {
        action: action.parse().expect("an action"),
        resource: resource.parse().expect("a resource"),
    });
    Permissions::new(permissions).expect("few")
}
