//! Answers that belong to no face: refusals outside the management API, and the page at the root.

use axum::Json;
use axum::response::{Html, IntoResponse};
use http::{StatusCode, Uri};
use rescind_wire::ErrorBody;

/// A refusal in the form that the management API has.
pub(crate) fn refusal(status: StatusCode, message: impl Into<String>) -> impl IntoResponse {
    (
        status,
        Json(ErrorBody {
            code: status.as_u16(),
            message: message.into(),
        }),
    )
}

/// What no route matches.
pub(crate) async fn not_found(uri: Uri) -> impl IntoResponse {
    refusal(StatusCode::NOT_FOUND, format!("no such path: {}", uri.path()))
}

/// Tells a person who opened the address in a browser what this is.
pub(crate) async fn root() -> impl IntoResponse {
    let headers = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
    ];
    (headers, Html(include_str!("root.html")))
}
