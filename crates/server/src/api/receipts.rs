//! Answers to changes: what was asked for, and the receipt in headers.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rescind_domain::Receipt;
use rescind_wire::ReceiptHeaders;
use serde::Serialize;

/// 204 with the receipt: the thing is gone, on every node.
pub(crate) struct Gone(pub(crate) Receipt);

/// 200 with the receipt: every node acts by what the body shows.
pub(crate) struct Changed<T>(pub(crate) Receipt, pub(crate) T);

impl IntoResponse for Gone {
    fn into_response(self) -> Response {
        (StatusCode::NO_CONTENT, ReceiptHeaders::from(&self.0).to_pairs()).into_response()
    }
}

impl<T: Serialize> IntoResponse for Changed<T> {
    fn into_response(self) -> Response {
        (ReceiptHeaders::from(&self.0).to_pairs(), Json(self.1)).into_response()
    }
}
