//! Request bodies: bounded, JSON, strict.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use crate::api::errors::{Problem, shortened};
use crate::api::router::Api;

/// The largest body, in bytes: four times what a token with 1,000 permissions on the longest names takes.
const LARGEST: usize = 1024 * 1024;

/// A JSON body of this form.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Api) -> Result<Self, Problem> {
        check_type(request.headers())?;
        let bytes = read(request).await?;
        match bytes.trim_ascii_start().first() {
            None => return Err(Problem::invalid("the body is empty; send a JSON object")),
            Some(b'{') => {}
            Some(_) => {
                return Err(Problem::invalid(
                    "the body must be a JSON object, which starts with {",
                ));
            }
        }
        Ok(Self(rescind_wire::decode(&bytes)?))
    }
}

/// No type at all is fine (contract, management-api section 1); a type that says something else is a mistake, such as
/// `curl --data` without a header.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        let message = "the body must not be compressed; leave the header Content-Encoding out";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let Some(given) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let given = given.to_str().unwrap_or("unreadable");
    let essence = given
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    let message = format!(
        "the body must be Content-Type: application/json, not \"{}\"",
        shortened(given)
    );
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let too_large = || {
        let message = format!("the body is larger than {LARGEST} bytes, the most that is read");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > LARGEST as u64) {
        return Err(too_large());
    }
    to_bytes(request.into_body(), LARGEST).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        match source.is_some_and(|source| source.is::<LengthLimitError>()) {
            true => too_large(),
            false => Problem::invalid("the body ended before it was complete"),
        }
    })
}
