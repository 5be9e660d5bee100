//! What the benchmarks write: line protocol whose timestamps move on, so that no point replaces an earlier one.

use super::Feed;

/// The one database of every benchmark.
pub(crate) const DATABASE: &str = "bench";

/// The head of a request with a body of `length` bytes, or without one.
pub(crate) fn head(method: &str, path: &str, secret: &str, length: usize) -> Vec<u8> {
    let body = if length == 0 {
        String::new()
    } else {
        format!("Content-Length: {length}\r\n")
    };
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n{body}\r\n")
        .into_bytes()
}

/// One line per request, each a microsecond later than the one before.
pub(crate) struct OneLine {
    request: Vec<u8>,
    moment: u64,
}

impl OneLine {
    /// For the connection of this number; the first timestamp, in nanoseconds, has nineteen digits.
    pub(crate) fn new(secret: &str, connection: usize, moment: u64) -> Self {
        let line = format!("single,host=h{connection:03} usage=0.5 {moment}");
        let mut request = head(
            "POST",
            &format!("/api/v3/write_lp?db={DATABASE}"),
            secret,
            line.len(),
        );
        request.extend_from_slice(line.as_bytes());
        Self { request, moment }
    }
}

impl Feed for OneLine {
    fn next(&mut self) -> &[u8] {
        self.moment += 1_000;
        let at = self.request.len() - 19;
        self.request[at..].copy_from_slice(self.moment.to_string().as_bytes());
        &self.request
    }
}
