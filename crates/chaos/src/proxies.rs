//! The way between one node and the catalog: a TCP proxy that can lose it, slow it down, or cut it at the worst moment.
//!
//! It needs no rights that a test does not have, as network namespaces would.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What happens to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It passes.
    Open,
    /// Connections are closed, and new ones too.
    Refused,
    /// Nothing passes and nothing is closed; what is under way passes when the way opens again.
    Hole,
    /// Everything comes so much later.
    Slow(Duration),
}

/// What is done, once, to the next statement that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    /// Only a `COMMIT`; otherwise whatever the node says next.
    pub commits_only: bool,
    /// What happens then.
    pub deed: Deed,
}

/// What a [`Trap`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The connection breaks before the statement arrives.
    CutBefore,
    /// The statement arrives, and the connection breaks before its answer does.
    CutAfter,
    /// The statement arrives, and its answer never does; nothing is closed.
    Swallow,
}

/// A proxy on a loopback port; dropping it closes everything.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    target: u16,
    way: Mutex<Way>,
    trap: Mutex<Option<Trap>>,
    /// Connections of an earlier epoch are closed.
    epoch: AtomicU64,
    is_over: AtomicBool,
}

/// One connection, seen by both of its directions.
struct Connection {
    shared: Arc<Shared>,
    epoch: u64,
    /// Answers are thrown away.
    is_deaf: AtomicBool,
    is_closed: AtomicBool,
}

/// How often a quiet direction looks whether it is still wanted.
const GLANCE: Duration = Duration::from_millis(20);
/// How long the catalog has to take a statement in before its connection breaks.
const ARRIVAL: Duration = Duration::from_millis(30);

impl Proxy {
    /// A proxy to a loopback port.
    ///
    /// # Errors
    /// No port is free.
    pub(crate) fn start(target: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            target,
            way: Mutex::new(Way::Open),
            trap: Mutex::new(None),
            epoch: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { port, shared })
    }

    /// Where it listens.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// From now on.
    pub(crate) fn set(&self, way: Way) {
        *lock(&self.shared.way) = way;
        if way == Way::Refused {
            self.sever();
        }
    }

    /// Closes every connection there is, with what is under way in it.
    pub(crate) fn sever(&self) {
        self.shared.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Sets a trap, or takes it away.
    pub(crate) fn trap(&self, trap: Option<Trap>) {
        *lock(&self.shared.trap) = trap;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Whoever waits for a connection gets one, and looks.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming().flatten() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        if *lock(&shared.way) == Way::Refused {
            continue;
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || connect(&client, shared));
    }
}

fn connect(client: &TcpStream, shared: Arc<Shared>) {
    let connection = Connection {
        epoch: shared.epoch.load(Ordering::SeqCst),
        shared,
        is_deaf: AtomicBool::new(false),
        is_closed: AtomicBool::new(false),
    };
    connection.wait_for_way();
    let Ok(server) = TcpStream::connect(("127.0.0.1", connection.shared.target)) else {
        return;
    };
    thread::scope(|scope| {
        scope.spawn(|| connection.run(client, &server, true));
        connection.run(&server, client, false);
    });
}

impl Connection {
    fn is_over(&self) -> bool {
        let shared = &self.shared;
        self.is_closed.load(Ordering::SeqCst)
            || shared.is_over.load(Ordering::SeqCst)
            || shared.epoch.load(Ordering::SeqCst) != self.epoch
    }

    /// Copies one direction until either end closes, then closes both.
    fn run(&self, from: &TcpStream, to: &TcpStream, is_question: bool) {
        // What cannot be copied any more is closed: both ends see a broken connection.
        let _ = self.copy(from, to, is_question);
        self.is_closed.store(true, Ordering::SeqCst);
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    fn copy(&self, mut from: &TcpStream, mut to: &TcpStream, is_question: bool) -> io::Result<()> {
        from.set_nodelay(true)?;
        from.set_read_timeout(Some(GLANCE))?;
        let mut buffer = vec![0; 64 << 10];
        while !self.is_over() {
            let length = match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(error) => return Err(error),
            };
            self.wait_for_way();
            if self.is_over() {
                return Ok(());
            }
            if !is_question {
                if !self.is_deaf.load(Ordering::SeqCst) {
                    to.write_all(&buffer[..length])?;
                }
                continue;
            }
            let deed = self.shared.sprung(&buffer[..length]);
            if deed == Some(Deed::CutBefore) {
                return Ok(());
            }
            self.is_deaf.fetch_or(deed.is_some(), Ordering::SeqCst);
            to.write_all(&buffer[..length])?;
            if deed == Some(Deed::CutAfter) {
                thread::sleep(ARRIVAL);
                return Ok(());
            }
        }
        Ok(())
    }

    fn wait_for_way(&self) {
        loop {
            let way = *lock(&self.shared.way);
            match way {
                Way::Hole if !self.is_over() => thread::sleep(GLANCE / 4),
                Way::Slow(by) => return thread::sleep(by),
                _ => return,
            }
        }
    }
}

impl Shared {
    /// What the trap does to this statement; it is gone then.
    fn sprung(&self, said: &[u8]) -> Option<Deed> {
        const COMMIT: &[u8] = b"COMMIT";
        let mut trap = lock(&self.trap);
        let is_commit = || said.windows(COMMIT.len()).any(|window| window == COMMIT);
        let sprung = trap.is_some_and(|trap| !trap.commits_only || is_commit());
        if sprung {
            trap.take().map(|trap| trap.deed)
        } else {
            None
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    /// A server that hands on what it is told and answers each message with `OK`.
    fn server() -> (u16, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || {
                    let mut buffer = [0; 100];
                    while let Ok(length @ 1..) = stream.read(&mut buffer) {
                        let _ = sender.send(String::from_utf8_lossy(&buffer[..length]).into_owned());
                        let _ = stream.write_all(b"OK");
                    }
                });
            }
        });
        (port, receiver)
    }

    /// What comes back within a second: `OK`, nothing because the connection closed, or nothing at all.
    fn ask(stream: &mut TcpStream, words: &str) -> Result<String, ErrorKind> {
        stream
            .set_read_timeout(Some(Duration::from_secs(1)))
            .expect("set");
        stream.write_all(words.as_bytes()).map_err(|error| error.kind())?;
        let mut buffer = [0; 100];
        match stream.read(&mut buffer) {
            Ok(length) => Ok(String::from_utf8_lossy(&buffer[..length]).into_owned()),
            Err(error) => Err(error.kind()),
        }
    }

    fn pair() -> (Proxy, TcpStream, Receiver<String>) {
        let (port, told) = server();
        let proxy = Proxy::start(port).expect("started");
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).expect("connected");
        assert_eq!(ask(&mut client, "hello"), Ok("OK".to_owned()));
        assert_eq!(told.recv().as_deref(), Ok("hello"));
        (proxy, client, told)
    }

    fn is_closed(answer: &Result<String, ErrorKind>) -> bool {
        let closed = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
        match answer {
            Ok(text) => text.is_empty(),
            Err(kind) => closed.contains(kind),
        }
    }

    #[test]
    fn a_hole_closes_nothing_and_loses_nothing() {
        let (proxy, mut client, told) = pair();
        proxy.set(Way::Hole);
        assert_eq!(ask(&mut client, "late"), Err(ErrorKind::WouldBlock));
        assert!(told.try_recv().is_err());
        proxy.set(Way::Open);
        assert_eq!(told.recv().as_deref(), Ok("late"));
        assert_eq!(ask(&mut client, ""), Ok("OK".to_owned()));
    }

    #[test]
    fn what_is_severed_in_a_hole_never_arrives() {
        let (proxy, mut client, told) = pair();
        proxy.set(Way::Hole);
        assert_eq!(ask(&mut client, "lost"), Err(ErrorKind::WouldBlock));
        proxy.sever();
        assert!(is_closed(&ask(&mut client, "")));
        proxy.set(Way::Open);
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).expect("connected");
        assert_eq!(ask(&mut client, "again"), Ok("OK".to_owned()));
        assert_eq!(told.recv().as_deref(), Ok("again"));
    }

    #[test]
    fn who_is_refused_notices() {
        let (proxy, mut client, _told) = pair();
        proxy.set(Way::Refused);
        thread::sleep(GLANCE * 5);
        assert!(is_closed(&ask(&mut client, "more")));
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).expect("accepted");
        assert!(is_closed(&ask(&mut client, "new")));
    }

    #[test]
    fn a_trap_springs_once_and_only_on_what_it_is_for() {
        for (deed, arrives, closes) in [
            (Deed::CutBefore, false, true),
            (Deed::CutAfter, true, true),
            (Deed::Swallow, true, false),
        ] {
            let (proxy, mut client, told) = pair();
            proxy.trap(Some(Trap {
                commits_only: true,
                deed,
            }));
            assert_eq!(ask(&mut client, "SELECT 1"), Ok("OK".to_owned()));
            assert_eq!(told.recv().as_deref(), Ok("SELECT 1"));
            let answer = ask(&mut client, "QCOMMIT");
            assert_eq!(is_closed(&answer), closes, "{deed:?}: {answer:?}");
            assert!(answer != Ok("OK".to_owned()));
            assert_eq!(told.try_recv().is_ok(), arrives, "{deed:?}");
            let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).expect("connected");
            assert_eq!(ask(&mut client, "COMMIT"), Ok("OK".to_owned()));
        }
    }
}
