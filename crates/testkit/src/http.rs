//! A small HTTP client that reports every status as an answer, never as an error.

use std::fmt;
use std::time::Duration;

use ureq::config::AutoHeaderValue;
use ureq::http::{Request, Response};
use ureq::{Agent, Body, Error};

/// Sends requests to one server.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
    base: String,
    headers: Vec<(String, String)>,
}

/// An answer, read to its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers in the order of their arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent (nothing is decompressed).
    pub bytes: Vec<u8>,
}

impl Http {
    /// A client for the server at `base`, such as `http://127.0.0.1:8181`. Follows no redirect.
    pub fn new(base: impl Into<String>) -> Self {
        Self::with_patience(base, Duration::from_secs(120))
    }

    /// The same, giving up on an answer that is not complete after so long.
    pub fn with_patience(base: impl Into<String>, patience: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .accept_encoding(AutoHeaderValue::None)
            .timeout_global(Some(patience))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            base: base.into(),
            headers: Vec::new(),
        }
    }

    /// The same client, sending this header with every request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same client, sending `Authorization: Bearer <token>` with every request.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "")
    }

    /// `POST` with a plain body.
    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send("POST", path, &[], body)
    }

    /// Any method with a JSON body.
    pub fn json(&self, method: &str, path: &str, body: &str) -> Reply {
        self.send(method, path, &[("content-type", "application/json")], body)
    }

    /// `DELETE`.
    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], "")
    }

    /// Any request. An empty body is no body.
    ///
    /// # Panics
    /// When no answer came; use [`Self::try_send`] where that may be.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {}{path} got no answer: {error}", self.base))
    }

    /// Any request, for servers that may be dead or dying.
    ///
    /// # Errors
    /// When no complete answer came.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Result<Reply, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.as_ref();
        let response = if body.is_empty() && !matches!(method, "POST" | "PUT" | "PATCH") {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(request.body(body)?)?
        };
        Reply::read(response)
    }
}

impl Reply {
    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The first header of this name (in any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let found = self.headers.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn read(response: Response<Body>) -> Result<Self, Error> {
        const LARGEST: u64 = 1 << 30;
        let (head, mut body) = response.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Ok(Self {
            status: head.status.as_u16(),
            headers: headers.collect(),
            bytes: body.with_config().limit(LARGEST).read_to_vec()?,
        })
    }
}

/// Status, headers (without the date) and body, as a snapshot shows them.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "date") {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", self.text())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    /// Answers one request with `answer` and returns what was asked.
    fn serve_once(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut asked = Vec::new();
            while !asked.ends_with(b"hello") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                asked.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).expect("an answer");
            String::from_utf8(asked).expect("text")
        });
        (base, asked)
    }

    #[test]
    fn a_refusal_is_an_answer_and_any_method_may_have_a_body() {
        for method in ["POST", "DELETE", "GET", "BREW"] {
            let (base, asked) = serve_once(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 2\r\n\r\nno",
            );
            let reply = Http::new(base)
                .bearer("t")
                .send(method, "/write?db=d", &[("x-a", "b")], "hello");
            let asked = asked.join().expect("the server ends");
            assert_eq!((reply.status, reply.text().as_str()), (401, "no"), "{method}");
            assert_eq!(reply.header("WWW-Authenticate"), Some("Bearer"));
            assert!(
                asked.starts_with(&format!("{method} /write?db=d HTTP/1.1\r\n")),
                "{asked}"
            );
            assert!(asked.contains("authorization: Bearer t\r\n"), "{asked}");
            assert!(asked.contains("x-a: b\r\n"), "{asked}");
        }
    }

    #[test]
    fn a_dead_server_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        drop(listener);
        assert!(Http::new(base).try_send("GET", "/ping", &[], "").is_err());
    }
}
