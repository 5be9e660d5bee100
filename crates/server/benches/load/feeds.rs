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

/// Lines of one batch.
pub(crate) const BATCH: usize = 5_000;
const HOSTS: usize = 100;

/// A batch per request: a hundred hosts, fifty points each, three fields a point; each batch a second later.
pub(crate) struct Batch {
    request: Vec<u8>,
    /// Where the ten digits of the seconds stand in every line.
    seconds_at: Vec<usize>,
    second: u64,
}

impl Batch {
    /// For the connection of this number, which becomes a tag.
    pub(crate) fn new(secret: &str, table: &str, connection: usize, second: u64) -> Self {
        let mut body = Vec::new();
        let mut seconds_at = Vec::new();
        for line in 0..BATCH {
            let (host, point) = (line % HOSTS, line / HOSTS);
            let usage = (line * 7919 % 10_000) as f64 / 100.0;
            let text = format!(
                "{table},host=h{host:03},region=r{connection} user={usage},system={},idle={} ",
                usage / 4.0,
                100.0 - usage
            );
            body.extend_from_slice(text.as_bytes());
            seconds_at.push(body.len());
            body.extend_from_slice(format!("{second}{:09}\n", point * 20_000_000).as_bytes());
        }
        let mut request = head(
            "POST",
            &format!("/api/v3/write_lp?db={DATABASE}"),
            secret,
            body.len(),
        );
        for at in &mut seconds_at {
            *at += request.len();
        }
        request.extend_from_slice(&body);
        Self {
            request,
            seconds_at,
            second,
        }
    }

    /// Bytes of one request.
    pub(crate) fn len(&self) -> usize {
        self.request.len()
    }
}

impl Feed for Batch {
    fn next(&mut self) -> &[u8] {
        self.second += 1;
        let digits = self.second.to_string();
        for at in &self.seconds_at {
            self.request[*at..*at + 10].copy_from_slice(digits.as_bytes());
        }
        &self.request
    }
}
