//! No panic reaches a client: a handler that panics is answered 500. The panic itself is logged where it happens.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use http::StatusCode;

use crate::answers::refusal;

/// The answer of `handling`, or 500 when it panics.
pub(crate) async fn caught(
    handling: impl Future<Output = Result<Response, Infallible>>,
) -> Result<Response, Infallible> {
    // What a panicking handler leaves half done is its own: state shared between requests is behind locks that do not
    // poison and is changed in one step.
    match AssertUnwindSafe(handling).catch_unwind().await {
        Ok(answer) => answer,
        Err(_) => Ok(refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_answer() {
        let Ok(answer) = caught(async { panic!("a test panics on purpose") }).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let Ok(answer) = caught(async { Ok("fine".into_response()) }).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
}
