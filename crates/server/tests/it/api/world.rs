//! One account with one cluster behind a router, and what it answers.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{Request, StatusCode};
use rescind_authority::{
    Acceptance, AskDevice, Authority, Caller, Catalog, Invite, Location, NodeSettings, SessionLimits,
    Settings, SignedIn,
};
use rescind_domain::{Agent, Client, Role, Secret};
use rescind_server::oauth::OAuth;
use rescind_testkit::{FrozenClock, FrozenStopwatch, SeededRng};
use serde_json::Value;
use tower::ServiceExt as _;

/// The server as a client sees it, without a network.
pub(crate) struct World {
    pub(crate) authority: Arc<Authority>,
    pub(crate) clock: Arc<FrozenClock>,
    pub(crate) router: Router,
    pub(crate) account: String,
    pub(crate) cluster: String,
    /// The management token of the first start.
    pub(crate) secret: String,
    /// Opens the link of the first administrator.
    pub(crate) invitation: Secret,
    _directory: tempfile::TempDir,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let clock = Arc::new(FrozenClock::default());
        let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
        let settings = Settings {
            node: NodeSettings::alone("node-1"),
            stopwatch: Arc::new(FrozenStopwatch::default()),
            clock: Arc::clone(&clock) as _,
            rng: Arc::new(SeededRng::new(1)),
            session_limits: SessionLimits::default(),
        };
        let catalog = Catalog::open(&location).await.expect("a catalog");
        let authority = Authority::open(catalog, settings).await.expect("an authority");
        let founding = authority
            .draw_up("ada@example.com".parse().expect("an address"))
            .expect("drawn up");
        let (account, cluster) = (founding.account.id.to_string(), founding.cluster.id.to_string());
        let secret = founding.secret.expose().to_owned();
        let invitation = founding.invitation_secret.clone();
        authority.found(founding).await.expect("founded");
        let api = rescind_server::api::router(rescind_server::api::Setup {
            authority: Arc::clone(&authority),
            clock: Arc::clone(&clock) as _,
            url: "http://db.example.com:8181".into(),
            public_url: "https://rescind.example.com".into(),
            post: None,
        });
        let oauth = rescind_server::oauth::router(OAuth {
            authority: Arc::clone(&authority),
            public_url: "https://rescind.example.com".into(),
        });
        let peer = SocketAddr::from(([192, 0, 2, 7], 40_000));
        let router = Router::new()
            .nest("/api/v0", api)
            .merge(oauth)
            .layer(MockConnectInfo(peer));
        Self {
            authority,
            clock,
            router,
            account,
            cluster,
            secret,
            invitation,
            _directory: directory,
        }
    }

    /// What stands before the paths of the cluster.
    pub(crate) fn prefix(&self) -> String {
        format!("/accounts/{}/clusters/{}", self.account, self.cluster)
    }

    /// Asks with the first management token. An empty body is no body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {}", self.secret);
        let mut headers = vec![("authorization", authorization.as_str())];
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.send(method, path, &headers, body.to_owned()).await
    }

    /// Sends a request to a path below `/api/v0`.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        send(&self.router, method, &format!("/api/v0{path}"), headers, body).await
    }

    /// Whoever may do everything, from beside the server.
    pub(crate) async fn operator(&self) -> Caller {
        self.authority.operator().await.expect("an account")
    }

    /// The first administrator, signed in.
    pub(crate) async fn administrator(&self) -> SignedIn {
        accept(&self.authority, &self.invitation).await
    }

    /// A new user of this role, signed in.
    pub(crate) async fn user(&self, email: &str, role: Role) -> SignedIn {
        let operator = self.operator().await;
        let invite = Invite {
            email: email.parse().expect("an address"),
            first_name: String::new(),
            last_name: String::new(),
            role,
        };
        let invited = self.authority.invite(&operator, operator.account(), invite).await;
        accept(&self.authority, &invited.expect("invited").secret).await
    }

    /// An access token of whoever is signed in.
    pub(crate) async fn access_token(&self, signed_in: &SignedIn) -> String {
        let ask = AskDevice {
            client_id: "influxctl".to_owned(),
            host: "laptop".to_owned(),
            client: client(),
        };
        let started = self.authority.ask_device(ask).await.expect("asked");
        let caller = self
            .authority
            .authenticate_session(signed_in.secret.expose().as_bytes());
        let answered = self
            .authority
            .answer_device(&caller.expect("signed in"), &started.request.user_code, true)
            .await;
        answered.expect("approved");
        let redeemed = self
            .authority
            .redeem_device(started.secret.expose().as_bytes(), "influxctl", client())
            .await;
        redeemed.expect("redeemed").secret.expose().to_owned()
    }

    /// Makes something and gives what the answer says about it.
    pub(crate) async fn make(&self, path: &str, body: &str) -> Value {
        let answer = self.ask("POST", path, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {body}: {answer}");
        answer.json()
    }
}

/// Someone at a computer.
pub(crate) fn client() -> Client {
    Client {
        address: [192, 0, 2, 7].into(),
        agent: Agent::new("test/1"),
    }
}

async fn accept(authority: &Arc<Authority>, secret: &Secret) -> SignedIn {
    let acceptance = Acceptance {
        first_name: "Grace".to_owned(),
        last_name: "Hopper".to_owned(),
        password: "correct lamp ferry onion".to_owned(),
    };
    let accepted = authority.accept_invitation(secret.expose().as_bytes(), acceptance, client());
    accepted.await.expect("accepted")
}

/// Sends a request to any router.
pub(crate) async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.into()).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 30).await.expect("a whole body");
    let headers = head.headers.iter().map(|(name, value)| {
        let value = value.to_str().expect("a readable header");
        (name.to_string(), value.to_owned())
    });
    Answer {
        status: head.status,
        headers: headers.collect(),
        body: String::from_utf8(bytes.to_vec()).expect("text"),
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// What a refusal says, after a check that it has the form of one.
    pub(crate) fn message(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self}");
        let body = self.json();
        assert_eq!(body["code"], self.status.as_u16(), "{self}");
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{self}");
        body["message"].as_str().expect("a message").to_owned()
    }
}

/// Status, headers and body. How long an act took is all that differs from run to run.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "content-length") {
            let value = if name == "rescind-effective-ms" {
                "[MS]"
            } else {
                value
            };
            writeln!(f, "{name}: {value}")?;
        }
        match serde_json::from_str::<Value>(&self.body) {
            Ok(mut body) => {
                if let Some(receipt) = body.get_mut("receipt").and_then(Value::as_object_mut) {
                    receipt.insert("tookMs".to_owned(), "[MS]".into());
                    for node in receipt["nodes"].as_array_mut().into_iter().flatten() {
                        node["ms"] = "[MS]".into();
                    }
                }
                writeln!(f, "{body:#}")
            }
            Err(_) => f.write_str(&self.body),
        }
    }
}

/// A conversation, for a snapshot.
pub(crate) struct Transcript<'a> {
    world: &'a World,
    text: String,
}

impl<'a> Transcript<'a> {
    pub(crate) fn of(world: &'a World) -> Self {
        Self {
            world,
            text: String::new(),
        }
    }

    /// Asks, and notes request and answer.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let answer = self.world.ask(method, path, body).await;
        writeln!(self.text, "> {method} {path}").expect("writes");
        if !body.is_empty() {
            writeln!(self.text, "> {body}").expect("writes");
        }
        writeln!(self.text, "{answer}").expect("writes");
        answer
    }

    /// All that was said, with account and cluster by name.
    pub(crate) fn text(self) -> String {
        self.text
            .replace(&self.world.account, "ACCOUNT")
            .replace(&self.world.cluster, "CLUSTER")
    }
}
