//! Speaks to the demo's server as any stranger would: over HTTP, on a real socket.

use std::time::Duration;

use rescind_wire::ReceiptHeaders;
use ureq::Agent;
use ureq::http::{Request, Response, StatusCode};

use crate::failure::Failure;

/// The longest answer that the story reads, in bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// A client of one server.
pub(crate) struct Client {
    agent: Agent,
    url: String,
}

/// What the server said.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The body.
    pub(crate) body: String,
    /// The receipt, where the answer has one.
    pub(crate) receipt: Option<ReceiptHeaders>,
}

impl Client {
    /// For the server at `url`.
    pub(crate) fn new(url: String) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            url,
        }
    }

    /// Sends one request with a bearer token; an empty body is no body.
    pub(crate) fn send(
        &self,
        (method, path): (&str, &str),
        token: &str,
        content_type: &str,
        body: &str,
    ) -> Result<Answer, Failure> {
        let silent = |e: ureq::Error| Failure::because(format!("{method} {path} got no answer"), e);
        let builder = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type);
        let sent = match body.is_empty() {
            true => self.agent.run(builder.body(()).map_err(|e| silent(e.into()))?),
            false => self.agent.run(builder.body(body).map_err(|e| silent(e.into()))?),
        };
        read(sent.map_err(silent)?).map_err(silent)
    }
}

fn read(response: Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let (head, mut body) = response.into_parts();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    Ok(Answer {
        status: head.status,
        receipt: ReceiptHeaders::read(header),
        body: body.with_config().limit(MAX_ANSWER).read_to_string()?,
    })
}
