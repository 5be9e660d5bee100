//! Receipts in the audit log: what became of a revocation on every node, as an event of its own.
//!
//! They are written behind the acts, many in one transaction, so that no revocation waits for its receipt to be kept.
//! What was not written when the process is killed is lost: the receipt, never the revocation or its event.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rescind_catalog::Entry;
use rescind_domain::{
    AccountId, Act, Actor, NodeReceipt, NodeState, Receipt, Revision, Subject, UserId, Verb,
};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::closures::cause;
use crate::databases::pair;
use crate::fences::note_took;
use crate::waits::Wait;
use crate::{Authority, Caller, Error};

/// Receipts that are not in the audit log yet.
pub(crate) struct Receipts {
    waiting: Mutex<Waiting>,
    noted: Notify,
    /// Held by every fence that goes on after its caller's patience has ended.
    outstanding: Arc<Semaphore>,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    /// How many found no room.
    lost: u64,
}

/// Whose receipt it is, in the audit log.
#[derive(Debug, Clone)]
pub(crate) struct Revoked {
    pub(crate) actor: Actor,
    pub(crate) account: AccountId,
    /// The receipt's own act.
    pub(crate) act: Act,
    /// The id of what was revoked; `None` for several things at once, which have their revision in common.
    pub(crate) subject: Option<String>,
}

/// More are not kept while the catalog is away: some ten megabytes.
const MOST_WAITING: usize = 20_000;
/// So many share a transaction, which others wait for.
const AT_ONCE: usize = 500;
/// How long receipts gather before they are written.
const GATHERING: Duration = Duration::from_secs(1);
/// So many incomplete receipts are completed at the same time.
const MOST_OUTSTANDING: usize = 10_000;
/// So many nodes are named in an event, those that did not apply the change first.
const MOST_NAMED: usize = 100;

impl Default for Receipts {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            noted: Notify::new(),
            outstanding: Arc::new(Semaphore::new(MOST_OUTSTANDING)),
        }
    }
}

impl Revoked {
    /// A user that the caller shut out.
    pub(crate) fn user(caller: &Caller, id: UserId) -> Self {
        Self {
            actor: caller.actor(),
            account: caller.account(),
            act: Act::UserReceipt,
            subject: Some(id.to_string()),
        }
    }

    fn note_took(&self, receipt: &Receipt) {
        if self.act != Act::UserReceipt {
            note_took(receipt);
        }
    }
}

impl Receipts {
    fn note(&self, entry: Entry) {
        let mut waiting = self.waiting.lock();
        match waiting.entries.len() < MOST_WAITING {
            true => waiting.entries.push_back(entry),
            false => waiting.lost += 1,
        }
        self.noted.notify_one();
    }

    fn take(&self) -> Vec<Entry> {
        let mut waiting = self.waiting.lock();
        let lost = mem::take(&mut waiting.lost);
        if lost > 0 {
            tracing::warn!(
                lost,
                "receipts of revocations were not kept in the audit log: too many waited"
            );
        }
        let some = waiting.entries.len().min(AT_ONCE);
        waiting.entries.drain(..some).collect()
    }

    fn put_back(&self, entries: Vec<Entry>) {
        let mut waiting = self.waiting.lock();
        for entry in entries.into_iter().rev() {
            waiting.entries.push_front(entry);
        }
    }
}

impl Authority {
    /// Notes the receipt of a revocation. If it is not complete, the wait goes on behind the caller's back, and what comes
    /// of it is a receipt of its own.
    pub(crate) fn note_receipt(self: &Arc<Self>, revoked: Revoked, receipt: &Receipt, wait: Wait) {
        revoked.note_took(receipt);
        self.receipts.note(entry(&revoked, receipt));
        if receipt.is_complete() {
            return;
        }
        let Ok(outstanding) = Arc::clone(&self.receipts.outstanding).try_acquire_owned() else {
            return;
        };
        let (this, revision) = (Arc::clone(self), receipt.revision);
        tokio::spawn(async move {
            let ended = this.settling(revision);
            match this.fence_when(ended, revision, wait.to_its_end()).await {
                Ok(receipt) => {
                    revoked.note_took(&receipt);
                    this.receipts.note(entry(&revoked, &receipt));
                }
                Err(error) => tracing::warn!(cause = cause(&error), %revision, "a receipt was not completed"),
            }
            drop(outstanding);
        });
    }

    /// Waits again, as long as the caller does, until every node acts by `revision` and the work that it cut here has ended:
    /// for whoever did not wait so long when it was made.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a revision that was not made yet, and what every read may return.
    pub async fn wait_again(&self, caller: &Caller, revision: Revision) -> Result<Receipt, Error> {
        caller.check(caller.account(), Verb::Read, Subject::Node)?;
        let wait = caller.wait();
        if revision > self.catalog.revision_in_turn().await? {
            return Err(Error::not_found("revision", revision));
        }
        self.fence_when(self.settling(revision), revision, wait).await
    }

    /// Waits until every node acts by all that was done so far: for whoever finds nothing left to do, because it was done a
    /// moment ago and whoever did it may be waiting yet.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn wait_for_nodes(&self, caller: &Caller) -> Result<Receipt, Error> {
        let wait = caller.wait();
        let revision = self.catalog.revision_in_turn().await?;
        self.fence_when(self.settling(revision), revision, wait).await
    }

    /// Waits for all work that changes up to `revision` cut here, not that of one token alone.
    async fn settling(&self, revision: Revision) {
        while self.grants().settled() < revision {
            tokio::time::sleep(SETTLING).await;
        }
    }

    /// Writes receipts down, a moment after they came, until `shutdown`.
    pub(crate) async fn keep_receipts(&self, shutdown: &CancellationToken) {
        loop {
            let gathering = async {
                self.receipts.noted.notified().await;
                tokio::time::sleep(GATHERING).await;
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = gathering => {}
            }
            // To its end: what is taken to be written would be lost half-way.
            if !self.write_receipts().await {
                self.receipts.noted.notify_one();
            }
        }
    }

    /// Writes every receipt down that waits; whether all of them are done with.
    pub(crate) async fn write_receipts(&self) -> bool {
        loop {
            let entries = self.receipts.take();
            if entries.is_empty() {
                return true;
            }
            let tx = match self.begin(None).await {
                Ok(tx) => tx,
                Err(error) => {
                    tracing::debug!(
                        cause = cause(&error),
                        "receipts are not kept in the audit log yet"
                    );
                    self.receipts.put_back(entries);
                    return false;
                }
            };
            let receipts = entries.len();
            // Once only: nobody knows whether a commit was made whose answer is lost.
            match tx.commit_all(entries).await {
                Ok(_) => tracing::debug!(receipts, "kept in the audit log"),
                Err(error) => tracing::warn!(
                    cause = cause(&error.into()),
                    receipts,
                    "receipts may be missing in the audit log"
                ),
            }
        }
    }
}

/// How long to wait before asking again whether work that was cut has ended.
const SETTLING: Duration = Duration::from_millis(10);

fn entry(revoked: &Revoked, receipt: &Receipt) -> Entry {
    let revision = receipt.revision.to_string();
    let mut details = vec![pair("revision", &revision)];
    if let Some(at) = receipt.effective_at {
        details.push(pair("effective_at", at.to_rfc3339(3)));
    }
    details.push(pair("took_ms", receipt.took.as_millis()));
    if let Some(within) = receipt.settled_within {
        details.push(pair("settled_within_ms", within.as_millis()));
    }
    details.push(pair("nodes", in_words(&receipt.nodes)));
    Entry {
        actor: revoked.actor,
        account: revoked.account,
        act: revoked.act,
        subject: revoked.subject.clone().unwrap_or(revision),
        details,
        changes: Vec::new(),
    }
}

/// `node-1 applied 3 ms, node-2 lapsed, node-3 awaited`.
fn in_words(nodes: &[NodeReceipt]) -> String {
    let mut named: Vec<_> = nodes.iter().collect();
    if named.len() > MOST_NAMED {
        named.sort_by_key(|node| match node.state {
            NodeState::Awaited => 0,
            NodeState::Lapsed => 1,
            NodeState::Applied { .. } => 2,
        });
        named.truncate(MOST_NAMED);
    }
    let one = |node: &&NodeReceipt| match node.state {
        NodeState::Applied { after } => format!("{} applied {} ms", node.node, after.as_millis()),
        NodeState::Lapsed => format!("{} lapsed", node.node),
        NodeState::Awaited => format!("{} awaited", node.node),
    };
    let mut words: Vec<String> = named.iter().map(one).collect();
    match nodes.len() - words.len() {
        0 => {}
        more => words.push(format!("and {more} more")),
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry_of(number: usize) -> Entry {
        Entry {
            actor: Actor::System,
            account: AccountId::from_bytes([1; 16]),
            act: Act::DatabaseTokenReceipt,
            subject: number.to_string(),
            details: Vec::new(),
            changes: Vec::new(),
        }
    }

    #[test]
    fn what_waits_is_bounded_and_keeps_its_order() {
        let receipts = Receipts::default();
        for number in 0..MOST_WAITING + 3 {
            receipts.note(entry_of(number));
        }
        let first = receipts.take();
        assert_eq!((first.len(), first[0].subject.as_str()), (AT_ONCE, "0"));
        receipts.put_back(first);
        let mut taken = 0;
        loop {
            let some = receipts.take();
            if some.is_empty() {
                break;
            }
            assert_eq!(some[0].subject, taken.to_string());
            taken += some.len();
        }
        assert_eq!(taken, MOST_WAITING);
    }

    #[test]
    fn of_very_many_nodes_the_awaited_ones_are_named() {
        let node = |number: usize| NodeReceipt {
            node: format!("node-{number}"),
            state: match number {
                999 => NodeState::Awaited,
                _ => NodeState::Applied {
                    after: Duration::ZERO,
                },
            },
        };
        let nodes: Vec<_> = (0..1_000).map(node).collect();
        let words = in_words(&nodes);
        assert!(
            words.starts_with("node-999 awaited, node-0 applied 0 ms, "),
            "{words}"
        );
        assert!(words.ends_with(", and 900 more"), "{words}");
    }
}
