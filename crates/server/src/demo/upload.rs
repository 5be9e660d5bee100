//! A write whose body grows while it is sent, and which notices at once when the server answers before its end: HTTP/1.1
//! by hand, for no client library reads the answer to a request that it is still sending.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use ureq::http::StatusCode;

use crate::demo::pulse::Pulse;

/// How often it looks for an early answer and for the end of the demo.
const LOOK: Duration = Duration::from_millis(250);
/// How often that is in a second.
const LOOKS: u32 = 4;
/// How long the server may take to answer when all is sent.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// Where an upload goes, and with what.
pub(crate) struct Upload<'a> {
    /// `HOST:PORT`.
    pub(crate) address: &'a str,
    /// The path with its parameters.
    pub(crate) path: &'a str,
    /// What the client calls itself.
    pub(crate) name: &'a str,
    /// The secret of its token.
    pub(crate) token: &'a str,
    /// Ends it early, with what was sent so far.
    pub(crate) pulse: &'a Pulse,
}

/// What the server said.
pub(crate) struct Uploaded {
    /// The status.
    pub(crate) status: StatusCode,
    /// The body.
    pub(crate) body: String,
    /// Whether it answered when a part had been sent, without waiting for the rest.
    pub(crate) midway: bool,
}

impl Upload<'_> {
    /// Sends what `measure` gives, once a second, so many times.
    pub(crate) fn send(&self, times: u32, mut measure: impl FnMut() -> String) -> io::Result<Uploaded> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        let Self {
            address,
            path,
            name,
            token,
            pulse,
        } = self;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: {name}\r\nauthorization: Bearer {token}\r\n\
             content-type: text/plain; charset=utf-8\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        for sent in 0..times {
            for _ in 0..LOOKS {
                if pulse.beats() && is_answered(&stream)? {
                    return answer(&mut stream, sent > 0);
                }
            }
            if !pulse.beats() {
                break;
            }
            let lines = measure();
            write!(stream, "{:x}\r\n{lines}\r\n", lines.len())?;
        }
        stream.write_all(b"0\r\n\r\n")?;
        answer(&mut stream, false)
    }
}

/// Whether an answer arrives within [`LOOK`].
fn is_answered(stream: &TcpStream) -> io::Result<bool> {
    stream.set_read_timeout(Some(LOOK))?;
    match stream.peek(&mut [0]) {
        Ok(_) => Ok(true),
        Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(false),
        Err(e) => Err(e),
    }
}

fn answer(stream: &mut TcpStream, midway: bool) -> io::Result<Uploaded> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "the answer is no HTTP");
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(unreadable)?;
    let code = head.split(' ').nth(1).ok_or_else(unreadable)?;
    Ok(Uploaded {
        status: code.parse().map_err(|_| unreadable())?,
        body: body.to_owned(),
        midway,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn an_early_answer_ends_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            let mut lines = BufReader::new(&stream).lines().map(|line| line.expect("text"));
            let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let chunk: Vec<String> = lines.by_ref().take(2).collect();
            (&stream)
                .write_all(b"HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n{\"error\":\"no\"}")
                .expect("sent");
            (head, chunk)
        });
        let upload = Upload {
            address: &address,
            path: "/write",
            name: "test/1.0",
            token: "secret",
            pulse: &Pulse::default(),
        };
        let uploaded = upload.send(u32::MAX, || "a b=1".to_owned()).expect("an answer");
        assert_eq!(
            (uploaded.status, uploaded.midway),
            (StatusCode::UNAUTHORIZED, true)
        );
        assert_eq!(uploaded.body, r#"{"error":"no"}"#);
        let (head, chunk) = server.join().expect("no panic");
        assert_eq!(head.first().map(String::as_str), Some("POST /write HTTP/1.1"));
        assert_eq!(chunk, ["5", "a b=1"]);
    }

    #[test]
    fn a_stop_ends_the_body_well() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut whole = Vec::new();
            let mut piece = [0; 512];
            while !whole.ends_with(b"\r\n0\r\n\r\n") {
                let count = stream.read(&mut piece).expect("readable");
                assert!(count > 0, "no end of the body");
                whole.extend_from_slice(&piece[..count]);
            }
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
                .expect("sent");
        });
        let pulse = Pulse::default();
        pulse.stop();
        let upload = Upload {
            address: &address,
            path: "/write",
            name: "test/1.0",
            token: "secret",
            pulse: &pulse,
        };
        let uploaded = upload.send(3, || "a b=1".to_owned()).expect("an answer");
        assert_eq!((uploaded.status.as_u16(), uploaded.midway), (204, false));
        server.join().expect("no panic");
    }
}
