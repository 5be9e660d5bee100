//! The HTTP client of the management API and of the data plane.

mod credentials;
mod errors;
mod peers;

use std::io::Read;
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rescind_wire::{PREFER, RESCIND_NODES, ReceiptHeaders, WaitPreference, next_of_link};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};

pub(crate) use credentials::{Credential, Credentials, is_one_word};
pub(crate) use errors::ApiError;
pub(crate) use peers::Peer;

use crate::exit::Failure;
use crate::log::Log;
use crate::profiles::Profile;
use crate::receipts;
use crate::tls::tls_config;

/// The largest answer of the management API that is read, in bytes: a page of 1,000 tokens with all their permissions
/// stays below it.
const MAX_ANSWER: u64 = 256 << 20;
/// The most pages of one list that are fetched; at 1,000 elements each.
const MAX_PAGES: usize = 10_000;
/// The most bytes of an error body that are looked at.
const MAX_ERROR: u64 = 1 << 20;

/// So much of the time limit of a request is kept for its way, at most.
const LONGEST_MARGIN: Duration = Duration::from_secs(1);
/// No server is asked to wait longer for its nodes; they need a minute at most.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// `text` as one segment of a path, or as a value of a query.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Speaks to one server with one token.
pub(crate) struct Api {
    agent: Agent,
    peer: Peer,
    credentials: Credentials,
    log: Log,
}

/// A body and what it is.
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) kind: &'static str,
    pub(crate) is_gzip: bool,
}

/// The receipt of a change, if the answer has one.
fn receipt_of(answer: &Response<Body>) -> Option<ReceiptHeaders> {
    let headers = answer.headers();
    ReceiptHeaders::read(|name| headers.get(name)?.to_str().ok())
}

fn json<B: Serialize>(body: &B) -> Result<Content, ApiError> {
    let bytes = serde_json::to_vec(body).map_err(|error| ApiError::local(error.to_string()))?;
    Ok(Content {
        bytes,
        kind: "application/json",
        is_gzip: false,
    })
}

/// The HTTP client that this command is.
pub(crate) fn agent(tls: TlsConfig, timeout: Duration) -> Agent {
    let version = env!("CARGO_PKG_VERSION");
    Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        // A redirect would carry the request, not the token, elsewhere; better say where the server points.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(format!(
            "influxctl/{version} ({}-{})",
            std::env::consts::OS,
            std::env::consts::ARCH
        ))
        .build()
        .new_agent()
}

impl Api {
    /// A client for the server of `profile`, which presents `credentials`.
    ///
    /// # Errors
    /// The profile's certificates cannot be used.
    pub(crate) fn new(
        profile: &Profile,
        credentials: Credentials,
        timeout: Duration,
        log: Log,
    ) -> Result<Self, Failure> {
        Ok(Self {
            agent: agent(tls_config(&profile.tls)?, timeout),
            peer: profile.peer(timeout),
            credentials,
            log,
        })
    }

    /// The object at `path`.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let answer = self.ask(&Method::GET, path, None)?;
        self.object(answer)
    }

    /// Every element of the list at `path`, over all its pages.
    pub(crate) fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ApiError> {
        let mut all = Vec::new();
        let mut page = path.to_owned();
        for _ in 0..MAX_PAGES {
            let answer = self.ask(&Method::GET, &page, None)?;
            let next = answer
                .headers()
                .get("link")
                .and_then(|link| link.to_str().ok())
                .and_then(next_of_link)
                .map(str::to_owned);
            all.extend(self.object::<Vec<T>>(answer)?);
            let Some(next) = next else { return Ok(all) };
            // The token goes to no other server, whatever the list says.
            let next = next.strip_prefix(&self.peer.origin).unwrap_or(&next).to_owned();
            let next = next.strip_prefix("/api/v0").unwrap_or(&next).to_owned();
            if next == page || !next.starts_with('/') {
                return Err(self.wrong_product("its list does not end"));
            }
            page = next;
        }
        Err(self.wrong_product("its list does not end"))
    }

    /// Sends `body` and reads the object that answers.
    pub(crate) fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: &B,
    ) -> Result<T, ApiError> {
        let answer = self.ask(method, path, Some(json(body)?))?;
        self.tell_awaited(&answer);
        self.object(answer)
    }

    /// As [`Self::send`], and what each node made of it, which is the caller's to tell.
    pub(crate) fn send_for_receipt<B: Serialize, T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: &B,
    ) -> Result<(T, Option<ReceiptHeaders>), ApiError> {
        let answer = self.ask(method, path, Some(json(body)?))?;
        let receipt = receipt_of(&answer);
        Ok((self.object(answer)?, receipt))
    }

    /// `PUT` without a body.
    pub(crate) fn put<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let answer = self.ask(&Method::PUT, path, None)?;
        self.tell_awaited(&answer);
        self.object(answer)
    }

    /// A request whose answer says no more than that it was done, and perhaps where.
    pub(crate) fn order(&self, method: &Method, path: &str) -> Result<Option<ReceiptHeaders>, ApiError> {
        let answer = self.ask(method, path, None)?;
        let headers = answer.headers();
        let receipt = receipt_of(&answer);
        // Any HTTP server might say 204; a 200 with a page of text is not what was asked for.
        if answer.status() != 204 && !headers.contains_key(RESCIND_NODES) {
            return Err(self.wrong_product(&format!("it answers {} to {method}", answer.status())));
        }
        Ok(receipt)
    }

    /// Tells if not every node acts by a change yet.
    fn tell_awaited(&self, answer: &Response<Body>) {
        if let Some(receipt) = receipt_of(answer) {
            receipts::tell_awaited(self.log, &receipt);
        }
    }

    /// A request to the data plane, whose path does not start with `/api/v0`; the caller reads the answer.
    pub(crate) fn data(&self, path: &str, content: Content) -> Result<Response<Body>, ApiError> {
        self.request(&Method::POST, path, Some(content))
    }

    /// What to say when a body broke off.
    pub(crate) fn broken_off(&self, error: &dyn std::fmt::Display) -> ApiError {
        ApiError::unanswered(format!("the answer of {} broke off: {error}", self.peer.origin))
    }

    fn no_answer(&self, error: &ureq::Error) -> ApiError {
        let message = self.peer.unreachable(error);
        match Peer::may_have_arrived(error) {
            true => ApiError::unanswered(message),
            false => ApiError::local(message),
        }
    }

    fn ask(&self, method: &Method, path: &str, content: Option<Content>) -> Result<Response<Body>, ApiError> {
        self.request(method, &format!("/api/v0{path}"), content)
    }

    /// One request; refusals become errors.
    fn request(
        &self,
        method: &Method,
        path: &str,
        content: Option<Content>,
    ) -> Result<Response<Body>, ApiError> {
        let secret = self.credentials.secret()?;
        let url = format!("{}{path}", self.peer.origin);
        self.log.debug(format_args!("{method} {url}"));
        let mut request = Request::builder()
            .method(method.clone())
            .uri(&url)
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {secret}"));
        if let Some(content) = &content {
            request = request.header("content-type", content.kind);
            if content.is_gzip {
                request = request.header("content-encoding", "gzip");
            }
        }
        if *method != Method::GET && path.starts_with("/api/v0") {
            request = request.header(PREFER, self.wait().to_string());
        }
        self.trace_request(&request);
        let started = Instant::now();
        let unbuildable = |error: ureq::http::Error| ApiError::local(format!("{url} is no address: {error}"));
        let answer = match content {
            Some(content) => self.agent.run(request.body(content.bytes).map_err(unbuildable)?),
            None => self.agent.run(request.body(()).map_err(unbuildable)?),
        };
        let mut answer = answer.map_err(|error| self.no_answer(&error))?;
        self.log.debug(format_args!(
            "{} after {:.1?}",
            answer.status(),
            started.elapsed()
        ));
        for (name, value) in answer.headers() {
            let value = if name == "set-cookie" {
                "…"
            } else {
                value.to_str().unwrap_or("…")
            };
            self.log.trace(format_args!("< {name}: {value}"));
        }
        if answer.status().is_success() {
            return Ok(answer);
        }
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.credentials.were_refused();
        }
        let mut body = Vec::new();
        // A body that cannot be read explains nothing; the status still does.
        let _ = answer
            .body_mut()
            .as_reader()
            .take(MAX_ERROR)
            .read_to_end(&mut body);
        Err(self.refused(path, &answer, &body))
    }

    /// The server shall say what it knows before this command gives up.
    fn wait(&self) -> WaitPreference {
        let timeout = self.peer.timeout;
        let margin = (timeout / 10).min(LONGEST_MARGIN);
        WaitPreference::new(timeout.saturating_sub(margin).min(LONGEST_WAIT))
    }

    /// Request headers, all but the secret one.
    fn trace_request(&self, request: &ureq::http::request::Builder) {
        for (name, value) in request.headers_ref().into_iter().flatten() {
            let value = if name == "authorization" {
                "Bearer …"
            } else {
                value.to_str().unwrap_or("…")
            };
            self.log.trace(format_args!("> {name}: {value}"));
        }
    }

    fn object<T: DeserializeOwned>(&self, mut answer: Response<Body>) -> Result<T, ApiError> {
        let body = answer
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_vec()
            .map_err(|error| self.broken_off(&error))?;
        serde_json::from_slice(&body).map_err(|error| {
            self.log.debug(format_args!("unexpected body: {error}"));
            let kind = answer
                .headers()
                .get("content-type")
                .and_then(|kind| kind.to_str().ok());
            self.wrong_product(&format!("it answers with {}", kind.unwrap_or("something else")))
        })
    }
}
