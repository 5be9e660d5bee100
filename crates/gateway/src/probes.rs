//! `/ping` and `/health`: for clients that look whether somebody is there. Neither asks for a token.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::gateway::Gateway;
use crate::responses;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Contract, data-plane section 7: no body, and headers that tell what answers.
pub(crate) async fn ping() -> Response {
    let mut response = responses::no_content();
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("x-influxdb-version"),
        HeaderValue::from_static(VERSION),
    );
    headers.insert(
        HeaderName::from_static("x-influxdb-build"),
        HeaderValue::from_static("rescind"),
    );
    response
}

/// What clients of InfluxDB 2 read.
#[derive(Serialize)]
struct Health {
    name: &'static str,
    message: String,
    status: &'static str,
    version: &'static str,
    checks: [(); 0],
}

/// 200 while requests can be admitted, 503 while this node cannot know which tokens hold (promise G3).
pub(crate) async fn health(State(gateway): State<Gateway>) -> Response {
    let (status, word, message) = match gateway.authority().closure() {
        None => (StatusCode::OK, "pass", "ready for queries and writes".to_owned()),
        Some(closure) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "fail",
            format!("this node cannot tell at the moment which tokens hold: {closure}"),
        ),
    };
    let body = Health {
        name: "rescind",
        message,
        status: word,
        version: VERSION,
        checks: [],
    };
    (status, Json(body)).into_response()
}
