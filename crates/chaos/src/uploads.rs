//! Clients whose writes take long: what is cut, when the token is revoked, is what has been admitted already (promise G2).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rescind_testkit::SeededRng;

use crate::histories::{Moment, NodeNumber, Reply, Timeline};
use crate::logbooks::{DATABASE, Logbook, Site, TABLE};
use crate::populations::{Population, Presented, Work};

/// How long a client looks for a token that is about to be revoked.
const PAUSE: Duration = Duration::from_millis(20);

/// Writes slowly to `node` until `is_over`, with tokens that are about to be revoked.
pub(crate) fn upload(
    logbook: &mut Logbook<'_>,
    node: NodeNumber,
    site: &Site,
    population: &Population,
    rng: &SeededRng,
    is_over: &AtomicBool,
) {
    while !is_over.load(Ordering::SeqCst) {
        let Some(token) = population.doomed(node, Work::Upload) else {
            thread::sleep(PAUSE);
            continue;
        };
        let takes = Duration::from_millis(50 + rng.below(3_000));
        let point = site.points.fetch_add(1, Ordering::Relaxed);
        let began = logbook.timeline.now();
        let (sent, reply) = write_slowly(site, node, &token, point, takes, logbook.timeline);
        logbook.note_upload(node, token.number, (began, sent), reply, point);
    }
}

/// Sends one point in two pieces; the moment before the last one was sent, and what came of it.
fn write_slowly(
    site: &Site,
    node: NodeNumber,
    token: &Presented,
    point: u64,
    takes: Duration,
    timeline: Timeline,
) -> (Moment, Reply) {
    let body = format!("{TABLE} number={point}i {point}");
    let (first, rest) = body.split_at(body.len() / 2);
    let address = site.urls[node].trim_start_matches("http://");
    let head = format!(
        "POST /api/v3/write_lp?db={DATABASE} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{first}",
        token.secret,
        body.len()
    );
    let mut sent = timeline.now();
    let mut answer = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(site.patience))?;
        stream.set_write_timeout(Some(site.patience))?;
        stream.write_all(head.as_bytes())?;
        thread::sleep(takes);
        sent = timeline.now();
        // The answer may be there, and the connection closed, before all is sent.
        let _ = stream.write_all(rest.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    let reply = match answer() {
        Ok(answer) => judge(&String::from_utf8_lossy(&answer)),
        Err(_) => Reply::Broken,
    };
    (sent, reply)
}

/// What a status line says of a request.
pub(crate) fn judge(answer: &str) -> Reply {
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    match status {
        Some(200 | 204) => Reply::Admitted,
        Some(status @ (401 | 403)) => Reply::Refused(status),
        Some(503) => Reply::Unavailable,
        Some(status) => Reply::Odd(status),
        None => Reply::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_status() {
        assert_eq!(judge("HTTP/1.1 204 No Content\r\n\r\n"), Reply::Admitted);
        assert_eq!(judge("HTTP/1.1 401 Unauthorized\r\n"), Reply::Refused(401));
        assert_eq!(judge("HTTP/1.1 408 Request Timeout\r\n"), Reply::Odd(408));
        assert_eq!(judge(""), Reply::Broken);
    }
}
