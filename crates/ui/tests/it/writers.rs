//! Live clients: they use a secret again and again until they are refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rescind_testkit::{Http, Reply};

/// How long a client may be let in after it should not be, before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Something that works in the background with a secret.
pub(crate) struct Client {
    served: Arc<AtomicU64>,
    thread: JoinHandle<Option<Reply>>,
}

impl Client {
    /// Writes points to a database.
    pub(crate) fn writing(http: Http, database: &str) -> Self {
        let path = format!("/api/v2/write?bucket={database}");
        Self::start(move || {
            http.try_send("POST", &path, &[], "weather,city=Seattle warmest=21.5")
                .ok()
        })
    }

    /// Reads a path.
    pub(crate) fn reading(http: Http, path: String) -> Self {
        Self::start(move || http.try_send("GET", &path, &[], "").ok())
    }

    /// Asks until it is refused, or until the server ends, as it does with the test.
    fn start(ask: impl Fn() -> Option<Reply> + Send + 'static) -> Self {
        let served = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&served);
        let thread = thread::spawn(move || {
            loop {
                let reply = ask()?;
                if reply.status >= 300 {
                    return Some(reply);
                }
                count.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { served, thread }
    }

    /// Waits until it was served once more than up to now: it is let in at this moment.
    pub(crate) fn is_served(&self) {
        let before = self.served.load(Ordering::Relaxed);
        let begun = Instant::now();
        while self.served.load(Ordering::Relaxed) <= before + 1 {
            assert!(!self.thread.is_finished(), "the client was refused too early");
            assert!(begun.elapsed() < PATIENCE, "the client hangs");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it is let in.
    pub(crate) fn goes_on(&self) -> bool {
        !self.thread.is_finished()
    }

    /// What it was refused with.
    pub(crate) fn refusal(self) -> Reply {
        let begun = Instant::now();
        while !self.thread.is_finished() {
            assert!(begun.elapsed() < PATIENCE, "the client is still let in");
            thread::sleep(Duration::from_millis(5));
        }
        let refusal = self.thread.join().expect("the client does not panic");
        refusal.expect("the client was answered")
    }
}
