//! Group commit: one thread takes everything that waits, makes it durable with one write and one sync, makes it
//! visible, and wakes all who wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use rescind_domain::{DatabaseId, Permit, TableId};
use tokio::sync::oneshot;

use crate::budget::Share;
use crate::errors::Error;
use crate::log::{self, Log};
use crate::records::Record;
use crate::tables::{Arrival, Table, Tables};

/// A frame takes in no further record once it has this many bytes.
const FRAME_BYTES: usize = 16 << 20;
/// What a record takes in its frame beside its own bytes: its length.
const LENGTH_BYTES: usize = 4;
/// The longest record, in bytes: with its length it fills a frame.
const MAX_RECORD: usize = log::MAX_FRAME - LENGTH_BYTES;
/// A segment that is longer is followed by the next.
const SEGMENT_BYTES: u64 = 64 << 20;

/// The queue to the committing thread. What waits in it is bounded by the budget that its entries hold.
#[derive(Debug)]
pub(crate) struct Committer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    tables: Arc<Tables>,
    counters: Arc<LogCounters>,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    is_closed: bool,
    /// Why nothing can be committed any more.
    failure: Option<String>,
}

/// What the log has done since the start.
#[derive(Debug, Default)]
pub(crate) struct LogCounters {
    pub(crate) bytes: AtomicU64,
    pub(crate) syncs: AtomicU64,
}

/// Something to commit.
#[derive(Debug)]
struct Entry {
    head: Vec<u8>,
    lines: Bytes,
    effect: Effect,
    done: oneshot::Sender<Result<u64, CommitError>>,
}

/// What becomes visible once it is durable.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Points; the permit is asked last thing before they are written to the log. The share of the budget is given
    /// back when the tables count them.
    Write {
        permit: Permit,
        arrivals: Vec<(Arc<Table>, Arrival)>,
        share: Share,
    },
    DropTable(TableId),
    DropDatabase(DatabaseId),
    /// A new segment begins; points of the ones before it are set aside for files. Answers its number.
    Freeze,
}

/// Why something was not committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommitError {
    Cut,
    /// The record is longer than a frame of the log may be; both in bytes.
    TooLarge {
        max: usize,
        got: usize,
    },
    Failed(String),
}

impl Committer {
    pub(crate) fn start(log: Log, tables: Arc<Tables>, counters: Arc<LogCounters>) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::default()),
            wake: Condvar::new(),
            tables,
            counters,
        });
        let run = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("rescind-log".to_owned())
            .spawn(move || run.run(log))
            .map_err(|error| Error::Stopped(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a change; the answer comes once it is durable and visible.
    pub(crate) fn commit(
        &self,
        record: Option<&Record>,
        effect: Effect,
    ) -> oneshot::Receiver<Result<u64, CommitError>> {
        let (done, answer) = oneshot::channel();
        let (head, lines) = record.map(Record::encode).unwrap_or_default();
        let entry = Entry {
            head,
            lines,
            effect,
            done,
        };
        let got = entry.bytes();
        if got > MAX_RECORD {
            let max = MAX_RECORD;
            entry.answer(Err(CommitError::TooLarge { max, got }));
            return answer;
        }
        let mut queue = self.shared.queue.lock();
        let refusal = match &queue.failure {
            Some(failure) => Some(failure.clone()),
            None if queue.is_closed => Some("the engine is closed".to_owned()),
            None => None,
        };
        match refusal {
            Some(refusal) => entry.answer(Err(CommitError::Failed(refusal))),
            None => {
                queue.entries.push_back(entry);
                drop(queue);
                self.shared.wake.notify_one();
            }
        }
        answer
    }

    /// Commits what waits and ends the thread.
    pub(crate) fn close(&self) {
        self.shared.queue.lock().is_closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the committing thread panicked");
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Entry {
    fn answer(self, answer: Result<u64, CommitError>) {
        // Whoever asked may have gone away.
        let _ = self.done.send(answer);
    }

    /// Of its record.
    fn bytes(&self) -> usize {
        self.head.len() + self.lines.len()
    }

    fn is_cut(&self) -> bool {
        matches!(&self.effect, Effect::Write { permit, .. } if permit.is_cut())
    }
}

/// Lives as long as the committing thread works: whoever waits is answered even if the thread panics.
struct Watch<'a> {
    shared: &'a Shared,
    has_ended_well: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.has_ended_well {
            tracing::error!("the log's thread failed; no write is accepted until a restart");
            self.shared.fail("the log's thread failed; restart", Vec::new());
        }
    }
}

impl Shared {
    fn run(&self, mut log: Log) {
        let mut watch = Watch {
            shared: self,
            has_ended_well: false,
        };
        let mut frame = Vec::new();
        while let Some(entries) = self.next_group() {
            if let Err((error, entries)) = self.commit_group(&mut log, &mut frame, entries) {
                tracing::error!(error = %rescind_domain::Chain(&error), "the log failed; no write is accepted until a restart");
                self.fail(&error.to_string(), entries);
            }
            if frame.capacity() > FRAME_BYTES {
                frame = Vec::new();
            }
        }
        watch.has_ended_well = true;
    }

    /// Refuses these entries, all that wait, and all that will come.
    fn fail(&self, failure: &str, entries: Vec<Entry>) {
        let mut queue = self.queue.lock();
        queue.failure = Some(failure.to_owned());
        let waiting: Vec<Entry> = entries.into_iter().chain(queue.entries.drain(..)).collect();
        drop(queue);
        for entry in waiting {
            entry.answer(Err(CommitError::Failed(failure.to_owned())));
        }
    }

    /// Waits for entries; `None` when the engine was closed and all is done.
    fn next_group(&self) -> Option<Vec<Entry>> {
        let mut queue = self.queue.lock();
        while queue.entries.is_empty() {
            if queue.is_closed {
                return None;
            }
            self.wake.wait(&mut queue);
        }
        let count = group_size(&queue.entries);
        Some(queue.entries.drain(..count).collect())
    }

    fn commit_group(
        &self,
        log: &mut Log,
        frame: &mut Vec<u8>,
        entries: Vec<Entry>,
    ) -> Result<(), (Error, Vec<Entry>)> {
        frame.clear();
        frame.resize(Log::HEADER_BYTES, 0);
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            // Asked last thing before the effect (DESIGN section 4): a revoked token's write stops here.
            if entry.is_cut() {
                entry.answer(Err(CommitError::Cut));
                continue;
            }
            let length = entry.bytes();
            if length > 0 {
                frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
                frame.extend_from_slice(&entry.head);
                frame.extend_from_slice(&entry.lines);
            }
            kept.push(entry);
        }
        if frame.len() > Log::HEADER_BYTES {
            if let Err(error) = log.append(frame) {
                return Err((error, kept));
            }
            self.counters
                .bytes
                .fetch_add(frame.len() as u64, Ordering::Relaxed);
            self.counters.syncs.fetch_add(1, Ordering::Relaxed);
        }
        let mut kept = kept.into_iter();
        while let Some(Entry { effect, done, .. }) = kept.next() {
            match self.apply(log, effect) {
                // Whoever asked may have gone away.
                Ok(answer) => drop(done.send(Ok(answer))),
                Err(error) => {
                    let _ = done.send(Err(CommitError::Failed(error.to_string())));
                    return Err((error, kept.collect()));
                }
            }
        }
        if log.len() > SEGMENT_BYTES
            && let Err(error) = log.rotate()
        {
            return Err((error, Vec::new()));
        }
        Ok(())
    }

    fn apply(&self, log: &mut Log, effect: Effect) -> Result<u64, Error> {
        match effect {
            Effect::Write { arrivals, share, .. } => {
                for (table, arrival) in arrivals {
                    self.tables.apply(&table, arrival)?;
                }
                drop(share);
            }
            Effect::DropTable(table) => self.tables.drop_table(table),
            Effect::DropDatabase(database) => self.tables.drop_database(database),
            Effect::Freeze => {
                let number = log.rotate()?;
                for table in self.tables.all() {
                    table.freeze()?;
                }
                return Ok(number);
            }
        }
        Ok(0)
    }
}

/// How many of these entries the next frame takes: at least one, unless there is none.
fn group_size(entries: &VecDeque<Entry>) -> usize {
    let mut bytes = 0;
    let mut count = 0;
    for entry in entries {
        let after = bytes + LENGTH_BYTES + entry.bytes();
        if count > 0 && after > log::MAX_FRAME {
            break;
        }
        count += 1;
        bytes = after;
        // A freeze ends its group: what is behind it belongs to the next segment.
        if bytes >= FRAME_BYTES || matches!(entry.effect, Effect::Freeze) {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use rescind_domain::{
        Action, Ask, ClusterId, DatabaseGrant, DatabaseTokenId, Permission, Permissions, Resource, Tether,
        decide,
    };

    use super::*;
    use crate::budget::Budget;
    use crate::precision::Precision;
    use crate::records::WriteRecord;

    /// Says when it is asked, and panics once it is told to.
    #[derive(Debug)]
    struct Trap {
        asked: mpsc::SyncSender<()>,
        told: Mutex<mpsc::Receiver<()>>,
    }

    impl Tether for Trap {
        fn is_cut(&self) -> bool {
            self.asked.send(()).expect("the test listens");
            self.told.lock().recv().expect("the test tells");
            panic!("the trap snaps");
        }
    }

    fn permit(tether: Arc<dyn Tether>) -> Permit {
        let permission = Permission {
            action: Action::Write,
            resource: Resource::AllDatabases,
        };
        let grant = DatabaseGrant {
            token: DatabaseTokenId::from_bytes([1; 16]),
            cluster: ClusterId::from_bytes([2; 16]),
            permissions: Arc::new(Permissions::new([permission]).expect("few")),
            expires_at: None,
        };
        let database = "home".parse().expect("a name");
        let ask = Ask {
            action: Action::Write,
            database: &database,
        };
        decide(&grant, ask, tether).expect("allowed")
    }

    fn started(dir: &tempfile::TempDir) -> Committer {
        let log = Log::create(dir.path(), 1).expect("created");
        Committer::start(log, Arc::default(), Arc::default()).expect("started")
    }

    fn table() -> TableId {
        TableId::new(1).expect("positive")
    }

    fn record(lines: Vec<u8>) -> Record {
        Record::Write(WriteRecord {
            database: DatabaseId::new(1).expect("positive"),
            precision: Precision::Nanoseconds,
            now: 0,
            tables: Vec::new(),
            lines: lines.into(),
        })
    }

    fn entry(bytes: usize, effect: Effect) -> Entry {
        Entry {
            head: Vec::new(),
            lines: vec![0; bytes].into(),
            effect,
            done: oneshot::channel().0,
        }
    }

    #[test]
    fn a_panic_refuses_what_waits_and_what_comes_later() {
        let dir = tempfile::tempdir().expect("a directory");
        let committer = started(&dir);
        let (asked, is_asked) = mpsc::sync_channel(1);
        let (tell, told) = mpsc::channel();
        let trap = Trap {
            asked,
            told: Mutex::new(told),
        };
        let effect = Effect::Write {
            permit: permit(Arc::new(trap)),
            arrivals: Vec::new(),
            share: Arc::new(Budget::new(Arc::default(), 1)).take(1).expect("room"),
        };
        let trapped = committer.commit(Some(&record(b"m f=1".to_vec())), effect);
        is_asked.recv().expect("asked");
        let waiting = committer.commit(Some(&Record::DropTable(table())), Effect::DropTable(table()));
        tell.send(()).expect("told");
        let failed = Ok(Err(CommitError::Failed(
            "the log's thread failed; restart".to_owned(),
        )));
        assert!(
            trapped.blocking_recv().is_err(),
            "not answered, but not left waiting"
        );
        assert_eq!(waiting.blocking_recv(), failed);
        assert_eq!(committer.commit(None, Effect::Freeze).blocking_recv(), failed);
    }

    #[test]
    fn the_regular_end_is_no_failure() {
        let dir = tempfile::tempdir().expect("a directory");
        let committer = started(&dir);
        committer.close();
        assert_eq!(committer.shared.queue.lock().failure, None);
    }

    #[test]
    fn a_record_beyond_a_frame_is_refused_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let committer = started(&dir);
        let long = record(vec![0; MAX_RECORD]);
        let got = MAX_RECORD + long.encode().0.len();
        let refused = committer.commit(Some(&long), Effect::DropTable(table()));
        let max = MAX_RECORD;
        assert_eq!(
            refused.blocking_recv(),
            Ok(Err(CommitError::TooLarge { max, got }))
        );
        let stored = committer.commit(Some(&record(b"m f=1".to_vec())), Effect::DropTable(table()));
        assert_eq!(stored.blocking_recv(), Ok(Ok(0)));
    }

    #[test]
    fn a_group_fits_a_frame() {
        let entries = |sizes: &[usize]| {
            let entry = |bytes: &usize| entry(*bytes, Effect::DropTable(table()));
            sizes.iter().map(entry).collect::<VecDeque<_>>()
        };
        assert_eq!(group_size(&entries(&[])), 0);
        assert_eq!(group_size(&entries(&[MAX_RECORD, 0])), 1);
        assert_eq!(group_size(&entries(&[0, MAX_RECORD - LENGTH_BYTES, 0])), 2);
        assert_eq!(group_size(&entries(&[1, MAX_RECORD - LENGTH_BYTES, 0])), 1);
        let mut freezing = entries(&[1, 1]);
        freezing.insert(1, entry(0, Effect::Freeze));
        assert_eq!(group_size(&freezing), 2);
    }
}
