//! Answers to changes: what was asked for, and the receipt in headers.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use rescind_domain::Receipt;
use rescind_wire::{PREFER, PREFERENCE_APPLIED, RESCIND_REVISION, ReceiptHeaders, WaitPreference};
use serde::Serialize;

/// 204 with the receipt: the thing is gone, on every node. 202 if that is not known of every node.
pub(crate) struct Gone(pub(crate) Receipt);

/// 200 with the receipt: every node acts by what the body shows. 202 if that is not known of every node.
pub(crate) struct Changed<T>(pub(crate) Receipt, pub(crate) T);

impl IntoResponse for Gone {
    fn into_response(self) -> Response {
        (status(&self.0, StatusCode::NO_CONTENT), Headers(&self.0), ()).into_response()
    }
}

impl<T: Serialize> IntoResponse for Changed<T> {
    fn into_response(self) -> Response {
        (status(&self.0, StatusCode::OK), Headers(&self.0), Json(self.1)).into_response()
    }
}

/// It is done in either case; that every node acts by it may still be to come.
fn status(receipt: &Receipt, done: StatusCode) -> StatusCode {
    match receipt.is_complete() {
        true => done,
        false => StatusCode::ACCEPTED,
    }
}

struct Headers<'a>(&'a Receipt);

impl IntoResponseParts for Headers<'_> {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        for (name, value) in ReceiptHeaders::from(self.0).to_pairs() {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                parts.headers_mut().insert(name, value);
            }
        }
        Ok(parts)
    }
}

/// How long whoever asks wants to wait for the nodes, if the request says it (RFC 7240).
pub(crate) fn wait_preference(headers: &HeaderMap) -> Option<WaitPreference> {
    let values = headers.get_all(PREFER).iter();
    WaitPreference::find(values.filter_map(|value| value.to_str().ok()))
}

/// Says of answers with a receipt that the preference was heeded.
pub(crate) async fn tell_preference(request: Request, next: Next) -> Response {
    let preference = wait_preference(request.headers());
    let mut response = next.run(request).await;
    if let Some(wait) = preference
        && response.headers().contains_key(RESCIND_REVISION)
        && let Ok(value) = HeaderValue::try_from(wait.to_string())
    {
        response.headers_mut().insert(PREFERENCE_APPLIED, value);
    }
    response
}
