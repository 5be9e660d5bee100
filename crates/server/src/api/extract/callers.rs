//! Who asks, and on which account or cluster.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use rescind_authority::{Authority, Caller, Place, Refusal};
use rescind_domain::{AccountId, Timestamp};
use rescind_wire::PathForm;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::paths::{Names, documented, uuid_schema};
use super::queries::NoQuery;
use crate::api::errors::Problem;
use crate::api::receipts::wait_preference;
use crate::api::router::Api;

/// An authenticated caller.
#[derive(Clone)]
pub(crate) struct Asker {
    /// Every use case.
    pub(crate) authority: Arc<Authority>,
    /// Who asks.
    pub(crate) caller: Caller,
    /// When the request came.
    pub(crate) now: Timestamp,
    /// Where clusters are reached.
    pub(crate) url: Arc<str>,
    credential: HeaderValue,
}

/// For whom a request was admitted: told to whoever begins its answer.
#[derive(Clone, Default)]
pub(crate) struct Admitted(Arc<OnceLock<Asker>>);

/// An authenticated caller, and the cluster that the path means.
#[derive(Clone)]
pub(crate) struct At {
    /// Who asks.
    pub(crate) asker: Asker,
    /// The cluster of the path, or the caller's only one.
    pub(crate) place: Place,
    /// Whether the path named it: answers repeat it then.
    pub(crate) form: PathForm,
}

/// An authenticated caller, and the account that the path means.
#[derive(Clone)]
pub(crate) struct Within {
    /// Who asks.
    pub(crate) asker: Asker,
    /// The account of the path, or the caller's own.
    pub(crate) account: AccountId,
}

impl Asker {
    /// Authenticates once more: long answers stop when the token is revoked meanwhile (promise G2).
    pub(crate) fn check(&self) -> Result<(), Problem> {
        authenticate(&self.authority, &self.credential).map(drop)
    }
}

/// Whoever asks, admitted without a look at the query parameters: to those, [`With`](super::With) or the refusal of any
/// must be added, and every extractor does one of both.
pub(crate) trait Party: Sized {
    /// Authenticates and reads what the path says.
    fn admit(parts: &mut Parts, api: &Api) -> impl Future<Output = Result<Self, Problem>> + Send;
}

impl Party for Asker {
    async fn admit(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let credential = credential(&parts.headers)?;
        let caller = authenticate(&api.authority, credential)?;
        if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
            let agent = parts.headers.get(header::USER_AGENT);
            let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or_default();
            api.authority
                .note_caller(&caller, peer.ip().to_canonical(), agent);
        }
        let caller = match wait_preference(&parts.headers) {
            Some(wait) => caller.waiting_at_most(wait.patience),
            None => caller,
        };
        let asker = Self {
            authority: Arc::clone(&api.authority),
            caller,
            now: api.clock.now(),
            url: Arc::clone(&api.url),
            credential: credential.clone(),
        };
        if let Some(Admitted(told)) = parts.extensions.get() {
            // No handler admits twice.
            let _ = told.set(asker.clone());
        }
        Ok(asker)
    }
}

/// Asks once more when a read was answered, before its answer begins: what was looked up may have taken longer than its
/// token lasted, and holds no tether. Acts ask within their transaction, and their answers say what was done.
pub(crate) async fn ask_again(mut request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let admitted = Admitted::default();
    request.extensions_mut().insert(admitted.clone());
    let answer = next.run(request).await;
    match admitted.0.get().map(Asker::check) {
        Some(Err(problem)) => problem.into_response(),
        Some(Ok(())) | None => answer,
    }
}

impl Party for At {
    async fn admit(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let asker = Asker::admit(parts, api).await?;
        let names = Names::from_request_parts(parts, api).await?;
        let (place, form) = match (names.find("accountId")?, names.find("clusterId")?) {
            (Some(account), Some(cluster)) => (Place { account, cluster }, PathForm::Prefixed),
            _ => (asker.authority.default_place(&asker.caller)?, PathForm::Bare),
        };
        Ok(Self { asker, place, form })
    }
}

impl Party for Within {
    async fn admit(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let asker = Asker::admit(parts, api).await?;
        let names = Names::from_request_parts(parts, api).await?;
        let account = names.find("accountId")?.unwrap_or(asker.caller.account());
        Ok(Self { asker, account })
    }
}

macro_rules! without_query {
    ($($party:ty),*) => {
        $(
            impl FromRequestParts<Api> for $party {
                type Rejection = Problem;

                async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
                    let party = Self::admit(parts, api).await?;
                    NoQuery::from_request_parts(parts, api).await?;
                    Ok(party)
                }
            }
        )*
    };
}

without_query!(Asker, At, Within);

fn credential(headers: &HeaderMap) -> Result<&HeaderValue, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let first = given.next().ok_or(Refusal::Missing)?;
    match given.next() {
        None => Ok(first),
        Some(_) => Err(Problem::invalid("send one Authorization header, not several")),
    }
}

/// The scheme is `Bearer` in any case and no other (contract, X-API-3).
fn authenticate(authority: &Authority, credential: &HeaderValue) -> Result<Caller, Problem> {
    let bytes = credential.as_bytes().trim_ascii();
    let (scheme, secret) = bytes.split_at(bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len()));
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        let message = "the header Authorization must be: Bearer MANAGEMENT_TOKEN";
        return Err(Problem::unauthorized(message));
    }
    match secret.trim_ascii() {
        [] => Err(Refusal::Missing.into()),
        secret => Ok(authority.authenticate(secret)?),
    }
}

impl IntoParams for At {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            account_parameter(),
            documented("clusterId", "The cluster.", uuid_schema()),
        ]
    }
}

impl IntoParams for Within {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![account_parameter()]
    }
}

fn account_parameter() -> Parameter {
    documented("accountId", "The account.", uuid_schema())
}
