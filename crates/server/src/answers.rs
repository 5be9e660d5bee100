//! Answers that belong to no face: refusals outside the management API and the Admin UI.

use axum::Json;
use axum::response::IntoResponse;
use http::{Method, StatusCode, Uri};
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
    let message = format!("no such path: {}", uri.path());
    let message = rescind_domain::redact(&message).into_owned();
    refusal(StatusCode::NOT_FOUND, message)
}

/// What a route does not take.
pub(crate) async fn wrong_method(method: Method) -> impl IntoResponse {
    let message = format!("{method} is not taken here; the header Allow says what is");
    refusal(StatusCode::METHOD_NOT_ALLOWED, message)
}
