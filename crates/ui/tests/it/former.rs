//! The session that a browser had before its user logged in: over on every node, whatever this one thinks of it. In one
//! process, with a clock that stands until it is moved: sessions end by themselves after hours.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use rescind_authority::{
    Acceptance, AuditQuery, Authority, Caller, Catalog, Location, NodeSettings, SessionLimits, SignedIn,
};
use rescind_domain::{Act, Agent, Client, Clock as _};
use rescind_testkit::{FrozenClock, FrozenStopwatch, SeededRng};
use rescind_ui::{Ui, router};
use tower::ServiceExt as _;

use crate::no_figures::NoFigures;
use crate::stage::{ADMIN, PASSWORD};
use crate::visitors::escape;

/// A node with one user, who is logged in.
struct House {
    authority: Arc<Authority>,
    clock: Arc<FrozenClock>,
    ui: Router,
    former: SignedIn,
    _directory: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let clock = Arc::new(FrozenClock::default());
        let rng = Arc::new(SeededRng::new(1));
        let settings = rescind_authority::Settings {
            node: NodeSettings::alone("node-1"),
            stopwatch: Arc::new(FrozenStopwatch::default()),
            clock: Arc::<FrozenClock>::clone(&clock),
            rng: Arc::<SeededRng>::clone(&rng),
            session_limits: SessionLimits::default(),
        };
        let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
        let catalog = Catalog::open(&location).await.expect("a catalog");
        let authority = Authority::open(catalog, settings).await.expect("an authority");
        let founding = authority
            .draw_up(ADMIN.parse().expect("an address"))
            .expect("drawn up");
        let link = founding.invitation_secret.clone();
        authority.found(founding).await.expect("founded");
        let acceptance = Acceptance {
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            password: PASSWORD.to_owned(),
        };
        let client = Client {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            agent: Agent::new("a test"),
        };
        let former = authority
            .accept_invitation(link.expose().as_bytes(), acceptance, client)
            .await
            .expect("accepted");
        let ui = router(Ui {
            authority: Arc::clone(&authority),
            clock: Arc::<FrozenClock>::clone(&clock),
            rng,
            figures: Arc::new(NoFigures {
                started_at: clock.now(),
            }),
            post: None,
            public_url: "http://127.0.0.1".into(),
            secure: false,
        });
        Self {
            authority,
            clock,
            ui,
            former,
            _directory: directory,
        }
    }

    async fn ask(&self, request: http::request::Builder, cookie: &str, body: String) -> Response<Body> {
        let request = request
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .expect("a request");
        let answer = self.ui.clone().oneshot(request).await;
        answer.expect("a router does not fail")
    }

    /// Logs in at the browser that still has the cookie of the former session.
    async fn log_in(&self) -> Response<Body> {
        let session = format!("rescind_session={}", self.former.secret.expose());
        let page = self.ask(Request::get("/sign-in"), &session, String::new()).await;
        let set = page.headers()[header::SET_COOKIE].to_str().expect("text");
        let gate = set.split(';').next().expect("a cookie").to_owned();
        let body = page.into_body().collect().await.expect("a page").to_bytes();
        let page = String::from_utf8_lossy(&body).into_owned();
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
        let seal = rest.split('"').next().expect("a value");
        let form = format!(
            "csrf={seal}&email={}&password={}",
            escape(ADMIN),
            escape(PASSWORD)
        );
        let cookies = format!("{session}; {gate}");
        self.ask(Request::post("/sign-in"), &cookies, form).await
    }

    /// The sessions that were ended, as the audit log has them.
    async fn ended(&self) -> Vec<String> {
        let account = self.former.user.account;
        let query = AuditQuery {
            act: Some(Act::SessionEnd),
            ..AuditQuery::all(account)
        };
        let operator = Caller::operator(account);
        let events = self.authority.audit_events(&operator, &query).await;
        let events = events.expect("read").items.into_iter();
        events
            .flat_map(|event| event.details)
            .filter(|(name, _)| name == "sessions")
            .map(|(_, ids)| ids)
            .collect()
    }
}

/// This node takes it for expired. Another, whose clock stands still, does not.
#[tokio::test]
async fn a_session_that_lay_unused_is_ended_for_all_when_its_user_logs_in_again() {
    let house = House::new().await;
    house.clock.advance(Duration::from_secs(3 * 60 * 60));
    let secret = house.former.secret.expose().as_bytes();
    assert!(house.authority.authenticate_session_quietly(secret).is_err());
    assert_eq!(house.ended().await, Vec::<String>::new(), "it only lies there");
    let answer = house.log_in().await;
    assert_eq!(answer.status(), 303);
    assert_eq!(house.ended().await, [house.former.session.id.to_string()]);
}
