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
use crate::log::Log;
use crate::records::Record;
use crate::tables::{Arrival, Table, Tables};

/// A frame takes in no further record once it has this many bytes.
const FRAME_BYTES: usize = 16 << 20;
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

    fn is_cut(&self) -> bool {
        matches!(&self.effect, Effect::Write { permit, .. } if permit.is_cut())
    }
}

impl Shared {
    fn run(&self, mut log: Log) {
        let mut frame = Vec::new();
        while let Some(entries) = self.next_group() {
            if let Err((error, entries)) = self.commit_group(&mut log, &mut frame, entries) {
                let failure = error.to_string();
                tracing::error!(%error, source = ?std::error::Error::source(&error), "the log failed; no write is accepted until a restart");
                let mut queue = self.queue.lock();
                queue.failure = Some(failure.clone());
                let waiting: Vec<Entry> = entries.into_iter().chain(queue.entries.drain(..)).collect();
                drop(queue);
                for entry in waiting {
                    entry.answer(Err(CommitError::Failed(failure.clone())));
                }
            }
            if frame.capacity() > FRAME_BYTES {
                frame = Vec::new();
            }
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
        let mut bytes = 0;
        let mut count = 0;
        for entry in &queue.entries {
            // A freeze ends its group: what is behind it belongs to the next segment.
            count += 1;
            bytes += entry.head.len() + entry.lines.len();
            if bytes >= FRAME_BYTES || matches!(entry.effect, Effect::Freeze) {
                break;
            }
        }
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
            let length = entry.head.len() + entry.lines.len();
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
