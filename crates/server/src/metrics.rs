//! What `/metrics` tells Prometheus, and who may ask.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rescind_authority::{Authority, Caller, Refusal};
use rescind_domain::Clock;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::answers::refusal;
use crate::api::RefusalReason;
use crate::failure::Failure;
use crate::refusals::{Refusals, Refused};
use crate::tally::{REVOCATIONS, SECONDS, Tally, Tallying};

const START: &str = "rescind_start_time_seconds";
const REVISION: &str = "rescind_revision";
const GRANTS: &str = "rescind_grants";
const ADMITTING: &str = "rescind_admitting";
const REQUESTS: &str = "rescind_management_requests_total";
const LEASE: &str = "rescind_lease_remaining_seconds";
const RENEWALS: &str = "rescind_lease_renewal_failures_total";
const LAG: &str = "rescind_catalog_lag_revisions";
const NODES: &str = "rescind_nodes";
const LAPSED: &str = "rescind_nodes_lapsed_total";
const FENCES: &str = "rescind_fences_waiting";
const HOUSEKEEPING: &str = "rescind_housekeeping_failures_total";

/// How often what was counted is folded.
const FOLD: Duration = Duration::from_secs(5);

/// Everything counted in this process.
#[derive(Clone)]
pub(crate) struct Metrics {
    handle: PrometheusHandle,
    tally: Arc<Tally>,
}

impl Metrics {
    /// Starts counting; works once per process.
    pub(crate) fn install(clock: &dyn Clock) -> Result<Self, Failure> {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
        let exporter = builder
            .map_err(|e| Failure::because("metrics cannot be set up", e))?
            .build_recorder();
        let (handle, tally) = (exporter.handle(), Arc::new(Tally::default()));
        let tallying = Tallying {
            exporter,
            tally: Arc::clone(&tally),
        };
        metrics::set_global_recorder(tallying)
            .map_err(|_| Failure::new("metrics were set up before in this process"))?;
        describe_gauge!(
            START,
            Unit::Seconds,
            "When this process started, since the Unix epoch."
        );
        describe_gauge!(REVISION, "The last revision that this node acts by.");
        describe_gauge!(GRANTS, "Tokens that this node may admit, expired ones included.");
        describe_gauge!(
            ADMITTING,
            "1 while this node can tell which tokens hold, 0 while it refuses everything."
        );
        describe_nodes();
        describe_histogram!(
            REVOCATIONS,
            Unit::Seconds,
            "From a revocation's beginning to its receipt, through any face."
        );
        describe_counter!(REQUESTS, "Requests to the management API, by method and status.");
        describe_counter!(HOUSEKEEPING, "Rounds of housekeeping that failed in part.");
        gauge!(START).set(clock.now().micros() as f64 / 1e6);
        Ok(Self { handle, tally })
    }

    /// What can be read back.
    pub(crate) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Everything counted, in the text format of Prometheus.
    pub(crate) async fn render(&self, authority: &Authority) -> String {
        render_nodes(authority).await;
        gauge!(REVISION).set(authority.revision().get() as f64);
        gauge!(GRANTS).set(authority.grant_count() as f64);
        gauge!(ADMITTING).set(if authority.is_current() { 1.0 } else { 0.0 });
        self.handle.render()
    }

    /// Folds what was counted now and then until `shutdown`, so that memory stays bounded while nobody asks.
    pub(crate) async fn keep_small(self, shutdown: CancellationToken) {
        let mut folds = interval(FOLD);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = folds.tick() => self.handle.run_upkeep(),
            }
        }
    }
}

fn describe_nodes() {
    describe_gauge!(
        LEASE,
        Unit::Seconds,
        "How much longer this node may admit without hearing from the catalog; +Inf where it needs no lease."
    );
    describe_gauge!(
        LAG,
        "Revisions of the catalog that this node does not act by yet; NaN while the catalog cannot be read."
    );
    describe_gauge!(
        NODES,
        "Nodes by state, as this one sees them; NaN while the catalog cannot be read."
    );
    describe_gauge!(
        FENCES,
        "Acts that wait on this node until every node acts by them."
    );
    describe_counter!(
        RENEWALS,
        "Renewals of this node's lease that failed; each is tried again at once."
    );
    describe_counter!(
        LAPSED,
        "Leases of nodes that this one found lapsed: they ended without giving them up, or were cut off."
    );
    // There from the beginning, so that an alarm can tell none from nobody.
    counter!(RENEWALS).increment(0);
    counter!(LAPSED).increment(0);
    gauge!(FENCES).increment(0.0);
}

/// How long a reading of the catalog may keep whoever asks for metrics.
const PATIENCE: Duration = Duration::from_secs(1);

async fn render_nodes(authority: &Authority) {
    let left = authority
        .term_left()
        .map_or(f64::INFINITY, |left| left.as_secs_f64());
    gauge!(LEASE).set(left);
    let health = timeout(PATIENCE, authority.health()).await;
    let (lag, serving, lapsed) = match health {
        Ok(Ok(health)) => (health.behind as f64, health.serving as f64, health.lapsed as f64),
        _ => (f64::NAN, f64::NAN, f64::NAN),
    };
    gauge!(LAG).set(lag);
    gauge!(NODES, "state" => "serving").set(serving);
    gauge!(NODES, "state" => "lapsed").set(lapsed);
}

/// Counts a round of housekeeping that failed in part.
pub(crate) fn count_failed_housekeeping() {
    counter!(HOUSEKEEPING).increment(1);
}

/// Counts a request to the management API and notes its refusal.
pub(crate) async fn count_management(
    State(refusals): State<Arc<Refusals>>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| *peer);
    let user_agent = request.headers().get(header::USER_AGENT).cloned();
    let answer = next.run(request).await;
    // Only methods that exist, so that nobody can fill the memory with words of their own.
    let shown = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        _ => "other",
    };
    if let Some(RefusalReason(reason)) = answer.extensions().get() {
        let user_agent = user_agent
            .as_ref()
            .and_then(|words| words.to_str().ok())
            .unwrap_or_default();
        refusals.note(&Refused {
            reason,
            method: shown,
            peer,
            user_agent,
        });
    }
    let status = answer.status().as_u16().to_string();
    counter!(REQUESTS, "method" => shown.to_owned(), "status" => status).increment(1);
    answer
}

/// What the handler of `/metrics` needs.
#[derive(Clone)]
pub(crate) struct Rendering {
    /// Where the gauges come from.
    pub(crate) authority: Arc<Authority>,
    /// Everything else.
    pub(crate) metrics: Metrics,
}

/// `GET /metrics`: for whoever is on this machine, or holds a management token.
pub(crate) async fn render(
    State(Rendering { authority, metrics }): State<Rendering>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if !is_local(peer, &headers)
        && let Err(refused) = authenticate(&authority, &headers)
    {
        return refuse(&refused).into_response();
    }
    let format = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (format, metrics.render(&authority).await).into_response()
}

/// Behind a proxy on this machine every stranger comes from here.
fn is_local(peer: SocketAddr, headers: &HeaderMap) -> bool {
    let is_forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"]
        .iter()
        .any(|name| headers.contains_key(*name));
    peer.ip().to_canonical().is_loopback() && !is_forwarded
}

fn authenticate(authority: &Authority, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let given = headers
        .get(header::AUTHORIZATION)
        .ok_or(Refusal::Missing)?
        .as_bytes();
    let (scheme, secret) = given.split_at_checked("Bearer ".len()).ok_or(Refusal::Missing)?;
    match scheme.eq_ignore_ascii_case(b"Bearer ") {
        true => authority.authenticate(secret.trim_ascii()),
        false => Err(Refusal::Missing),
    }
}

fn refuse(refused: &Refusal) -> impl IntoResponse + use<> {
    let (status, header) = match refused {
        Refusal::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            Some([(header::RETRY_AFTER, "1")]),
        ),
        Refusal::Closed => (StatusCode::SERVICE_UNAVAILABLE, None),
        _ => (
            StatusCode::UNAUTHORIZED,
            Some([(header::WWW_AUTHENTICATE, "Bearer")]),
        ),
    };
    (
        header,
        refusal(status, format!("{refused}; /metrics needs a management token")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        let none = HeaderMap::new();
        for (peer, local) in [
            ("127.0.0.1:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("10.0.0.1:1", false),
        ] {
            assert_eq!(
                is_local(peer.parse().expect("an address"), &none),
                local,
                "{peer}"
            );
        }
        let forwarded = HeaderMap::from_iter([(header::FORWARDED, "for=10.0.0.1".parse().expect("a value"))]);
        assert!(!is_local("127.0.0.1:1".parse().expect("an address"), &forwarded));
    }
}
