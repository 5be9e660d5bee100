//! Request bodies: bounded, JSON, strict.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::api::errors::{Problem, shortened};
use crate::api::router::Api;

/// The largest body, in bytes: four times what a token with 1,000 permissions on the longest names takes.
const LARGEST: usize = 1024 * 1024;
/// The largest body that lists 100,000 ids, in bytes: 36 letters each, with quotes, a comma and room to indent them.
pub(crate) const MANY_IDS: usize = 5 * 1024 * 1024;
/// How long a client may pause while it sends one; as on the data plane.
const PATIENCE: Duration = Duration::from_secs(30);

/// A JSON body of this form, of at most so many bytes.
pub(crate) struct Body<T, const MOST: usize = LARGEST>(pub(crate) T);

impl<T: DeserializeOwned, const MOST: usize> FromRequest<Api> for Body<T, MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Api) -> Result<Self, Problem> {
        check_type(request.headers())?;
        let bytes = read(request, PATIENCE, MOST).await?;
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

async fn read(request: Request, patience: Duration, most: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        let message = format!("the body is larger than {most} bytes, the most that is read");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > most as u64) {
        return Err(too_large());
    }
    let mut body = request.into_body();
    let mut bytes = BytesMut::new();
    let stalled = |_| {
        let message = format!("nothing more of the body arrived for {} s", patience.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, message)
    };
    while let Some(frame) = timeout(patience, body.frame()).await.map_err(stalled)? {
        let frame = frame.map_err(|_| Problem::invalid("the body ended before it was complete"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::IntoResponse as _;
    use futures::{StreamExt as _, stream};

    use super::*;

    #[tokio::test]
    async fn a_client_that_stops_sending_is_told_so() {
        let begun = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        let body = Body::from_stream(begun.chain(stream::pending()));
        let refusal = read(Request::new(body), Duration::from_millis(1), LARGEST)
            .await
            .expect_err("no end comes");
        assert_eq!(refusal.into_response().status(), StatusCode::REQUEST_TIMEOUT);
    }
}
