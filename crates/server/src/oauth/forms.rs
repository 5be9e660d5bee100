//! Bodies in the form of a query: bounded, each parameter once (RFC 6749 section 3.2).

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, Limited};
use rescind_wire::OAuthErrorCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::OAuth;
use super::refusals::Refused;

/// The longest body, in bytes: a few times what the longest parameters take.
const LARGEST: usize = 16 * 1024;
/// How long the whole of one may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body of this form. Parameters that are not known are ignored, empty ones count as absent (RFC 6749 section 3.2).
pub(super) struct Form<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<OAuth> for Form<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &OAuth) -> Result<Self, Refused> {
        if !is_form(request.headers()) {
            return Err(invalid(
                "the body must be Content-Type: application/x-www-form-urlencoded",
            ));
        }
        let body = Limited::new(request.into_body(), LARGEST).collect();
        let Ok(body) = timeout(PATIENCE, body).await else {
            return Err(invalid("the body did not arrive in time"));
        };
        let body = body.map_err(|_| invalid("the body is longer than 16 KiB, or ended too early"))?;
        read(&body.to_bytes()).map(Self)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    // By way of JSON, whose values may be absent: serde's own map of texts cannot be read into an `Option`.
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        if value.is_empty() {
            continue;
        }
        if parameters.contains_key(&*name) {
            return Err(invalid("a parameter is given more than once"));
        }
        parameters.insert(name.into_owned(), Value::String(value.into_owned()));
    }
    T::deserialize(Value::Object(parameters)).map_err(|_| invalid("the parameters cannot be read"))
}

fn is_form(headers: &HeaderMap) -> bool {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|given| given.to_str().ok());
    let essence = given
        .and_then(|given| given.split(';').next())
        .unwrap_or_default();
    essence
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

pub(super) fn invalid(why: &str) -> Refused {
    Refused::because(OAuthErrorCode::InvalidRequest, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescind_wire::AccessTokenRequest;

    #[test]
    fn parameters_come_once_and_strange_ones_do_not_matter() {
        let read = |body: &str| read::<AccessTokenRequest>(body.as_bytes());
        let Ok(request) = read("grant_type=a+b&client_id=&audience=x&&client_id=influxctl") else {
            panic!("readable");
        };
        assert_eq!(request.grant_type.as_deref(), Some("a b"));
        assert_eq!(request.client_id.as_deref(), Some("influxctl"));
        assert_eq!(request.device_code, None);
        assert!(read("client_id=a&client_id=a").is_err());
        assert!(read("").is_ok());
    }
}
