//! What a server refuses, each in one line that says what to do about it.

use serde::Deserialize;
use ureq::Body;
use ureq::http::Response;

use super::Api;

/// Why a request had no success.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    /// The status, when the server gave one.
    pub(crate) status: Option<u16>,
    /// What happened and what to do.
    pub(crate) message: String,
    /// Lines of a write that were refused: number within the request, and why.
    pub(crate) lines: Vec<(u64, String)>,
    /// Whether the server may have got the request, although it gave no answer.
    was_sent: bool,
}

/// Every error body that the faces have: management API, write and query (contract, core-wire sections 5 and 6).
#[derive(Deserialize)]
struct Refusal {
    message: Option<String>,
    error: Option<String>,
    data: Option<serde_json::Value>,
}

impl ApiError {
    /// Something that failed before the server was asked.
    pub(crate) fn local(message: String) -> Self {
        Self::answered(None, message, Vec::new())
    }

    /// The connection broke, or nothing came in time, when the server may have had the request.
    pub(crate) fn unanswered(message: String) -> Self {
        Self {
            was_sent: true,
            ..Self::local(message)
        }
    }

    fn answered(status: Option<u16>, message: String, lines: Vec<(u64, String)>) -> Self {
        Self {
            status,
            message,
            lines,
            was_sent: false,
        }
    }

    /// Whether what was asked for may have been done all the same.
    pub(crate) fn may_be_done(&self) -> bool {
        self.was_sent || self.status.is_some_and(|status| status >= 500)
    }

    /// Whether the server knows no such call, be it that it takes its last word for the id of something.
    pub(crate) fn is_unknown_call(&self) -> bool {
        matches!(self.status, Some(400 | 404 | 405 | 501))
    }

    /// Whether the server knows no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }
}

impl Api {
    /// Whoever answered is not a server that this command can talk to.
    pub(crate) fn wrong_product(&self, what: &str) -> ApiError {
        ApiError::local(self.peer.wrong_product(what))
    }

    /// An answer with a status that is no success.
    pub(super) fn refused(&self, path: &str, answer: &Response<Body>, body: &[u8]) -> ApiError {
        let status = answer.status().as_u16();
        if answer.status().is_redirection() {
            let target = answer.headers().get("location").and_then(|to| to.to_str().ok());
            let what = format!("it redirects to {}", target.unwrap_or("nowhere"));
            return self.wrong_product(&what);
        }
        let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
            return self.refused_in_words(path, answer, body);
        };
        let Some(message) = refusal.message.or(refusal.error) else {
            return self.wrong_product(&format!("it answers {status} without saying why"));
        };
        let message = format!("{}{}", with_reason(&message, answer), self.advice(status));
        ApiError::answered(Some(status), message, refused_lines(refusal.data.as_ref()))
    }

    /// The query endpoint explains itself in plain text; anything else that is no JSON comes from another product.
    fn refused_in_words(&self, path: &str, answer: &Response<Body>, body: &[u8]) -> ApiError {
        let status = answer.status().as_u16();
        let kind = answer
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok());
        let text = String::from_utf8_lossy(body);
        let is_plain = kind.is_some_and(|kind| kind.starts_with("text/plain"));
        if is_plain && !path.starts_with("/api/v0") && !text.trim().is_empty() {
            let message = format!("{}{}", with_reason(text.trim(), answer), self.advice(status));
            return ApiError::answered(Some(status), message, Vec::new());
        }
        if status == 503 {
            let message = format!("{} is not available: try again", self.peer.origin);
            return ApiError::answered(Some(status), message, Vec::new());
        }
        let what = format!("it answers {status} with {}", kind.unwrap_or("no content"));
        self.wrong_product(&what)
    }

    fn advice(&self, status: u16) -> String {
        match status {
            401 => format!(" ({})", self.credentials.advice()),
            503 => " (try again)".to_owned(),
            _ => String::new(),
        }
    }
}

/// The body's message and, where the challenge knows more than it, the challenge's.
fn with_reason(message: &str, answer: &Response<Body>) -> String {
    let challenges = answer.headers().get_all("www-authenticate").iter();
    let reason = challenges
        .filter_map(|challenge| challenge.to_str().ok())
        .find_map(error_description);
    match reason {
        Some(reason) if !message.contains(&reason) => format!("{message}: {reason}"),
        _ => message.to_owned(),
    }
}

/// The parameter of that name of a challenge (RFC 6750 section 3), a token or a quoted string (RFC 9110 section 5.6.4).
fn error_description(challenge: &str) -> Option<String> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut parameters = challenge.split(|c| {
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && is_quoted && !is_escaped;
        matches!(c, ',' | ' ') && !is_quoted
    });
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("error_description").then_some(value)
    })?;
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let mut text = String::new();
    let mut chars = inner.unwrap_or(value).chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    (!text.is_empty()).then_some(text)
}

/// `data` of a refused write: one object, or a list of them.
fn refused_lines(data: Option<&serde_json::Value>) -> Vec<(u64, String)> {
    let entries = match data {
        Some(serde_json::Value::Array(entries)) => entries.as_slice(),
        Some(entry @ serde_json::Value::Object(_)) => std::slice::from_ref(entry),
        _ => &[],
    };
    let line = |entry: &serde_json::Value| {
        let number = entry.get("line_number")?.as_u64()?;
        let message = entry.get("error_message")?.as_str()?;
        Some((number, message.to_owned()))
    };
    entries.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_why() {
        for (challenge, reason) in [
            (
                r#"Bearer realm="rescind", error="invalid_token", error_description="the token was revoked""#,
                Some("the token was revoked"),
            ),
            (r#"Bearer error_description="a \"b\", c=d""#, Some("a \"b\", c=d")),
            ("Bearer Error_Description=expired,realm=x", Some("expired")),
            (r#"Bearer realm="x, error_description=no""#, None),
            (r#"Bearer realm="rescind", error_description="""#, None),
            ("Bearer", None),
        ] {
            assert_eq!(error_description(challenge).as_deref(), reason, "{challenge}");
        }
    }
}
