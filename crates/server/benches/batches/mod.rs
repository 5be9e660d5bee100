//! Batches of line protocol, for the benchmarks of bulk writes.

use crate::load::Feed;
use crate::load::feeds::{DATABASE, head};

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
