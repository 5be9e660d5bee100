//! The one place where failures become HTTP: statuses, headers and bodies, per family of endpoints.
//!
//! `/write` and `/api/v2/write` answer as the contract documents (data-plane section 3), `/api/v3/*` as clients of
//! InfluxDB 3 Core expect (core-wire sections 5 and 6), both with a content type.

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rescind_authority::Refusal;
use rescind_domain::redact;
use serde::Serialize;

use crate::bodies::BodyError;
use crate::credentials::NoCredential;
use crate::endpoints::Endpoint;
use crate::failures::Failure;
use crate::{LineError, UpstreamError};

/// The most lines that one answer reports (contract, data-plane section 3).
const MOST_LINES: usize = 100;
/// How much of a rejected line is repeated, in bytes.
const MOST_OF_A_LINE: usize = 256;

/// An answer of v1 and v2.
#[derive(Serialize)]
struct CodedBody<'a> {
    code: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

/// An answer of v3.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    All(Vec<LineBody<'a>>),
    First(LineBody<'a>),
}

#[derive(Serialize)]
struct LineBody<'a> {
    error_message: &'a str,
    line_number: usize,
    original_line: &'a str,
}

impl<'a> LineBody<'a> {
    fn of(line: &'a LineError) -> Self {
        let end = line.original.floor_char_boundary(MOST_OF_A_LINE);
        Self {
            error_message: &line.message,
            line_number: line.line,
            original_line: &line.original[..end],
        }
    }
}

/// What was done successfully and has nothing to say.
pub(crate) fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// What the client of `endpoint` reads about a failure.
pub(crate) fn of_failure(failure: &Failure, endpoint: Endpoint) -> Response {
    let (status, code) = status_of(failure);
    let body = match endpoint {
        Endpoint::WriteV1 | Endpoint::WriteV2 => coded_body(failure, code, endpoint),
        Endpoint::WriteV3 | Endpoint::QuerySql => error_body(failure, endpoint),
    };
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    add_headers(response.headers_mut(), failure, status, endpoint);
    response
}

fn status_of(failure: &Failure) -> (StatusCode, &'static str) {
    use StatusCode as Status;
    match failure {
        Failure::Refused(Refusal::Unavailable | Refusal::Closed)
        | Failure::Interrupted
        | Failure::Body(BodyError::Busy) => (Status::SERVICE_UNAVAILABLE, "unavailable"),
        Failure::Refused(Refusal::Forbidden(_)) | Failure::Forbidden { .. } => {
            (Status::FORBIDDEN, "forbidden")
        }
        Failure::NoCredential(_) | Failure::Refused(_) => (Status::UNAUTHORIZED, "unauthorized"),
        Failure::DatabaseNotFound(_) => (Status::NOT_FOUND, "not found"),
        Failure::UnsupportedEncoding => (Status::UNSUPPORTED_MEDIA_TYPE, "unsupported media type"),
        Failure::NotAcceptable => (Status::NOT_ACCEPTABLE, "invalid"),
        Failure::MethodNotAllowed => (Status::METHOD_NOT_ALLOWED, "method not allowed"),
        Failure::Body(BodyError::TooLarge { .. }) => (Status::PAYLOAD_TOO_LARGE, "request too large"),
        Failure::Body(BodyError::Stalled(_)) => (Status::REQUEST_TIMEOUT, "invalid"),
        Failure::Body(BodyError::Broken | BodyError::Gzip)
        | Failure::Invalid(_)
        | Failure::EmptyWrite
        | Failure::BatchRejected { .. } => (Status::BAD_REQUEST, "invalid"),
        Failure::Upstream(error) => status_of_upstream(error),
    }
}

fn status_of_upstream(error: &UpstreamError) -> (StatusCode, &'static str) {
    use StatusCode as Status;
    match error {
        UpstreamError::LinesRejected { .. } | UpstreamError::Invalid(_) => (Status::BAD_REQUEST, "invalid"),
        UpstreamError::OutsideRetention { .. } | UpstreamError::OutOfMemory(_) => {
            (Status::UNPROCESSABLE_ENTITY, "unprocessable entity")
        }
        UpstreamError::NotImplemented(_) => (Status::NOT_IMPLEMENTED, "not implemented"),
        UpstreamError::TooLarge(_) => (Status::PAYLOAD_TOO_LARGE, "request too large"),
        UpstreamError::Cut => (Status::UNAUTHORIZED, "unauthorized"),
        UpstreamError::Overloaded { .. } | UpstreamError::Unavailable(_) => {
            (Status::SERVICE_UNAVAILABLE, "unavailable")
        }
        UpstreamError::Internal(_) => (Status::INTERNAL_SERVER_ERROR, "internal error"),
    }
}

fn coded_body(failure: &Failure, code: &str, endpoint: Endpoint) -> Vec<u8> {
    let (message, line) = match failure {
        Failure::Upstream(UpstreamError::LinesRejected {
            lines,
            total_rejected,
            stored,
        }) => {
            let what = match (stored, endpoint) {
                (1.., _) => "partial write has occurred",
                (0, Endpoint::WriteV1) => "no data written",
                (0, _) => "failed to parse line protocol",
            };
            (
                listed(what, lines, *total_rejected),
                lines.first().map(|first| first.line),
            )
        }
        Failure::Upstream(
            error @ UpstreamError::OutsideRetention {
                lines,
                total_rejected,
            },
        ) => (
            listed(&format!("no data written, {error}"), lines, *total_rejected),
            lines.first().map(|first| first.line),
        ),
        _ if code == "unauthorized" => ("unauthorized access".to_owned(), None),
        other => (other.to_string(), None),
    };
    to_json(&CodedBody { code, message, line })
}

/// The documented form: one line of the message per rejected line.
fn listed(what: &str, lines: &[LineError], total: usize) -> String {
    let mut message = format!("{what}, errors encountered on line(s):");
    if what == "failed to parse line protocol" {
        message = format!("{what}: errors encountered on line(s):");
    }
    let shown = &lines[..lines.len().min(MOST_LINES)];
    for LineError {
        line, message: why, ..
    } in shown
    {
        message.push_str(&format!("\nerror parsing line {line} (1-based): {why}"));
    }
    if total > shown.len() {
        message.push_str(&format!("\nand {} further lines", total - shown.len()));
    }
    message
}

fn error_body(failure: &Failure, endpoint: Endpoint) -> Vec<u8> {
    let (error, data) = match failure {
        Failure::Upstream(UpstreamError::LinesRejected { lines, .. }) => (
            "partial write of line protocol occurred".to_owned(),
            Some(all(lines)),
        ),
        Failure::Upstream(error @ UpstreamError::OutsideRetention { lines, .. }) => {
            (error.to_string(), Some(all(lines)))
        }
        Failure::BatchRejected { lines, .. } => (
            "line protocol parsing error".to_owned(),
            lines.first().map(|first| Data::First(LineBody::of(first))),
        ),
        Failure::DatabaseNotFound(name) if endpoint == Endpoint::QuerySql => {
            (format!("query error: database not found: {name}"), None)
        }
        _ if status_of(failure).0 == StatusCode::UNAUTHORIZED => (
            format!("the request was not authenticated: {}", why_unauthorized(failure)),
            None,
        ),
        other => (other.to_string(), None),
    };
    to_json(&ErrorBody { error, data })
}

fn all(lines: &[LineError]) -> Data<'_> {
    Data::All(lines.iter().take(MOST_LINES).map(LineBody::of).collect())
}

/// Every body is made here: whatever it repeats of the request, it repeats without secrets (promise G6).
fn to_json(body: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_string(body).expect("texts and numbers always make JSON");
    redact(&json).into_owned().into_bytes()
}

fn add_headers(headers: &mut HeaderMap, failure: &Failure, status: StatusCode, endpoint: Endpoint) {
    let mut add = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    match status {
        StatusCode::UNAUTHORIZED => add(WWW_AUTHENTICATE, &challenge(failure)),
        StatusCode::FORBIDDEN => add(
            WWW_AUTHENTICATE,
            r#"Bearer realm="rescind", error="insufficient_scope""#,
        ),
        // Waiting does not help.
        StatusCode::SERVICE_UNAVAILABLE if matches!(failure, Failure::Refused(Refusal::Closed)) => {}
        StatusCode::SERVICE_UNAVAILABLE => add(RETRY_AFTER, &retry_after(failure).to_string()),
        StatusCode::METHOD_NOT_ALLOWED => add(ALLOW, endpoint.methods()),
        // RFC 9110 section 15.5.16.
        StatusCode::UNSUPPORTED_MEDIA_TYPE => add(ACCEPT_ENCODING, "gzip, identity"),
        _ => {}
    }
    if failure.ends_connection() {
        add(CONNECTION, "close");
    }
}

/// RFC 6750 section 3. The bodies of v1 and v2 keep the documented words, so it is here that their clients learn more.
fn challenge(failure: &Failure) -> String {
    match failure {
        Failure::NoCredential(NoCredential::Missing) | Failure::Refused(Refusal::Missing) => {
            r#"Bearer realm="rescind""#.to_owned()
        }
        other => {
            let why = why_unauthorized(other);
            format!(r#"Bearer realm="rescind", error="invalid_token", error_description="{why}""#)
        }
    }
}

/// A cut that nobody could give the reason of any more is one by revocation.
fn why_unauthorized(failure: &Failure) -> String {
    match failure {
        Failure::Upstream(UpstreamError::Cut) => Refusal::Revoked.to_string(),
        other => other.to_string(),
    }
}

/// In whole seconds, at least one.
fn retry_after(failure: &Failure) -> u64 {
    match failure {
        Failure::Upstream(UpstreamError::Overloaded { retry_after }) => {
            retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0 || retry_after.is_zero())
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
