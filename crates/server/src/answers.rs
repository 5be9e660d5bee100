//! Answers that belong to no face: refusals outside the management API and the Admin UI.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{Method, StatusCode};
use rescind_wire::ErrorBody;
use tower::ServiceExt as _;

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

/// Whatever no other face takes: pages for people, and a plain refusal where programs ask.
pub(crate) async fn any_other(pages: Router, request: Request) -> Response {
    let path = request.uri().path();
    let is_of_programs = ["/api/", "/oauth/", "/.well-known/"]
        .iter()
        .any(|prefix| path.starts_with(prefix));
    if is_of_programs {
        let message = format!("no such path: {path}");
        let message = rescind_domain::redact(&message).into_owned();
        return refusal(StatusCode::NOT_FOUND, message).into_response();
    }
    match pages.oneshot(request).await {
        Ok(page) => page,
        Err(impossible) => match impossible {},
    }
}

/// What a route does not take.
pub(crate) async fn wrong_method(method: Method) -> impl IntoResponse {
    let message = format!("{method} is not taken here; the header Allow says what is");
    refusal(StatusCode::METHOD_NOT_ALLOWED, message)
}
