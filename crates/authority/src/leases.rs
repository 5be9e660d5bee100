//! Leases: this node's right to admit for one term after another, where others act on the same catalog.
//!
//! The order is what makes it safe. A renewal is committed first; only a statement that begins after it reads the changes;
//! only when these are applied does the new term count, and it counts from the moment before the renewal was sent. A change
//! that is committed before the read is applied by then; one that is committed after it finds the renewed lease in the
//! catalog and waits for it.
//!
//! Acknowledging is quicker: as soon as a signal says that there are changes, the node applies them and says so, which
//! renews nothing.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::time::Duration;

use parking_lot::Mutex;
use rescind_catalog::{Catalog, FeedPlace, Signal, Transaction};
use rescind_domain::{NodeId, Revision};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::closures::{Closure, cause, closure_of};
use crate::fences::Rounds;
use crate::node::Node;
use crate::timers::{sleep, timeout};

/// Who else acts on the catalog.
pub(crate) enum Leases {
    /// Nobody: the catalog is this process's own.
    Sole,
    /// Other nodes may.
    Shared(Box<Shared>),
}

/// What a node among others needs.
pub(crate) struct Shared {
    /// Whether this process admits at all; one that only acts takes no lease.
    pub(crate) admits: bool,
    /// A change was committed somewhere, or applied here: read the feed and acknowledge.
    pub(crate) changed: Notify,
    /// Who waits to be told that this node acts by what was committed.
    askers: Mutex<BTreeSet<NodeId>>,
    /// Another node told what it acts by, or that may have been missed.
    pub(crate) acknowledged: Notify,
    /// What others told so. It is true of that start of a node for ever, whatever the catalog forgets.
    pub(crate) answers: Mutex<HashMap<NodeId, Revision>>,
    /// What fences that wait at the same time share.
    pub(crate) rounds: Rounds,
}

impl Shared {
    pub(crate) fn new(admits: bool) -> Self {
        Self {
            admits,
            changed: Notify::new(),
            askers: Mutex::default(),
            answers: Mutex::default(),
            acknowledged: Notify::new(),
            rounds: Rounds::default(),
        }
    }
}

/// A lease is renewed so many times within a term.
const RENEWALS_PER_TERM: u32 = 3;
/// How long to wait before a renewal that failed is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// How long to wait before asking again whether work that was cut has ended.
const SETTLING: Duration = Duration::from_millis(2);
/// How long a node that ends tries to give its lease up: it lapses by itself.
const GIVING_UP: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
#[error("the catalog did not answer within {0:?}")]
struct Late(Duration);

impl Node {
    /// Renews the lease once and applies what is new. Afterwards the node may admit for another term.
    ///
    /// # Errors
    /// The catalog is away, or too slow: whatever comes of this renewal, the present term is all there is.
    pub(crate) async fn renew(&self) -> Result<(), Error> {
        self.ensure_followable()?;
        let ttl = self.info.ttl;
        let asked = self.stopwatch.elapsed();
        let renewal = async {
            let applied = FeedPlace {
                revision: self.grants.settled(),
                ..self.seen()
            };
            let now = self.clock.now();
            if !self.ledger.renew(self.info.id, applied, now).await? {
                // The time since this machine booted outgrows a count of renewals.
                let number = i64::try_from(asked.as_micros()).unwrap_or(i64::MAX);
                let joined = self.ledger.join(&self.info, number, applied, now).await;
                joined.map_err(|error| self.heed(error))?;
            }
            self.follow().await
        };
        self.in_time(renewal).await?;
        self.term.extend(asked, ttl);
        Ok(())
    }

    /// Keeps the lease and acknowledges changes until `shutdown`, then gives the lease up, so that nobody waits for this
    /// node.
    pub(crate) async fn keep_lease(&self, shared: &Shared, shutdown: &CancellationToken) {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = self.keep_renewing(shared) => {}
            () = self.keep_acknowledging(shared) => {}
        }
        self.term.end();
        let left = async { Ok(self.ledger.leave(self.info.id).await?) };
        if let Err(error) = within(GIVING_UP.min(self.info.ttl / 2), left).await {
            let cause = cause(&error);
            tracing::warn!(cause, "the lease was not given up; it lapses by itself");
        }
    }

    async fn keep_renewing(&self, shared: &Shared) {
        let pause = self.info.ttl / RENEWALS_PER_TERM;
        // Why it fails, as far as that was told.
        let mut told: Vec<Closure> = Vec::new();
        let mut is_away = false;
        loop {
            let renewed = match self.prepare(is_away).await {
                Ok(()) => self.renew().await,
                Err(error) => Err(error),
            };
            self.obstacle.note(renewed.as_ref().copied().map_err(closure_of));
            match &renewed {
                Ok(()) if is_away => {
                    tracing::info!(revision = %self.revision(), "caught up with the catalog; admitting again");
                    told.clear();
                }
                Ok(()) => {}
                Err(error) => {
                    metrics::counter!("rescind_lease_renewal_failures_total").increment(1);
                    let why = closure_of(error);
                    if !told.contains(&why) {
                        tracing::warn!(cause = cause(error), "the lease was not renewed");
                        told.push(why);
                    }
                }
            }
            is_away = renewed.is_err();
            // What the renewal brought with it wants to be acknowledged.
            shared.changed.notify_one();
            sleep(if is_away { RETRY.min(pause) } else { pause }).await;
        }
    }

    /// Catches up outside of any term, and within one after a renewal that failed. Nobody need wait for a node that does
    /// not renew; for one that renews and cannot follow, every act would.
    async fn prepare(&self, has_failed: bool) -> Result<(), Error> {
        // However long it takes.
        self.load_if_behind().await?;
        if self.term.holds() && !has_failed {
            return Ok(());
        }
        self.in_time(self.follow()).await
    }

    async fn keep_acknowledging(&self, shared: &Shared) {
        let mut acknowledged = self.grants.settled();
        // Who waits for more than was acknowledged when they asked.
        let mut askers = BTreeSet::new();
        // Whether somebody has asked since.
        let mut is_asked = false;
        loop {
            let is_settled = acknowledged >= self.revision();
            let done = tokio::select! {
                biased;
                () = shared.changed.notified() => {
                    // What they wait for was committed before, and so is in what is read now.
                    let mut asking = mem::take(&mut *shared.askers.lock());
                    asking.remove(&self.info.id);
                    is_asked |= !asking.is_empty();
                    askers.extend(asking);
                    self.in_time(self.follow()).await
                }
                () = sleep(SETTLING), if !is_settled => Ok(()),
            };
            let settled = self.grants.settled();
            let done = match done {
                Ok(()) if settled > acknowledged || is_asked => {
                    let told: Vec<NodeId> = askers.iter().copied().collect();
                    self.in_time(self.acknowledge(settled, &told)).await
                }
                other => other,
            };
            match done {
                Ok(()) => {
                    (acknowledged, is_asked) = (settled, false);
                    if settled >= self.revision() {
                        askers.clear();
                    }
                }
                Err(error) => {
                    tracing::debug!(cause = cause(&error), "changes were not acknowledged");
                    sleep(RETRY).await;
                    // The signal is used up, and the next renewal may be long in coming.
                    shared.changed.notify_one();
                }
            }
        }
    }

    /// Lets this node be answered by those that act by what the transaction changes, if it listens.
    pub(crate) fn asking(&self, act: Transaction) -> Transaction {
        match &self.leases {
            Leases::Shared(shared) if shared.admits => act.asked_by(self.info.id),
            _ => act,
        }
    }

    async fn acknowledge(&self, settled: Revision, askers: &[NodeId]) -> Result<(), Error> {
        Ok(self.ledger.acknowledge(self.info.id, settled, askers).await?)
    }

    /// What takes longer than half a term is given up: most likely its connection is dead, and another attempt may still
    /// come in time for the present term.
    pub(crate) async fn in_time<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        within(self.info.ttl / 2, work).await
    }
}

/// What takes longer has failed.
async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(patience, work)
        .await
        .unwrap_or_else(|_| Err(Error::Unavailable(Box::new(Late(patience)))))
}

/// Hands signals of the catalog on to who waits for them, until `shutdown`. They make things quick; nothing relies on them.
pub(crate) async fn hear(catalog: &Catalog, node: NodeId, shared: &Shared, shutdown: &CancellationToken) {
    let hearing = async {
        let mut is_told = false;
        loop {
            let error = match catalog.signals(node).await {
                Ok(None) => return,
                Ok(Some(mut signals)) => {
                    is_told = false;
                    loop {
                        match signals.next().await {
                            Ok(signal) => shared.tell(signal),
                            Err(error) => break error,
                        }
                    }
                }
                Err(error) => error,
            };
            if !is_told {
                let cause = cause(&error.into());
                tracing::warn!(
                    cause,
                    "signals of the catalog cannot be heard; asking for changes instead"
                );
                is_told = true;
            }
            shared.tell(Signal::Lost);
            sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = hearing => {}
    }
}

impl Shared {
    pub(crate) fn tell(&self, signal: Signal) {
        match signal {
            Signal::Changed { asker } => {
                self.askers.lock().extend(asker);
                self.changed.notify_one();
            }
            Signal::Applied { node, through } => {
                let mut answers = self.answers.lock();
                let answer = answers.entry(node).or_insert(through);
                *answer = through.max(*answer);
                drop(answers);
                self.acknowledged.notify_waiters();
            }
            Signal::Lost => {
                // A server that took the other's place may have forgotten what they were answers to.
                self.answers.lock().clear();
                self.changed.notify_one();
                self.acknowledged.notify_waiters();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rescind_catalog::{Change, ChangeKind};
    use rescind_domain::{
        ClusterId, DatabaseGrant, DatabaseTokenId, Permissions, SecretHash, Stopwatch as _,
    };

    use super::*;
    use crate::grants::Grant;
    use crate::ledger::scripted::{Conduct, OWN, Script, Scripted};

    const TTL: Duration = Duration::from_secs(5);
    const TOKEN: DatabaseTokenId = DatabaseTokenId::from_bytes([3; 16]);

    fn revoked_at(revision: i64) -> Change {
        Change {
            revision: Revision::new(revision),
            what: ChangeKind::DatabaseToken(TOKEN),
            is_gone: true,
        }
    }

    /// Waits until the ledger was asked for `what`.
    async fn asked(ledger: &Scripted, what: &str) {
        asked_times(ledger, what, 1).await;
    }

    async fn asked_times(ledger: &Scripted, what: &str, times: usize) {
        let waiting = async {
            while ledger.count(what) < times {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .unwrap_or_else(|_| panic!("never asked to {what}: {:?}", ledger.script.lock().asked));
    }

    fn shared(node: &Node) -> &Shared {
        match &node.leases {
            Leases::Shared(shared) => shared,
            Leases::Sole => unreachable!("made so"),
        }
    }

    /// Keeps the lease for as long as `meanwhile` lasts.
    async fn keeping(node: &Node, meanwhile: impl Future<Output = ()>) {
        let shutdown = CancellationToken::new();
        let meanwhile = async {
            meanwhile.await;
            shutdown.cancel();
        };
        tokio::join!(node.keep_lease(shared(node), &shutdown), meanwhile);
    }

    #[tokio::test]
    async fn a_term_counts_from_before_the_renewal_and_only_once_its_changes_are_applied() {
        let script = Script {
            changes: vec![revoked_at(1)],
            takes: Duration::from_millis(300),
            ..Script::default()
        };
        let (ledger, node) = Scripted::node(script, TTL);
        node.renew().await.expect("renewed");
        assert_eq!(ledger.script.lock().asked, ["renew at 0", "changes after 0"]);
        assert_eq!(node.revision(), Revision::new(1));
        let passed = ledger.stopwatch.elapsed();
        assert_eq!(passed, Duration::from_millis(600));
        assert_eq!(node.term.left(), Some(Duration::from_millis(4_950) - passed));
    }

    #[tokio::test]
    async fn a_lease_that_lapsed_is_begun_anew_before_changes_are_read() {
        let script = Script {
            is_lapsed: true,
            ..Script::default()
        };
        let (ledger, node) = Scripted::node(script, TTL);
        node.renew().await.expect("renewed");
        let asked = ledger.script.lock().asked.clone();
        assert_eq!(asked, ["renew at 0", "join at 0", "changes after 0"]);
        assert!(node.term.holds());
    }

    #[tokio::test]
    async fn a_renewal_that_fails_half_way_extends_nothing() {
        for (renewing, reading) in [
            (Conduct::Fails, Conduct::Answers),
            (Conduct::Answers, Conduct::Fails),
            (Conduct::Hangs, Conduct::Answers),
            (Conduct::Answers, Conduct::Hangs),
        ] {
            let script = Script {
                renewing,
                reading,
                ..Script::default()
            };
            let (_, node) = Scripted::node(script, Duration::from_millis(40));
            let failed = node.renew().await.expect_err("not renewed");
            assert!(matches!(failed, Error::Unavailable(_)), "{failed:?}");
            assert!(!node.term.holds());
        }
    }

    /// G2: cut. Others are told only once the work that was cut has ended.
    #[tokio::test]
    async fn changes_are_acknowledged_once_what_they_cut_has_ended() {
        let (ledger, node) = Scripted::node(Script::default(), TTL);
        let hash = SecretHash::from_bytes([3; 64]);
        let grant = DatabaseGrant {
            token: TOKEN,
            cluster: ClusterId::from_bytes([9; 16]),
            permissions: Arc::new(Permissions::new([]).expect("few")),
            expires_at: None,
        };
        node.grants.put(&hash, Grant::Database(grant), None);
        let running = node.grants.find(&hash).expect("known");
        keeping(&node, async {
            asked(&ledger, "changes after").await;
            ledger.script.lock().changes.push(revoked_at(1));
            shared(&node).tell(Signal::Changed { asker: None });
            running.cut().await;
            assert_eq!(ledger.count("acknowledge"), 0);
            drop(running);
            asked(&ledger, "acknowledge 1").await;
        })
        .await;
        assert_eq!(ledger.count("leave"), 1);
        assert!(!node.term.holds(), "nobody waits for it any more");
    }

    /// Whoever asks is told, also of what was acknowledged before, and until everything is.
    #[tokio::test]
    async fn who_waits_for_an_acknowledgement_is_told_of_it() {
        let (ledger, node) = Scripted::node(Script::default(), TTL);
        let shutdown = CancellationToken::new();
        let ask = |id| {
            let asker = Some(NodeId::from_bytes([id; 16]));
            shared(&node).tell(Signal::Changed { asker });
        };
        let work = async {
            asked(&ledger, "changes after").await;
            ledger.script.lock().changes.push(revoked_at(1));
            ask(7);
            asked(&ledger, "acknowledge 1 to [7]").await;
            ledger.script.lock().acknowledging = Conduct::Fails;
            ask(8);
            asked(&ledger, "acknowledge 1 to [8]").await;
            ledger.script.lock().acknowledging = Conduct::Answers;
            asked_times(&ledger, "acknowledge 1 to [8]", 2).await;
            ledger.script.lock().changes.push(revoked_at(2));
            // Itself it need not tell.
            ask(OWN.to_bytes()[0]);
            asked(&ledger, "acknowledge 2 to []").await;
            shutdown.cancel();
        };
        tokio::join!(node.keep_lease(shared(&node), &shutdown), work);
    }

    #[tokio::test]
    async fn a_catalog_that_does_not_answer_keeps_no_node_from_ending() {
        let script = Script {
            leaving: Conduct::Hangs,
            ..Script::default()
        };
        let (_, node) = Scripted::node(script, Duration::from_millis(40));
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        let ending = node.keep_lease(shared(&node), &shutdown);
        tokio::time::timeout(Duration::from_secs(20), ending)
            .await
            .expect("ended");
    }

    /// Every act would wait for it: it renews, and never gets to know what they did.
    #[tokio::test]
    async fn a_node_that_cannot_follow_renews_no_more_also_while_its_term_runs() {
        let (ledger, node) = Scripted::node(Script::default(), Duration::from_millis(90));
        node.renew().await.expect("renewed");
        ledger.script.lock().reading = Conduct::Fails;
        keeping(&node, async {
            // The first renewal finds out.
            asked_times(&ledger, "renew", 2).await;
            let read = ledger.count("changes after");
            asked_times(&ledger, "changes after", read + 10).await;
            assert!(node.term.holds(), "by its stopwatch, which stands still");
            assert_eq!(ledger.count("renew"), 2);
            ledger.script.lock().reading = Conduct::Answers;
            asked_times(&ledger, "renew", 3).await;
        })
        .await;
    }

    #[tokio::test]
    async fn a_signal_is_followed_up_again_if_that_failed() {
        // The next renewal is a long time away.
        let (ledger, node) = Scripted::node(Script::default(), Duration::from_secs(3_600));
        keeping(&node, async {
            // Before the renewal, after it, and for what it may have brought.
            asked_times(&ledger, "changes after", 3).await;
            {
                let mut script = ledger.script.lock();
                script.changes.push(revoked_at(1));
                script.reading = Conduct::Fails;
            }
            shared(&node).tell(Signal::Changed { asker: None });
            asked_times(&ledger, "changes after", 4).await;
            ledger.script.lock().reading = Conduct::Answers;
            asked(&ledger, "acknowledge 1").await;
        })
        .await;
        assert_eq!(ledger.count("renew"), 1);
    }
}
