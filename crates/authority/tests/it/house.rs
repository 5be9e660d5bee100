//! An authority on a temporary SQLite file, founded, with a frozen clock and a seeded generator.

use std::sync::Arc;

use std::net::{IpAddr, Ipv4Addr};

use rescind_authority::{
    Acceptance, Admission, AskDevice, AuditQuery, Authority, Caller, Catalog, CreateDatabase,
    CreateDatabaseToken, Created, DeviceStarted, Error, Invite, Location, NodeSettings, Place, Refusal,
    SessionLimits, Settings, SignInError, SignedIn,
};
use rescind_domain::{
    Action, Agent, Ask, AuditEvent, Client, DatabaseLimits, DatabaseToken, Email, Invitation, Permission,
    Permissions, Role, Secret, Timestamp,
};
use rescind_testkit::{FrozenClock, FrozenStopwatch, SeededRng};

use crate::sharing::found_with_token;

pub(crate) struct House {
    pub(crate) authority: Arc<Authority>,
    pub(crate) clock: Arc<FrozenClock>,
    pub(crate) place: Place,
    pub(crate) caller: Caller,
    pub(crate) management_secret: Secret,
    /// Opens the link of the first administrator, ada@example.com.
    pub(crate) invitation_secret: Secret,
    pub(crate) directory: tempfile::TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let clock = Arc::new(FrozenClock::default());
        let authority = open(&directory, &clock, 1).await;
        let (place, management_secret, invitation_secret) = found_with_token(&authority).await;
        let caller = authority
            .authenticate(management_secret.expose().as_bytes())
            .expect("authenticated");
        Self {
            authority,
            clock,
            place,
            caller,
            management_secret,
            invitation_secret,
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

/// What everybody signs in with here.
pub(crate) const PASSWORD: &str = "correct lamp ferry onion";

impl House {
    /// The first administrator, signed in by the link of the first start.
    pub(crate) async fn ada(&self) -> SignedIn {
        let accepted = self.accept(&self.invitation_secret, PASSWORD).await;
        accepted.expect("the link of the first start")
    }

    /// A person who was invited as this and has just accepted.
    pub(crate) async fn person(&self, email: &str, role: Role) -> SignedIn {
        let invitation = self.invite(email, role).await;
        let accepted = self.accept(&invitation.secret, PASSWORD).await;
        accepted.expect("accepted")
    }

    pub(crate) async fn invite(&self, email: &str, role: Role) -> Created<Invitation> {
        let invited = self
            .authority
            .invite(&self.caller, self.place.account, invite(email, role))
            .await;
        invited.expect("invited")
    }

    pub(crate) async fn accept(&self, secret: &Secret, password: &str) -> Result<SignedIn, Error> {
        let acceptance = Acceptance {
            first_name: "Grace".to_owned(),
            last_name: "Hopper".to_owned(),
            password: password.to_owned(),
        };
        let secret = secret.expose().as_bytes();
        self.authority
            .accept_invitation(secret, acceptance, client(1))
            .await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, SignInError> {
        self.authority
            .sign_in(email, password.to_owned(), client(1))
            .await
    }

    /// Who a cookie's secret stands for.
    pub(crate) fn recognise(&self, secret: &Secret) -> Result<Caller, Refusal> {
        self.authority.authenticate_session(secret.expose().as_bytes())
    }

    /// Who a bearer token stands for.
    pub(crate) fn bearer(&self, secret: &Secret) -> Result<Caller, Refusal> {
        self.authority.authenticate(secret.expose().as_bytes())
    }

    pub(crate) async fn ask_device(&self) -> DeviceStarted {
        let ask = AskDevice {
            client_id: "influxctl".to_owned(),
            host: "laptop".to_owned(),
            client: client(2),
        };
        self.authority.ask_device(ask).await.expect("taken")
    }

    /// An access token that this caller approved.
    pub(crate) async fn device(&self, caller: &Caller) -> SignedIn {
        let started = self.ask_device().await;
        self.authority
            .answer_device(caller, &started.request.user_code, true)
            .await
            .expect("approved");
        let secret = started.secret.expose().as_bytes();
        let redeemed = self.authority.redeem_device(secret, "influxctl", client(2)).await;
        redeemed.expect("redeemed")
    }

    pub(crate) fn clock_now(&self) -> Timestamp {
        rescind_domain::Clock::now(&*self.clock)
    }

    /// A second way to the file, past the authority.
    pub(crate) async fn catalog(&self) -> Catalog {
        let location = Location::Sqlite(self.directory.path().join("catalog.sqlite"));
        Catalog::open(&location).await.expect("a catalog")
    }

    /// The newest events of the audit log first.
    pub(crate) async fn events(&self) -> Vec<AuditEvent> {
        let query = AuditQuery::all(self.place.account);
        let page = self.authority.audit_events(&self.caller, &query).await;
        page.expect("the log").items
    }
}

pub(crate) fn invite(email: &str, role: Role) -> Invite {
    Invite {
        email: address(email),
        first_name: String::new(),
        last_name: String::new(),
        role,
    }
}

pub(crate) fn address(text: &str) -> Email {
    text.parse().expect("an address")
}

/// A client at this address of the network 192.0.2.0/24.
pub(crate) fn client(number: u8) -> Client {
    Client {
        address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)),
        agent: Agent::new("a test"),
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
        node: NodeSettings::alone("node-1"),
        stopwatch: Arc::new(FrozenStopwatch::default()),
        clock: Arc::clone(clock) as _,
        rng: Arc::new(SeededRng::new(seed)),
        session_limits: SessionLimits::default(),
    };
    Authority::open(catalog, settings).await.expect("an authority")
}
