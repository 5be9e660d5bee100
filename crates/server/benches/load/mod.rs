//! A load generator that costs little: prepared bytes over kept HTTP/1.1 connections, one thread each.

pub(crate) mod feeds;

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::figures::Sample;

/// What one connection sends, request after request.
pub(crate) trait Feed: Send {
    /// The bytes of the next request, head and body.
    fn next(&mut self) -> &[u8];
}

/// The same request for ever.
impl Feed for Vec<u8> {
    fn next(&mut self) -> &[u8] {
        self
    }
}

/// What came of a load.
pub(crate) struct Load {
    /// Requests that succeeded, per second, over all connections.
    pub(crate) rate: f64,
    /// Seconds from the first byte sent to the last received, of those.
    pub(crate) latencies: Sample,
    /// Requests that the server was too busy for (429, 503); each waits a millisecond.
    pub(crate) refused: usize,
}

/// Sends what the feeds have, one connection for each, for this long.
///
/// # Panics
/// When an answer is neither a success nor a refusal for being busy.
pub(crate) fn load<F: Feed>(address: &str, duration: Duration, feeds: Vec<F>) -> Load {
    let start = Barrier::new(feeds.len());
    let one = |mut feed: F| {
        let mut connection = Connection::open(address).expect("the server accepts connections");
        let (mut latencies, mut refused) = (Vec::new(), 0);
        start.wait();
        let began = Instant::now();
        while began.elapsed() < duration {
            let sent = Instant::now();
            match connection.ask(feed.next()).expect("the server answers") {
                200..=299 => latencies.push(sent.elapsed()),
                429 | 503 => {
                    refused += 1;
                    thread::sleep(Duration::from_millis(1));
                }
                status => panic!("status {status}: {}", connection.text()),
            }
        }
        (latencies, refused, began.elapsed())
    };
    let results: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = feeds.into_iter().map(|feed| scope.spawn(|| one(feed))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("no connection failed"))
            .collect()
    });
    Load {
        rate: results
            .iter()
            .map(|(done, _, took)| done.len() as f64 / took.as_secs_f64())
            .sum(),
        refused: results.iter().map(|(_, refused, _)| refused).sum(),
        latencies: results.into_iter().flat_map(|(done, _, _)| done).collect(),
    }
}

/// One kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    length: usize,
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self {
            stream,
            answer: vec![0; 64 * 1024],
            length: 0,
        })
    }

    /// Sends one request and reads the whole answer; its status.
    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request)?;
        self.length = 0;
        let head = loop {
            self.read()?;
            if let Some(at) = find(&self.answer[..self.length], b"\r\n\r\n") {
                break at + 4;
            }
        };
        let fields = String::from_utf8_lossy(&self.answer[..head]).to_ascii_lowercase();
        let status = fields
            .get(9..12)
            .and_then(|digits| digits.parse().ok())
            .unwrap_or_default();
        let size = fields
            .split_once("content-length: ")
            .and_then(|(_, rest)| rest.split('\r').next());
        if let Some(size) = size.and_then(|digits| digits.parse::<usize>().ok()) {
            while self.length < head + size {
                self.read()?;
            }
        } else if fields.contains("transfer-encoding: chunked") {
            while !self.answer[head..self.length].ends_with(b"0\r\n\r\n") {
                self.read()?;
            }
        }
        Ok(status)
    }

    /// The last answer.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer[..self.length]).into_owned()
    }

    fn read(&mut self) -> io::Result<()> {
        if self.length == self.answer.len() {
            self.answer.resize(self.length * 2, 0);
        }
        match self.stream.read(&mut self.answer[self.length..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.length += count;
                Ok(())
            }
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
