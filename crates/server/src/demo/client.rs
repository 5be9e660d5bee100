//! Speaks to the demo's server as any stranger would: over HTTP, on a real socket.

use std::time::Duration;

use rescind_wire::ReceiptHeaders;
use ureq::http::request::Builder;
use ureq::http::{HeaderMap, Request, Response, StatusCode};
use ureq::{Agent, AsSendBody, Body};

use crate::failure::Failure;

/// The longest answer that is read, in bytes.
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
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: String,
    /// The receipt, where the answer has one.
    pub(crate) receipt: Option<ReceiptHeaders>,
}

impl Client {
    /// For the server at `url`; `name` is what it calls itself (`User-Agent`).
    pub(crate) fn new(url: &str, name: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(name)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            url: url.to_owned(),
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
        let request = self
            .request((method, path))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type);
        let answer = match body.is_empty() {
            true => self.answer(request, ()),
            false => self.answer(request, body),
        };
        // The path of a one-time link holds a secret; those are not sent with a token.
        answer.map_err(|e| Failure::because(format!("{method} {path} got no answer"), e))
    }

    /// The beginning of a request.
    pub(crate) fn request(&self, (method, path): (&str, &str)) -> Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
    }

    /// Sends it and reads the whole answer.
    pub(crate) fn answer(&self, request: Builder, body: impl AsSendBody) -> Result<Answer, ureq::Error> {
        read(self.begin(request, body)?)
    }

    /// Sends it and reads the answer's head.
    pub(crate) fn begin(
        &self,
        request: Builder,
        body: impl AsSendBody,
    ) -> Result<Response<Body>, ureq::Error> {
        self.agent.run(request.body(body)?)
    }
}

/// Reads an answer to its end.
pub(crate) fn read(response: Response<Body>) -> Result<Answer, ureq::Error> {
    let (head, mut body) = response.into_parts();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    Ok(Answer {
        status: head.status,
        receipt: ReceiptHeaders::read(header),
        body: body.with_config().limit(MAX_ANSWER).read_to_string()?,
        headers: head.headers,
    })
}
