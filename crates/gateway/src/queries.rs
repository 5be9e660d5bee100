//! Queries: `/api/v3/query_sql` by GET and POST (contract, core-wire section 5).

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use rescind_authority::Admission;
use rescind_domain::Action;
use serde::Deserialize;
use serde_json::Value;

use crate::credentials::{self, Credential};
use crate::encodings::Encoding;
use crate::endpoints::Endpoint;
use crate::failures::Failure;
use crate::gateway::Gateway;
use crate::meters::Ending;
use crate::names::Target;
use crate::parameters::Parameters;
use crate::streams::{QueryLog, TetheredBody};
use crate::{Answer, Format, SqlRequest, SqlValue, UpstreamError};

/// The body of a POST.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QueryBody {
    db: String,
    q: String,
    format: Option<String>,
    params: Option<serde_json::Map<String, Value>>,
}

/// An answer that has begun.
struct Begun {
    content_type: &'static str,
    first: Bytes,
    /// `None` if the first bytes are all.
    rest: Option<BoxStream<'static, Result<Bytes, UpstreamError>>>,
}

/// A query whose parameters stand in the URL.
pub(crate) async fn get(gateway: &Gateway, parts: &Parts) -> Result<Response, Failure> {
    let parameters = Parameters::parse(parts.uri.query(), Endpoint::QuerySql)?;
    let credential = credentials::find(&parts.headers, None)?;
    let target = Target::v3(parameters.get("db"))?;
    let sql = parameters
        .get("q")
        .ok_or_else(|| Failure::Invalid("missing field `q`".to_owned()))?;
    let params = match parameters.get("params") {
        Some(text) => serde_json::from_str(text)
            .map_err(|error| Failure::Invalid(format!("params: must be a JSON object: {error}")))?,
        None => serde_json::Map::new(),
    };
    let request = request(sql.to_owned(), parameters.get("format"), params, parts)?;
    answer(gateway, &credential, &target, request, parts).await
}

/// A query whose parameters stand in the body, and only there: of two places that disagree, one would decide about
/// rights and the other about data.
pub(crate) async fn post(gateway: &Gateway, parts: &Parts, body: &mut Body) -> Result<Response, Failure> {
    let credential = credentials::find(&parts.headers, None)?;
    // Which database is meant stands in the body; that the token is good is known before anything of it is read.
    gateway.authenticate(&credential)?;
    let encoding = Encoding::of(&parts.headers)?;
    let received = gateway
        .bounds(gateway.settings().max_query_bytes)
        .read(body, encoding)
        .await?;
    let QueryBody {
        db,
        q,
        format,
        params,
    } = rescind_wire::decode(&received.bytes).map_err(|error| Failure::Invalid(error.to_string()))?;
    drop(received);
    let target = Target::v3(Some(&db))?;
    let request = request(q, format.as_deref(), params.unwrap_or_default(), parts)?;
    answer(gateway, &credential, &target, request, parts).await
}

fn request(
    sql: String,
    format: Option<&str>,
    params: serde_json::Map<String, Value>,
    parts: &Parts,
) -> Result<SqlRequest, Failure> {
    let accept = parts
        .headers
        .get(ACCEPT)
        .map(|value| value.to_str().unwrap_or_default());
    let format = Format::choose(format, accept)?;
    let params: Result<BTreeMap<_, _>, _> = params.into_iter().map(parameter).collect();
    Ok(SqlRequest {
        sql,
        params: params?,
        format,
    })
}

fn parameter((name, value): (String, Value)) -> Result<(String, SqlValue), Failure> {
    let value = match value {
        Value::Null => SqlValue::Null,
        Value::Bool(value) => SqlValue::Bool(value),
        Value::String(value) => SqlValue::Text(value),
        Value::Number(number) => {
            let whole = number.as_i64().map(SqlValue::Integer);
            let whole = whole.or_else(|| number.as_u64().map(SqlValue::Unsigned));
            whole
                .or_else(|| number.as_f64().map(SqlValue::Float))
                .unwrap_or(SqlValue::Null)
        }
        Value::Array(_) | Value::Object(_) => {
            let reason = format!("params.{name}: must be null, a boolean, a number or a string");
            return Err(Failure::Invalid(reason));
        }
    };
    Ok((name, value))
}

async fn answer(
    gateway: &Gateway,
    credential: &Credential<'_>,
    target: &Target,
    request: SqlRequest,
    parts: &Parts,
) -> Result<Response, Failure> {
    let admission = gateway.admit(credential, Action::Read, target)?;
    gateway.note_admitted(&admission, Endpoint::QuerySql, parts);
    let mut log = QueryLog::start(gateway);
    let begun = tokio::select! {
        biased;
        () = admission.cut() => Err(UpstreamError::Cut.into()),
        begun = begin(gateway, &admission, request) => begun,
    };
    match begun {
        Ok(begun) => Ok(respond(begun, admission, log)),
        Err(Failure::Upstream(UpstreamError::Cut)) => {
            log.ending = Ending::Cut;
            Err(gateway.reason_of_cut(credential, &admission))
        }
        Err(failure) => {
            log.ending = Ending::Failed;
            Err(failure)
        }
    }
}

/// Runs the query up to its first bytes, and to the next if they are there: what fails until then can still be said in
/// words.
async fn begin(gateway: &Gateway, admission: &Admission, request: SqlRequest) -> Result<Begun, Failure> {
    let database = gateway.database(admission)?;
    let Answer {
        content_type,
        mut body,
    } = gateway.upstream().query_sql(admission, database, request).await?;
    let (first, rest) = match body.next().await.transpose()? {
        None => (Bytes::new(), None),
        // Short answers are whole at once, and then their length is known.
        Some(first) => match body.next().now_or_never().map(Option::transpose) {
            Some(second) => {
                let rest = second?.map(|second| futures::stream::iter([Ok(second)]).chain(body).boxed());
                (first, rest)
            }
            None => (first, Some(body)),
        },
    };
    Ok(Begun {
        content_type,
        first,
        rest,
    })
}

fn respond(begun: Begun, admission: Admission, mut log: QueryLog) -> Response {
    let body = match begun.rest {
        None => {
            log.ending = Ending::Answered;
            Body::from(begun.first)
        }
        Some(rest) => Body::from_stream(TetheredBody::new(begun.first, rest, admission, log)),
    };
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(begun.content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
