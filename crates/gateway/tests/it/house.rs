//! A gateway with a founded authority behind it, called in process or over a socket.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use http_body_util::Full;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rescind_authority::{
    Authority, Caller, Catalog, CreateDatabase, CreateDatabaseToken, Created, Location, Place, SessionLimits,
    UpdateDatabaseToken,
};
use rescind_domain::{
    DatabaseLimits, DatabaseToken, DatabaseTokenId, Permission, Permissions, Secret, Timestamp,
};
use rescind_gateway::{Gateway, Settings, router};
use rescind_testkit::{FrozenClock, FrozenStopwatch, SeededRng};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::upstreams::Script;

pub(crate) struct House {
    pub(crate) authority: Arc<Authority>,
    pub(crate) clock: Arc<FrozenClock>,
    pub(crate) upstream: Arc<Script>,
    pub(crate) management_secret: Secret,
    caller: Caller,
    place: Place,
    catalog: Catalog,
    router: Router,
    _directory: tempfile::TempDir,
}

impl House {
    /// With the databases `home` and `office`.
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(FrozenClock::default());
        let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
        let catalog = Catalog::open(&location).await.expect("a catalog");
        let authority = open(&catalog, &clock, 1).await;
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
        let upstream = Script::new();
        let router = router(Gateway::new(
            Arc::clone(&authority),
            Arc::clone(&upstream) as _,
            settings,
        ));
        let house = Self {
            authority,
            clock,
            upstream,
            management_secret,
            caller,
            place,
            catalog,
            router,
            _directory: directory,
        };
        house.create_database("home").await;
        house.create_database("office").await;
        house
    }

    pub(crate) async fn create_database(&self, name: &str) {
        create_database(&self.authority, &self.caller, self.place, name).await;
    }

    pub(crate) async fn delete_database(&self, name: &str) {
        let name = name.parse().expect("a name");
        self.authority
            .delete_database(&self.caller, self.place, name)
            .await
            .expect("deleted");
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

    pub(crate) async fn revoke(&self, token: DatabaseTokenId) {
        self.authority
            .revoke_database_token(&self.caller, self.place, token)
            .await
            .expect("revoked");
    }

    pub(crate) async fn allow(&self, token: DatabaseTokenId, permissions: &[(&str, &str)]) {
        let update = UpdateDatabaseToken {
            description: None,
            permissions: Some(set(permissions)),
            if_unchanged: None,
        };
        self.authority
            .update_database_token(&self.caller, self.place, token, update)
            .await
            .expect("updated");
    }

    /// Makes the node miss a change and notice it: from then on it cannot know which tokens hold.
    pub(crate) async fn lose_track(&self) {
        let other = open(&self.catalog, &self.clock, 2).await;
        create_database(&other, &self.caller, self.place, "unseen").await;
        self.catalog
            .prune_changes(other.revision())
            .await
            .expect("pruned");
        let request = CreateDatabase {
            name: "seen".parse().expect("a name"),
            limits: DatabaseLimits::default(),
            partition_template: None,
        };
        let fenced = self
            .authority
            .create_database(&self.caller, self.place, request)
            .await;
        assert!(fenced.is_err() && !self.authority.is_current());
    }

    /// The same house behind a gateway that checks nothing.
    #[cfg(feature = "bench-always-admit")]
    pub(crate) fn always_admitting(self, admission: rescind_authority::Admission) -> Self {
        let upstream = Arc::clone(&self.upstream) as _;
        let gateway = Gateway::always_admitting(
            Arc::clone(&self.authority),
            upstream,
            Settings::default(),
            admission,
        );
        Self {
            router: router(gateway),
            ..self
        }
    }

    /// Sends one request in process.
    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    pub(crate) async fn post(&self, uri: &str, token: &Secret, body: impl Into<Body>) -> Response {
        self.send(
            bearing(Method::POST, uri, token)
                .body(body.into())
                .expect("a request"),
        )
        .await
    }

    pub(crate) async fn get(&self, uri: &str, token: &Secret) -> Response {
        self.send(
            bearing(Method::GET, uri, token)
                .body(Body::empty())
                .expect("a request"),
        )
        .await
    }

    /// As [`Self::connect`], in HTTP/2 without negotiation; with the socket below it.
    pub(crate) async fn connect_http2(&self) -> (SendRequest<Full<Bytes>>, std::net::TcpStream) {
        let socket = self.connect().await.into_std().expect("a socket");
        let below = socket.try_clone().expect("cloned");
        let socket = TcpStream::from_std(socket).expect("registered");
        let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(socket))
            .await
            .expect("greeted");
        tokio::spawn(connection);
        (client, below)
    }

    /// Serves on a socket of its own, and connects to it.
    pub(crate) async fn connect(&self) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        let service = self
            .router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        TcpStream::connect(address).await.expect("connected")
    }
}

pub(crate) fn bearing(method: Method, uri: &str, token: &Secret) -> http::request::Builder {
    let value = format!("Bearer {}", token.expose());
    Request::builder()
        .method(method)
        .uri(uri)
        .header(AUTHORIZATION, value)
}

/// Status and body, in one line.
pub(crate) async fn told(response: Response) -> String {
    let status = response.status().as_u16();
    let body = text(response).await;
    if body.is_empty() {
        status.to_string()
    } else {
        format!("{status} {body}")
    }
}

pub(crate) async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a whole body");
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

async fn open(catalog: &Catalog, clock: &Arc<FrozenClock>, seed: u64) -> Arc<Authority> {
    let settings = rescind_authority::Settings {
        node: rescind_authority::NodeSettings::alone("node-1"),
        stopwatch: Arc::new(FrozenStopwatch::default()),
        clock: Arc::clone(clock) as _,
        rng: Arc::new(SeededRng::new(seed)),
        session_limits: SessionLimits::default(),
    };
    Authority::open(catalog.clone(), settings)
        .await
        .expect("an authority")
}

async fn create_database(authority: &Arc<Authority>, caller: &Caller, place: Place, name: &str) {
    let request = CreateDatabase {
        name: name.parse().expect("a name"),
        limits: DatabaseLimits::default(),
        partition_template: None,
    };
    authority
        .create_database(caller, place, request)
        .await
        .expect("a database");
}

fn set(permissions: &[(&str, &str)]) -> Permissions {
    let of_words = |(action, resource): &(&str, &str)| Permission {
        action: action.parse().expect("an action"),
        resource: resource.parse().expect("a resource"),
    };
    Permissions::new(permissions.iter().map(of_words)).expect("few")
}
