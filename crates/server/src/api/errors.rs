//! Every refusal of this face: what the authority says, mapped to a status. Nothing else maps errors.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rescind_authority::{Error, Refusal};
use rescind_domain::Chain;
use rescind_wire::{ErrorBody, FieldError};

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    message: String,
    refusal: Option<RefusalReason>,
    /// Whether waiting does not help.
    is_for_good: bool,
}

/// Why a request was not admitted, in one word ([`Refusal::reason`]). Answers carry it as an extension, so that a layer
/// can count refusals without reading bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalReason(pub &'static str);

/// What a client that cannot be answered now should wait: the grants are reloaded within a second once the catalog is
/// back.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

impl Problem {
    /// A refusal of this status in these words.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            refusal: None,
            is_for_good: false,
        }
    }

    /// The request carries no credential that could be one.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self {
            refusal: Some(RefusalReason("malformed")),
            ..Self::new(StatusCode::UNAUTHORIZED, message)
        }
    }

    /// The request breaks a rule.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::Missing
            | Refusal::Malformed(_)
            | Refusal::Unknown
            | Refusal::Revoked
            | Refusal::Expired
            | Refusal::WrongKind { .. } => StatusCode::UNAUTHORIZED,
            Refusal::Forbidden(_) => StatusCode::FORBIDDEN,
            Refusal::Unavailable | Refusal::Closed => StatusCode::SERVICE_UNAVAILABLE,
        };
        let message = match &refusal {
            Refusal::Missing => {
                format!("{refusal}: send the header Authorization: Bearer MANAGEMENT_TOKEN")
            }
            other => other.to_string(),
        };
        Self {
            status,
            message,
            refusal: Some(RefusalReason(refusal.reason())),
            is_for_good: refusal == Refusal::Closed,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
}

impl Problem {
    fn of(error: &Error) -> Self {
        let status = match error {
            Error::Refused(refusal) => return refusal.clone().into(),
            // For the same reason, in words that say more.
            Error::Partly(reason) => {
                return Self {
                    message: error.to_string(),
                    ..Self::of(reason)
                };
            }
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            Error::Conflict(_) | Error::Changed(_) => StatusCode::CONFLICT,
            Error::Invalid { .. } => StatusCode::BAD_REQUEST,
            Error::Unavailable(_) => {
                tracing::warn!(
                    error = %Chain(error),
                    "an administrative request could not be answered"
                );
                StatusCode::SERVICE_UNAVAILABLE
            }
            Error::Internal(_) => {
                tracing::error!(error = %Chain(error), "an administrative request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        let refusal = matches!(error, Error::Forbidden(_)).then_some(RefusalReason("forbidden"));
        Self {
            refusal,
            ..Self::new(status, error.to_string())
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let message = presentable(&self.message);
        let challenge = challenge(self.status, self.refusal, &message);
        let body = ErrorBody {
            code: self.status.as_u16(),
            message,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE && !self.is_for_good {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        if let Some(reason) = self.refusal {
            response.extensions_mut().insert(reason);
        }
        response
    }
}

/// What a client needs, in the form of the data plane (RFC 6750 section 3): no error where there was no token, and
/// nothing in a description that may not stand between its quotation marks.
fn challenge(status: StatusCode, refusal: Option<RefusalReason>, message: &str) -> Option<HeaderValue> {
    let text = match (status, refusal) {
        (StatusCode::UNAUTHORIZED, Some(RefusalReason("missing"))) => r#"Bearer realm="rescind""#.to_owned(),
        (StatusCode::UNAUTHORIZED, _) => {
            let is_fit = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
            let described: String = message.chars().filter(is_fit).collect();
            format!(r#"Bearer realm="rescind", error="invalid_token", error_description="{described}""#)
        }
        (StatusCode::FORBIDDEN, _) => r#"Bearer realm="rescind", error="insufficient_scope""#.to_owned(),
        _ => return None,
    };
    HeaderValue::try_from(text).ok()
}

/// The most characters that an answer repeats of what a client sent.
const ECHOED: usize = 100;
/// Longer than any message of ours with its echoes shortened.
const LONGEST: usize = 600;

/// The first characters of a text that a client sent.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(ECHOED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A message without long echoes and without secrets: some refusals quote what the client sent, and clients put tokens
/// into wrong fields.
fn presentable(message: &str) -> String {
    // First of all: what is shortened before may hold too little of a secret to be known for one.
    let message = rescind_domain::redact(message);
    let mut shown = String::with_capacity(message.len().min(LONGEST));
    let mut characters = message.chars().peekable();
    while let Some(opening) = characters.next() {
        shown.push(opening);
        if !matches!(opening, '"' | '`') {
            continue;
        }
        let (mut quoted, mut is_escaped) = (0, false);
        while let Some(next) = characters.next_if(|next| is_escaped || *next != opening) {
            is_escaped = next == '\\' && !is_escaped;
            quoted += 1;
            match quoted {
                ..=ECHOED => shown.push(next),
                101 => shown.push('…'),
                _ => {}
            }
        }
        shown.extend(characters.next());
    }
    let words: Vec<_> = shown.split(' ').map(shortened).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_repeats_little_and_no_secret() {
        let long = "x".repeat(5_000);
        let secret = format!("apiv1_{}", "a".repeat(64));
        for hostile in [
            format!("unknown field `{long}`, expected `name`"),
            format!("permissions[0].action: must be \"read\", not \"{long}\""),
            format!("{long}: unknown field"),
            format!("status: not \"{}\"", "\\\"x ".repeat(900)),
            format!("not {secret}"),
            format!("not \"{secret}\""),
            format!("not `{}{secret}`", "y".repeat(90)),
        ] {
            let shown = presentable(&hostile);
            assert!(shown.chars().count() <= LONGEST, "{shown}");
            assert!(!shown.contains(&"x".repeat(ECHOED + 1)), "{shown}");
            assert!(!shown.contains("aaaa"), "{shown}");
        }
    }

    #[test]
    fn whoever_cannot_be_answered_ever_is_not_told_to_wait() {
        for (refusal, retry_after) in [(Refusal::Unavailable, Some("1")), (Refusal::Closed, None)] {
            let response = Problem::from(refusal).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            let told = response.headers().get(header::RETRY_AFTER);
            assert_eq!(told.map(HeaderValue::as_bytes), retry_after.map(str::as_bytes));
        }
    }

    #[test]
    fn what_ends_half_way_has_the_status_of_its_reason_and_says_that_part_may_be_done() {
        let problem = Problem::from(Error::Partly(Box::new(Error::Refused(Refusal::Revoked))));
        assert_eq!(problem.status, StatusCode::UNAUTHORIZED);
        assert_eq!(problem.refusal, Some(RefusalReason("revoked")));
        assert_eq!(
            problem.message,
            "the token was revoked (part of it may be done: repeating the call is safe, and waits for that part, too)"
        );
    }

    #[test]
    fn an_ordinary_message_is_left_alone() {
        for message in [
            "name: must start with a letter, not \"1\"",
            "not a token: it should start with apiv1_ or M.V1. and be complete",
            "unknown field `a\"b`, expected one of `x`, `y`",
        ] {
            assert_eq!(presentable(message), message);
        }
    }
}
