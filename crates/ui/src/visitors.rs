//! Who looks at a page: recognised once per request, before any handler.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use rescind_authority::{Caller, Error, Place, Refusal, SignedIn};
use rescind_domain::{
    Account, AccountId, Actor, Agent, Client, Cluster, ClusterId, Deed, Extent, Subject, Timestamp, User,
    Verb, extent,
};

use crate::app::App;
use crate::cookies::Cookie;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::forms::Seal;
use crate::frame::{Frame, Section};
use crate::notices::Notice;

/// What a request says, besides who sent it.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    /// The path asked for.
    pub(crate) path: String,
    /// Its query.
    pub(crate) query: Fields,
    /// `light`, `dark`, or empty for what the system says.
    pub(crate) theme: &'static str,
    /// `narrow`, or empty.
    pub(crate) side: &'static str,
    /// What the page shall say was just done.
    pub(crate) notice: Option<Notice>,
    /// Where the request came from.
    pub(crate) client: Client,
}

/// A user who is signed in, and everything that each page needs to know.
#[derive(Clone)]
pub(crate) struct Visitor(Arc<Known>);

/// What is known of a visitor.
pub(crate) struct Known {
    /// Calls use cases.
    pub(crate) caller: Caller,
    /// Who it is.
    pub(crate) user: User,
    /// The user's account.
    pub(crate) account: Account,
    /// The clusters of that account.
    pub(crate) clusters: Vec<Cluster>,
    /// Seals the visitor's forms.
    pub(crate) seal: Seal,
    /// What the request says.
    pub(crate) browser: Browser,
    /// When the request came.
    pub(crate) now: Timestamp,
}

/// How long a page waits for nodes. People wonder after that, and the page can say whom it waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

impl Deref for Visitor {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.0
    }
}

/// Someone who is not signed in.
#[derive(Clone)]
pub(crate) struct Stranger {
    /// Seals the forms shown to this browser.
    pub(crate) seal: Seal,
    /// What the request says.
    pub(crate) browser: Browser,
    /// The cookie that the seal depends on, where the browser has none yet.
    fresh: Option<String>,
}

/// Who looks at a page.
#[derive(Clone)]
pub(crate) enum Presence {
    /// A user.
    Visitor(Visitor),
    /// Anybody.
    Stranger(Arc<Stranger>),
}

impl Presence {
    async fn of(app: &App, request: &Parts) -> Result<Self, Fault> {
        let browser = Browser::of(request, app.secure);
        match Cookie::Session.read(&request.headers, app.secure) {
            None => Ok(Self::Stranger(Arc::new(Stranger::of(app, request, browser)))),
            Some(secret) => match authenticate(app, request, secret.as_bytes()) {
                Ok(caller) => match known(app, caller, &secret, browser.clone()).await {
                    Ok(visitor) => Ok(Self::Visitor(visitor)),
                    // Deleted a moment ago.
                    Err(Error::NotFound { .. }) => {
                        Ok(Self::Stranger(Arc::new(Stranger::of(app, request, browser))))
                    }
                    Err(error) => Err(error.into()),
                },
                Err(refusal @ (Refusal::Unavailable | Refusal::Closed)) => Err(refusal.into()),
                Err(_) => Ok(Self::Stranger(Arc::new(Stranger::of(app, request, browser)))),
            },
        }
    }

    /// What seals this browser's forms.
    pub(crate) fn seal(&self) -> &Seal {
        match self {
            Self::Visitor(visitor) => &visitor.seal,
            Self::Stranger(stranger) => &stranger.seal,
        }
    }

    /// What the request says.
    pub(crate) fn browser(&self) -> &Browser {
        match self {
            Self::Visitor(visitor) => &visitor.browser,
            Self::Stranger(stranger) => &stranger.browser,
        }
    }
}

/// What the script asks for by itself, to keep figures current, is no sign of life: an open tab does not keep its session
/// alive (ASVS 7.3.1).
fn authenticate(app: &App, request: &Parts, secret: &[u8]) -> Result<Caller, Refusal> {
    let is_by_itself = request.method == Method::GET && request.headers.contains_key("rescind-live");
    if is_by_itself {
        app.authority.authenticate_session_quietly(secret)
    } else {
        app.authority.authenticate_session(secret)
    }
}

async fn known(app: &App, caller: Caller, secret: &str, browser: Browser) -> Result<Visitor, Error> {
    let caller = caller.waiting_at_most(PATIENCE);
    let user = app.authority.own_user(&caller).await?;
    let account = app.authority.account(&caller, user.account).await?;
    let clusters = app.authority.clusters(&caller, user.account).await?;
    Ok(Visitor(Arc::new(Known {
        caller,
        user,
        account,
        clusters,
        seal: Seal::of(secret),
        browser,
        now: app.now(),
    })))
}

impl Stranger {
    fn of(app: &App, request: &Parts, browser: Browser) -> Self {
        let known = Cookie::Gate.read(&request.headers, app.secure);
        let known = known.filter(|value| value.len() == 32);
        let fresh = known.is_none().then(|| app.random_hex::<16>());
        let value = known.or_else(|| fresh.clone()).unwrap_or_default();
        Self {
            seal: Seal::of(&value),
            browser,
            fresh,
        }
    }
}

impl Browser {
    fn of(request: &Parts, secure: bool) -> Self {
        let headers = &request.headers;
        let theme = match Cookie::Theme.read(headers, secure).as_deref() {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "",
        };
        let is_narrow = Cookie::Side.read(headers, secure).as_deref() == Some("narrow");
        let notice = Cookie::Notice
            .read(headers, secure)
            .filter(|_| is_document(headers));
        Self {
            path: request.uri.path().to_owned(),
            query: Fields::parse(request.uri.query().unwrap_or_default().as_bytes()),
            theme,
            side: if is_narrow { "narrow" } else { "" },
            notice: notice.and_then(|packed| Notice::unpack(&packed)),
            client: client_of(request),
        }
    }
}

/// Whether a page was asked for by a person, not by the script. Browsers say so (Fetch Metadata); without a word, it was.
fn is_document(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-dest")
        .is_none_or(|dest| dest == "document")
}

fn client_of(request: &Parts) -> Client {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    let agent = request
        .headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    Client {
        address: peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
            peer.ip().to_canonical()
        }),
        agent: Agent::new(agent.unwrap_or_default()),
    }
}

/// Recognises the visitor, lets the handler answer, and then shows faults as pages and carries notices.
pub(crate) async fn recognise(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    let session = Cookie::Session.read(&parts.headers, app.secure);
    let (presence, mut response) = match Presence::of(&app, &parts).await {
        Ok(presence) => {
            parts.extensions.insert(presence.clone());
            (presence, next.run(Request::from_parts(parts, body)).await)
        }
        Err(fault) => {
            let browser = Browser::of(&parts, app.secure);
            let stranger = Stranger::of(&app, &parts, browser);
            (Presence::Stranger(Arc::new(stranger)), fault.into_response())
        }
    };
    // Once more, right before the answer begins: what was looked up may have taken longer than the session lasted. Acts
    // ask within their transaction.
    if let (true, Presence::Visitor(_), Some(secret)) = (is_read, &presence, &session)
        && let Err(refusal) = app.authority.authenticate_session_quietly(secret.as_bytes())
    {
        response = Fault::from(refusal).into_response();
    }
    if let Some(fault) = response.extensions_mut().remove::<Fault>() {
        response = fault.shown(&app, &presence);
    }
    set_cookies(&app, &presence, &mut response);
    response
}

fn set_cookies(app: &App, presence: &Presence, response: &mut Response) {
    let is_page = response.headers().contains_key(header::CONTENT_TYPE);
    let notice = response.extensions_mut().remove::<Notice>();
    let headers = response.headers_mut();
    if let Some(notice) = notice {
        headers.append(
            header::SET_COOKIE,
            Cookie::Notice.set(&notice.packed(), Some(60), app.secure),
        );
    } else if is_page && presence.browser().notice.is_some() {
        headers.append(header::SET_COOKIE, Cookie::Notice.remove(app.secure));
    }
    if let Presence::Stranger(stranger) = presence
        && let Some(value) = &stranger.fresh
        && is_page
    {
        headers.append(header::SET_COOKIE, Cookie::Gate.set(value, None, app.secure));
    }
}

impl Known {
    /// How far the visitor's role goes with this. It decides what is shown; the authority decides what is done.
    pub(crate) fn extent(&self, verb: Verb, subject: Subject) -> Extent {
        extent(self.user.role, Deed { verb, subject })
    }

    /// Whether the visitor may do this to something at least.
    pub(crate) fn may(&self, verb: Verb, subject: Subject) -> bool {
        self.extent(verb, subject) != Extent::None
    }

    /// Whether the visitor may do this to what `maker` made.
    pub(crate) fn may_with(&self, verb: Verb, subject: Subject, maker: Actor) -> bool {
        match self.extent(verb, subject) {
            Extent::All => true,
            Extent::Own => maker == Actor::User(self.user.id),
            Extent::None => false,
        }
    }

    /// Refuses a form to a visitor who could not send it, so that nobody fills one in for nothing.
    pub(crate) fn must(&self, verb: Verb, subject: Subject) -> Result<(), Fault> {
        allowed(self.may(verb, subject))
    }

    /// Refuses a form for what `maker` made to a visitor who could not send it.
    pub(crate) fn must_with(&self, verb: Verb, subject: Subject, maker: Actor) -> Result<(), Fault> {
        allowed(self.may_with(verb, subject, maker))
    }

    /// The cluster that the path names (`/clusters/{cluster}/…`).
    pub(crate) fn cluster(&self) -> Result<&Cluster, Fault> {
        let id = self
            .segment_after("clusters")
            .and_then(|text| text.parse::<ClusterId>().ok());
        let found = id.and_then(|id| self.clusters.iter().find(|cluster| cluster.id == id));
        found.ok_or_else(|| Fault::not_found("cluster"))
    }

    /// The place that the path names (`/clusters/{cluster}/…`).
    pub(crate) fn place(&self) -> Result<Place, Fault> {
        let cluster = self.cluster()?;
        Ok(Place {
            account: cluster.account,
            cluster: cluster.id,
        })
    }

    /// The account that the path names (`/accounts/{account}/…`).
    pub(crate) fn account_of(&self) -> Result<AccountId, Fault> {
        let id = self
            .segment_after("accounts")
            .and_then(|text| text.parse::<AccountId>().ok());
        id.filter(|id| *id == self.account.id)
            .ok_or_else(|| Fault::not_found("account"))
    }

    fn segment_after(&self, word: &str) -> Option<&str> {
        let mut segments = self.browser.path.split('/').skip(1);
        segments.next().filter(|first| *first == word)?;
        segments.next()
    }
}

impl Visitor {
    /// What stands around a page.
    pub(crate) fn frame(&self, app: &App, section: Section, title: impl Into<String>) -> Frame {
        Frame::new(app, self, section, title.into())
    }
}

impl FromRequestParts<Arc<App>> for Presence {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        let presence = parts.extensions.get::<Self>().cloned();
        Ok(presence.expect("every route of a page lies behind `recognise`"))
    }
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {
        let Ok(presence) = Presence::from_request_parts(parts, app).await;
        match presence {
            Presence::Visitor(visitor) => Ok(visitor),
            Presence::Stranger(_) => {
                let is_read = matches!(parts.method, Method::GET | Method::HEAD);
                let next = parts.uri.path_and_query().filter(|_| is_read);
                Err(Fault::SignIn {
                    next: next.map_or_else(|| "/".to_owned(), ToString::to_string),
                })
            }
        }
    }
}

impl Stranger {
    /// A visitor who looks at a page for strangers.
    pub(crate) fn signed_in(visitor: &Visitor) -> Self {
        Self {
            seal: visitor.seal.clone(),
            browser: visitor.browser.clone(),
            fresh: None,
        }
    }
}

impl Visitor {
    /// The visitor of a session that has just begun.
    pub(crate) async fn just_signed_in(
        app: &App,
        signed_in: &SignedIn,
        browser: Browser,
    ) -> Result<Self, Fault> {
        let secret = signed_in.secret.expose();
        let caller = app.authority.authenticate_session(secret.as_bytes())?;
        Ok(known(app, caller, secret, browser).await?)
    }
}

fn allowed(is_allowed: bool) -> Result<(), Fault> {
    match is_allowed {
        true => Ok(()),
        false => Err(Error::Forbidden(String::new()).into()),
    }
}
