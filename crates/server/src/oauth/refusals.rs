//! How these endpoints say no (RFC 6749 section 5.2, RFC 8628 section 3.5).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use rescind_authority::{Error, Refusal};
use rescind_domain::Chain;
use rescind_wire::{OAuthError, OAuthErrorCode};

/// An answer that is no success.
pub(super) struct Refused {
    status: StatusCode,
    retry_after: Option<u32>,
    body: OAuthError,
}

impl Refused {
    /// Status 400, which is what all of these are but for a server that cannot answer.
    pub(super) fn because(code: OAuthErrorCode, why: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            retry_after: None,
            body: OAuthError::new(code, why),
        }
    }

    /// Status 503, for now.
    pub(super) fn for_now(retry_after: u32, why: &str) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: Some(retry_after),
            body: OAuthError::new(OAuthErrorCode::TemporarilyUnavailable, why),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal @ Refusal::Closed) => Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                ..Self::because(OAuthErrorCode::TemporarilyUnavailable, &refusal.to_string())
            },
            Error::Unavailable(_) | Error::Refused(Refusal::Unavailable) => {
                tracing::warn!(error = %Chain(&error), "a program could not be answered");
                Self::for_now(1, "the server cannot tell at the moment")
            }
            Error::Internal(_) => {
                tracing::error!(error = %Chain(&error), "a program's request failed");
                Self {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    ..Self::because(OAuthErrorCode::ServerError, "internal error")
                }
            }
            other => Self::because(OAuthErrorCode::InvalidRequest, &other.to_string()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(mut self) -> Response {
        let description = self.body.error_description.as_deref();
        let told = description.map(|told| rescind_domain::redact(told).into_owned());
        self.body.error_description = told;
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
