//! Clients whose queries have no end: their answers break off when the token is revoked (promise G2).

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rescind_testkit::SeededRng;
use socket2::{Domain, Socket, Type};

use crate::checker::IN_FLIGHT;
use crate::histories::{Finish, Moment, NodeNumber, Reply, Stream};
use crate::logbooks::{DATABASE, Logbook, Site};
use crate::populations::{Population, Presented, Work};
use crate::uploads::judge;

/// The table that is multiplied by itself.
const TABLE: &str = "multitude";
/// How many points it has: four million rows then, of 800 MB.
const POINTS: usize = 2_000;
/// How long a client looks for a token that is about to be revoked.
const PAUSE: Duration = Duration::from_millis(20);
/// A client reads slowly until the token is revoked: it is not to keep the machine busy.
const LEISURE: Duration = Duration::from_millis(15);
/// What is read at a time, and what the kernel may hold of it for the client.
const PIECE: usize = 64 << 10;
/// More than may come after the token was revoked.
const ENOUGH: u64 = IN_FLIGHT + (4 << 20);
/// How long an answer is read at most.
const LONGEST: Duration = Duration::from_secs(15);

/// The points that queries are about, as line protocol.
pub(crate) fn points() -> String {
    (1..=POINTS).map(|n| format!("{TABLE} n={n}i {n}\n")).collect()
}

/// Reads answers of `node` until `is_over`, with tokens that are about to be revoked.
pub(crate) fn stream(
    logbook: &mut Logbook<'_>,
    node: NodeNumber,
    site: &Site,
    population: &Population,
    rng: &SeededRng,
    is_over: &AtomicBool,
) {
    while !is_over.load(Ordering::SeqCst) {
        // Not always: it keeps the node busy.
        let token = population
            .doomed(node, Work::Stream)
            .filter(|_| rng.below(2) == 0);
        let Some(token) = token else {
            thread::sleep(PAUSE);
            continue;
        };
        let began = logbook.timeline.now();
        let Ok((connection, start)) = ask(site, node, &token) else {
            logbook.note_query(node, token.number, began, Reply::Broken);
            continue;
        };
        let reply = judge(&String::from_utf8_lossy(&start));
        logbook.note_query(node, token.number, began, reply);
        if reply == Reply::Admitted {
            let mut stream = Stream {
                token: token.number,
                node,
                began,
                marks: vec![(logbook.timeline.now(), start.len() as u64)],
                finish: Finish::Left,
            };
            let is_wanted = || !is_over.load(Ordering::SeqCst);
            let is_ended = || population.is_ended(token.number);
            stream.read(connection, start, &is_wanted, &is_ended, &|| {
                logbook.timeline.now()
            });
            logbook.pages.streams.push(stream);
        }
    }
}

/// Asks for an answer without end; the connection, and how the answer begins.
fn ask(site: &Site, node: NodeNumber, token: &Presented) -> io::Result<(TcpStream, Vec<u8>)> {
    let address = site.urls[node].trim_start_matches("http://");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // Before it is connected, or it counts for nothing.
    socket.set_recv_buffer_size(PIECE)?;
    let target: SocketAddr = address.parse().map_err(io::Error::other)?;
    socket.connect(&target.into())?;
    let mut connection = TcpStream::from(socket);
    connection.set_read_timeout(Some(site.patience))?;
    connection.set_write_timeout(Some(site.patience))?;
    let filler = "x".repeat(200);
    let query = format!("SELECT%20a.n,'{filler}'%20FROM%20{TABLE}%20a%20CROSS%20JOIN%20{TABLE}%20b");
    let request = format!(
        "GET /api/v3/query_sql?db={DATABASE}&format=csv&q={query} HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {}\r\n\r\n",
        token.secret
    );
    connection.write_all(request.as_bytes())?;
    let mut start = vec![0; 4_096];
    let length = connection.read(&mut start)?;
    start.truncate(length);
    // From now on it is looked now and then whether anybody wants more.
    connection.set_read_timeout(Some(PAUSE * 10))?;
    Ok((connection, start))
}

impl Stream {
    /// Reads on: slowly until the token has ended, then all that comes.
    fn read(
        &mut self,
        mut connection: TcpStream,
        mut tail: Vec<u8>,
        is_wanted: &dyn Fn() -> bool,
        is_ended: &dyn Fn() -> bool,
        now: &dyn Fn() -> Moment,
    ) {
        let begun = Instant::now();
        let mut bytes = tail.len() as u64;
        let mut at_the_end = None;
        let mut piece = vec![0; PIECE];
        while is_wanted() && begun.elapsed() < LONGEST {
            if at_the_end.is_none() {
                at_the_end = is_ended().then_some(bytes);
                thread::sleep(LEISURE);
            }
            if at_the_end.is_some_and(|before| bytes - before > ENOUGH) {
                return;
            }
            match connection.read(&mut piece) {
                Ok(length @ 1..) => {
                    bytes += length as u64;
                    self.marks.push((now(), bytes));
                    tail.extend(&piece[..length]);
                    tail.drain(..tail.len().saturating_sub(END.len()));
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Ok(0) | Err(_) => {
                    self.finish = match tail.ends_with(END) {
                        true => Finish::Whole,
                        false => Finish::BrokenOff,
                    };
                    return;
                }
            }
        }
    }
}

/// How an answer in chunks ends that is complete (RFC 9112 section 7.1).
const END: &[u8] = b"\r\n0\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// How an answer is taken that begins with a few bytes, goes on with this and is closed.
    fn taken(rest: Vec<u8>, is_ended: bool) -> (Finish, u64) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let connection = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
        let serving = thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a client");
            // Whoever has enough hangs up.
            let _ = client.write_all(&rest);
        });
        let mut stream = Stream {
            token: 0,
            node: 0,
            began: Moment(0),
            marks: Vec::new(),
            finish: Finish::Left,
        };
        stream.read(connection, b"HTTP".to_vec(), &|| true, &|| is_ended, &|| {
            Moment(1)
        });
        serving.join().expect("it ends");
        (stream.finish, stream.marks.last().map_or(0, |(_, bytes)| *bytes))
    }

    #[test]
    fn an_answer_is_read_to_its_end_or_until_it_is_too_much() {
        assert_eq!(taken(b"5\r\n1,2\r\n".to_vec(), false), (Finish::BrokenOff, 12));
        assert_eq!(taken(b"1\r\n1\r\n0\r\n\r\n".to_vec(), false), (Finish::Whole, 15));
        let (finish, bytes) = taken(vec![b'x'; 64 << 20], true);
        assert_eq!(finish, Finish::Left);
        assert!((ENOUGH..ENOUGH + (1 << 20)).contains(&bytes), "{bytes}");
    }
}
