//! The gateway: what it holds, and its routes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::{MethodFilter, any, on};
use http::header::{EXPECT, USER_AGENT};
use http::request::Parts;
use http::{Method, Version};
use http_body::Body as _;
use rescind_authority::{Admission, Authority};

use crate::admissions::Admitter;
use crate::bodies::{self, Bounds, Budget};
use crate::endpoints::Endpoint;
use crate::failures::Failure;
use crate::meters::Meters;
use crate::refusals::{Client, Refusals};
use crate::{Upstream, UpstreamError, probes, queries, responses, writes};

/// What bounds the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The largest body of a write, in bytes after decompression.
    pub max_body_bytes: usize,
    /// The largest body of a query, in bytes.
    pub max_query_bytes: usize,
    /// The bytes of all bodies in memory at one time: beyond that, requests are answered 503.
    pub max_bytes_in_flight: usize,
    /// How long a client may pause while it sends a body.
    pub body_patience: Duration,
}

impl Default for Settings {
    /// 50 MiB (contract, data-plane section 3), 1 MiB, 256 MiB, 30 s.
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            max_body_bytes: 50 * MIB,
            max_query_bytes: MIB,
            max_bytes_in_flight: 256 * MIB,
            body_patience: Duration::from_secs(30),
        }
    }
}

/// The data plane of one node. Clones share everything.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    authority: Arc<Authority>,
    upstream: Arc<dyn Upstream>,
    settings: Settings,
    admitter: Admitter,
    budget: Budget,
    meters: Meters,
    refusals: Refusals,
}

impl Gateway {
    /// A gateway that asks `authority` about every request and passes what it admits to `upstream`. Install a
    /// `metrics` recorder first: counters are looked up here, once.
    pub fn new(authority: Arc<Authority>, upstream: Arc<dyn Upstream>, settings: Settings) -> Self {
        Self::with_admitter(authority, upstream, settings, Admitter::checking())
    }

    /// For benchmarks only: a gateway that looks for a credential but never checks it. Every request runs under
    /// `admission`, whatever token it carries and whatever database it names.
    #[cfg(feature = "bench-always-admit")]
    pub fn always_admitting(
        authority: Arc<Authority>,
        upstream: Arc<dyn Upstream>,
        settings: Settings,
        admission: rescind_authority::Admission,
    ) -> Self {
        Self::with_admitter(authority, upstream, settings, Admitter::Prepared(admission))
    }

    fn with_admitter(
        authority: Arc<Authority>,
        upstream: Arc<dyn Upstream>,
        settings: Settings,
        admitter: Admitter,
    ) -> Self {
        let budget = Budget::new(settings.max_bytes_in_flight);
        let (meters, refusals) = (Meters::new(), Refusals::new());
        Self(Arc::new(Inner {
            authority,
            upstream,
            settings,
            admitter,
            budget,
            meters,
            refusals,
        }))
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    pub(crate) fn upstream(&self) -> &dyn Upstream {
        &*self.0.upstream
    }

    pub(crate) fn admitter(&self) -> &Admitter {
        &self.0.admitter
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.0.meters
    }

    /// Bounds of a body of at most `limit` bytes.
    pub(crate) fn bounds(&self, limit: usize) -> Bounds<'_> {
        Bounds {
            limit,
            patience: self.0.settings.body_patience,
            budget: &self.0.budget,
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Counts an admitted request, and remembers for the token's page who made it.
    pub(crate) fn note_admitted(&self, admission: &Admission, endpoint: Endpoint, parts: &Parts) {
        self.0.meters.note_admitted(endpoint);
        let client = client(parts);
        if let Some(address) = client.address {
            self.0
                .authority
                .note_use(admission.permit(), address.ip(), client.user_agent);
        }
    }

    /// Answers a request that was not served, counts it, and logs what is worth it.
    async fn fail(&self, failure: Failure, endpoint: Endpoint, parts: &Parts, body: &mut Body) -> Response {
        match (failure.refusal_reason(), &failure) {
            (Some(reason), _) => {
                self.0
                    .refusals
                    .note(reason, endpoint, &failure.to_string(), client(parts));
            }
            (None, Failure::Upstream(error @ UpstreamError::Internal(_))) => {
                let error = error.causes();
                tracing::error!(error, endpoint = endpoint.path(), "the upstream failed");
            }
            (None, _) => {}
        }
        // Over HTTP/2 a refused upload is reset on its own; a client that waits for `100 Continue` sends nothing more.
        let is_sending = parts.version < Version::HTTP_2 && !body.is_end_stream();
        if is_sending && !failure.ends_connection() && !parts.headers.contains_key(EXPECT) {
            bodies::drain(body, self.0.settings.max_body_bytes).await;
        }
        responses::of_failure(&failure, endpoint)
    }
}

fn client(parts: &Parts) -> Client<'_> {
    Client {
        address: parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(address)| *address),
        user_agent: parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default(),
    }
}

/// The routes of the data plane: writes, SQL, `/ping` and `/health`. Give the service connection info
/// (`into_make_service_with_connect_info::<SocketAddr>`) if refusals shall be logged with the client's address.
pub fn router(gateway: Gateway) -> Router {
    let mut router = Router::new();
    for endpoint in Endpoint::ALL {
        let handler =
            move |State(gateway): State<Gateway>, request: Request| serve(gateway, endpoint, request);
        router = router.route(endpoint.path(), any(handler));
    }
    let probed = MethodFilter::GET.or(MethodFilter::HEAD);
    router
        .route("/ping", on(probed.or(MethodFilter::POST), probes::ping))
        .route("/health", on(probed, probes::health))
        .with_state(gateway)
}

async fn serve(gateway: Gateway, endpoint: Endpoint, request: Request) -> Response {
    let (parts, mut body) = request.into_parts();
    let served = match (endpoint, &parts.method) {
        (Endpoint::QuerySql, &Method::GET) => queries::get(&gateway, &parts).await,
        (Endpoint::QuerySql, &Method::POST) => queries::post(&gateway, &parts, &mut body).await,
        (_, &Method::POST) => writes::write(&gateway, endpoint, &parts, &mut body).await,
        _ => Err(Failure::MethodNotAllowed),
    };
    match served {
        Ok(response) => response,
        Err(failure) => gateway.fail(failure, endpoint, &parts, &mut body).await,
    }
}
