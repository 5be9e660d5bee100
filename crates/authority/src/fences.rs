//! Fences: an act returns once every node acts by it.
//!
//! A node of its own applies the change, and that is all. Among others it waits until each lease in the catalog
//! acknowledges the revision, or is over: by its own stopwatch, a term and the drift after the change was committed,
//! every term that began before is over, and those that began since include the change.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rescind_catalog::NodeLease;
use rescind_domain::{NodeId, NodeReceipt, NodeState, Receipt, Revision};
use tokio::sync::Mutex;

use crate::closures::cause;
use crate::endings::Endings;
use crate::grants::TokenRef;
use crate::leases::{Leases, Shared};
use crate::node::Node;
use crate::terms::outlasting;
use crate::timers::{Instant, sleep, timeout};
use crate::waits::{Counted, Wait};
use crate::watches::Watch;
use crate::{Authority, Error};

/// How long after the first look at the leases they are looked at again, if no answer comes.
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// How often later, when no answer comes.
const LOOK: Duration = Duration::from_millis(50);

/// What fences that wait at the same time share: what one of them read.
#[derive(Default)]
pub(crate) struct Rounds {
    view: Mutex<Option<View>>,
}

/// What was last seen of the leases.
#[derive(Clone)]
struct View {
    /// When reading it began.
    began: Duration,
    nodes: Arc<Vec<NodeLease>>,
    /// Since when each lease has had its number, as far as this process saw.
    sightings: Arc<HashMap<NodeId, Sighting>>,
}

#[derive(Clone, Copy)]
struct Sighting {
    lease: i64,
    since: Duration,
}

/// What this node makes of a change that it has applied: it acts by it once `ended` has, too.
async fn applied_once(ended: impl Future<Output = ()>, wait: Wait) -> NodeState {
    match wait.bound(ended).await {
        Some(()) => NodeState::Applied {
            after: wait.began.elapsed(),
        },
        None => NodeState::Awaited,
    }
}

impl Authority {
    /// Waits until every node acts by `revision` and the work of `token` that was cut here has ended. Repeating it is
    /// harmless.
    pub(crate) async fn fence_off(
        &self,
        token: TokenRef,
        revision: Revision,
        wait: Wait,
    ) -> Result<Receipt, Error> {
        self.fence_when(self.grants().endings.wait(token), revision, wait)
            .await
    }

    /// Waits until every node acts by `revision`. Repeating it is harmless.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a node of its own cannot find this out. What was committed stays.
    pub(crate) async fn fence(&self, revision: Revision, wait: Wait) -> Result<Receipt, Error> {
        self.fence_when(std::future::ready(()), revision, wait).await
    }

    /// As [`Self::fence`]; this node acts by the revision once `ended` has, too, which begins when it is applied.
    pub(crate) async fn fence_when(
        &self,
        ended: impl Future<Output = ()>,
        revision: Revision,
        wait: Wait,
    ) -> Result<Receipt, Error> {
        self.node.fence(ended, revision, wait).await
    }

    /// Applies everything up to `revision` on this node.
    pub(crate) async fn catch_up(&self, revision: Revision) -> Result<(), Error> {
        self.node.catch_up(revision).await
    }
}

impl Node {
    /// Waits until every node acts by `revision`: this one once `ended` has, too, which begins when it is applied.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a node of its own cannot find this out. What was committed stays.
    pub(crate) async fn fence(
        &self,
        ended: impl Future<Output = ()>,
        revision: Revision,
        wait: Wait,
    ) -> Result<Receipt, Error> {
        let committed = self.stopwatch.elapsed();
        let mut watch = Watch::default();
        let _counted = Counted::begin();
        let own = match &self.leases {
            Leases::Sole => {
                self.catch_up(revision).await?;
                Some(applied_once(ended, wait).await)
            }
            Leases::Shared(shared) => {
                let others = self.outwait(shared, revision, committed, wait, &mut watch);
                let own = self.own_state(ended, revision, committed, wait);
                let (own, _) = tokio::join!(own, wait.bound(others));
                shared.admits.then_some(own)
            }
        };
        let waited = self.stopwatch.elapsed().saturating_sub(committed);
        let (mut nodes, mut left) = match &self.leases {
            Leases::Sole => (Vec::new(), None),
            Leases::Shared(_) => watch.told(waited),
        };
        if let Some(state) = own {
            if state == NodeState::Awaited {
                let longest = outlasting(self.info.ttl).max(Endings::PATIENCE);
                left = left.max(Some(longest.saturating_sub(waited)));
            }
            let node = self.info.name.clone();
            nodes.insert(0, NodeReceipt { node, state });
        }
        Ok(Receipt {
            revision,
            effective_at: left.is_none().then(|| self.clock.now()),
            took: wait.began.elapsed(),
            nodes,
            settled_within: left,
        })
    }

    /// What this node, among others, makes of `revision`, which was committed at `committed` at the latest. Where it
    /// cannot be read, its own lease runs out like those of others: whatever it renews later includes the change.
    async fn own_state(
        &self,
        ended: impl Future<Output = ()>,
        revision: Revision,
        committed: Duration,
        wait: Wait,
    ) -> NodeState {
        let over = outlasting(self.info.ttl);
        let applied = async {
            loop {
                let waited = self.stopwatch.elapsed().saturating_sub(committed);
                // Also where attempts fail at once: a deadline that has passed would not stop those.
                let Some(left) = over.checked_sub(waited).filter(|left| !left.is_zero()) else {
                    return false;
                };
                match timeout(left, self.in_time(self.catch_up(revision))).await {
                    Ok(Ok(())) => return true,
                    Ok(Err(error)) => {
                        tracing::warn!(cause = cause(&error), %revision, "a change that was made is not applied here yet");
                        sleep(LOOK).await;
                    }
                    Err(_) => return false,
                }
            }
        };
        match wait.bound(applied).await {
            Some(true) => applied_once(ended, wait).await,
            Some(false) => NodeState::Lapsed,
            None => NodeState::Awaited,
        }
    }

    /// Brings `revision` on its way to this node, as its commit did to others, and waits for none of them.
    pub(crate) async fn announce(&self, revision: Revision) {
        match &self.leases {
            Leases::Shared(shared) => shared.changed.notify_one(),
            Leases::Sole => {
                if let Err(error) = self.catch_up(revision).await {
                    let cause = cause(&error);
                    tracing::warn!(cause, %revision, "a change that was made is not applied here yet");
                }
            }
        }
    }

    /// Waits until every other lease acknowledges `revision`, which was committed at `committed` at the latest, or is
    /// over. Who holds one is read; that they acknowledge, most tell by themselves. What it has seen is in `watch`, however
    /// far it comes.
    async fn outwait(
        &self,
        shared: &Shared,
        revision: Revision,
        committed: Duration,
        wait: Wait,
        watch: &mut Watch,
    ) {
        let mut pause = FIRST_LOOK;
        let mut looked = None;
        loop {
            // Asked for before looking, so that an answer in between is not slept through.
            let acknowledged = shared.acknowledged.notified();
            let asked = self.stopwatch.elapsed();
            let Some(left) = watch.left(asked.saturating_sub(committed)) else {
                return;
            };
            let is_due = looked.is_none_or(|looked: Instant| looked.elapsed() >= pause);
            if is_due {
                if looked.is_some() {
                    pause = LOOK.min(2 * pause);
                }
                match timeout(left, self.in_time(self.look(shared, asked))).await {
                    Ok(Ok(leases)) => {
                        let waited = asked.saturating_sub(committed);
                        watch.note(&leases, self.info.id, revision, wait.began, waited);
                    }
                    Ok(Err(error)) => tracing::debug!(cause = cause(&error), "the leases were not read"),
                    Err(_) => {}
                }
                looked = Some(Instant::now());
            }
            watch.hear(&shared.answers.lock(), revision, wait.began);
            let waited = self.stopwatch.elapsed().saturating_sub(committed);
            if watch.left(waited).is_none() {
                return;
            }
            let again = pause.saturating_sub(looked.map_or(pause, |looked| looked.elapsed()));
            tokio::select! {
                biased;
                () = acknowledged => {}
                () = sleep(again) => {}
            }
        }
    }

    /// The leases, read at `asked` or later. Marks those that have kept their number for longer than their term: a dead
    /// node costs one term once, not every act.
    pub(crate) async fn look(&self, shared: &Shared, asked: Duration) -> Result<Arc<Vec<NodeLease>>, Error> {
        let mut view = shared.rounds.view.lock().await;
        if let Some(seen) = view.as_ref().filter(|seen| seen.began >= asked) {
            return Ok(Arc::clone(&seen.nodes));
        }
        let began = self.stopwatch.elapsed();
        let mut nodes = self.ledger.nodes().await?;
        let mut sightings = HashMap::new();
        for lease in &mut nodes {
            let id = lease.node.id;
            let former = view.as_ref().and_then(|seen| seen.sightings.get(&id));
            let sighting = former
                .filter(|sighting| sighting.lease == lease.lease)
                .copied()
                .unwrap_or(Sighting {
                    lease: lease.lease,
                    // Only now is it known that the lease has this number.
                    since: self.stopwatch.elapsed(),
                });
            sightings.insert(id, sighting);
            let is_over = self.stopwatch.elapsed() - sighting.since >= outlasting(lease.node.ttl);
            if !lease.is_lapsed && is_over && self.ledger.mark_lapsed(id, lease.lease).await? {
                metrics::counter!("rescind_nodes_lapsed_total").increment(1);
                tracing::warn!(node = lease.node.name, %id, "the lease of a node has lapsed");
                lease.is_lapsed = true;
            }
        }
        // Starts that are gone are never waited for again.
        shared
            .answers
            .lock()
            .retain(|node, _| sightings.contains_key(node));
        let nodes = Arc::new(nodes);
        *view = Some(View {
            began,
            nodes: Arc::clone(&nodes),
            sightings: Arc::new(sightings),
        });
        Ok(nodes)
    }
}

/// Notes how long a revocation took, through whichever face it came: the figure of this house. A wait that ended before
/// that is none.
pub(crate) fn note_took(receipt: &Receipt) {
    if !receipt.is_complete() {
        return;
    }
    metrics::histogram!("rescind_revoke_seconds").record(receipt.took.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::ledger::scripted::{Conduct, OWN, Script, Scripted, info};
    use crate::{Catalog, NodeSettings, Refusal, SessionLimits, Settings};
    use rescind_catalog::{Change, ChangeKind, Entry, Feed, Signal};
    use rescind_domain::{Action, Actor, Ask};
    use rescind_testkit::{FrozenClock, FrozenStopwatch, SeededRng};

    async fn authority(directory: &tempfile::TempDir) -> Arc<Authority> {
        let location = rescind_catalog::Location::Sqlite(directory.path().join("catalog.sqlite"));
        let catalog = Catalog::open(&location).await.expect("a catalog");
        let settings = Settings {
            node: NodeSettings::alone("node-1"),
            clock: Arc::new(FrozenClock::default()),
            stopwatch: Arc::new(FrozenStopwatch::default()),
            rng: Arc::new(SeededRng::new(1)),
            session_limits: SessionLimits::default(),
        };
        Authority::open(catalog, settings).await.expect("an authority")
    }

    #[tokio::test]
    async fn forgetting_applied_changes_disturbs_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = authority(&directory).await;
        let founding = authority
            .draw_up("ada@example.com".parse().expect("an address"))
            .expect("drawn up");
        let (secret, account) = (founding.secret.clone(), founding.account.id);
        authority.found(founding).await.expect("founded");
        authority.prune_changes(1).await;
        let feed = authority
            .catalog
            .changes_after(Revision::new(0), 10)
            .await
            .expect("read");
        assert_eq!(feed, Feed::Pruned);
        let caller = authority
            .authenticate(secret.expose().as_bytes())
            .expect("still known");
        let Actor::ManagementToken(own) = caller.actor() else {
            panic!("{caller:?}")
        };
        authority
            .revoke_management_token(&caller, account, own)
            .await
            .expect("revoked");
        assert_eq!(
            authority
                .authenticate(secret.expose().as_bytes())
                .expect_err("refused"),
            Refusal::Revoked
        );
    }

    /// G3: closed. What closed the node may be newer than what its next caller knows of.
    #[tokio::test]
    async fn a_closed_node_opens_only_with_everything_applied() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = authority(&directory).await;
        let founding = authority
            .draw_up("ada@example.com".parse().expect("an address"))
            .expect("drawn up");
        let (secret, account) = (founding.secret.clone(), founding.account.id);
        authority.found(founding).await.expect("founded");
        let known = authority.revision();
        let caller = authority.authenticate(secret.expose().as_bytes()).expect("known");
        let Actor::ManagementToken(own) = caller.actor() else {
            panic!("{caller:?}")
        };
        // A revocation is committed, and nobody applies it.
        let mut tx = authority.begin(None).await.expect("begun");
        let mut token = tx
            .management_token(account, own)
            .await
            .expect("read")
            .expect("there");
        token.state = token.state.revoke(tx.now()).expect("active");
        tx.update_management_token(&token).await.expect("updated");
        let entry = Entry {
            actor: Actor::System,
            account,
            act: rescind_domain::Act::ManagementTokenRevoke,
            subject: own.to_string(),
            details: Vec::new(),
            changes: vec![ChangeKind::ManagementToken(own)],
        };
        authority.commit(tx, entry).await.expect("committed");
        authority.node.doubt_now();
        authority.catch_up(known).await.expect("caught up");
        assert_eq!(
            authority
                .authenticate(secret.expose().as_bytes())
                .expect_err("refused"),
            Refusal::Revoked
        );
    }

    /// G3: closed. Not even a malformed token is told anything but "cannot know".
    #[tokio::test]
    async fn a_node_that_may_have_missed_a_change_admits_and_refuses_nobody() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = authority(&directory).await;
        let database = "a".parse().expect("a name");
        let ask = Ask {
            action: Action::Read,
            database: &database,
        };
        assert_ne!(
            authority.admit(b"garbage", ask).expect_err("refused"),
            Refusal::Unavailable
        );
        authority.node.doubt_now();
        assert_eq!(
            authority.admit(b"garbage", ask).expect_err("closed"),
            Refusal::Unavailable
        );
        assert_eq!(
            authority.authenticate(b"garbage").expect_err("closed"),
            Refusal::Unavailable
        );
        authority.recover().await;
        assert_ne!(
            authority.admit(b"garbage", ask).expect_err("refused"),
            Refusal::Unavailable
        );
    }

    /// G3: closed. A catalog that goes away between the commit and the fence leaves the node closed.
    #[tokio::test]
    async fn a_fence_that_fails_closes_the_node() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = authority(&directory).await;
        authority.catalog.close().await;
        let failed = authority
            .fence(Revision::new(authority.revision().get() + 1), Wait::to_the_end())
            .await;
        assert!(matches!(failed, Err(Error::Unavailable(_))));
        assert!(!authority.is_current());
        authority.recover().await;
        assert!(!authority.is_current(), "the catalog is still away");
    }

    const TTL: Duration = Duration::from_secs(5);

    fn row(id: u8, lease: i64, applied: i64) -> NodeLease {
        NodeLease {
            node: info(NodeId::from_bytes([id; 16]), TTL),
            applied: Revision::new(applied),
            lease,
            is_lapsed: false,
            has_left: false,
            joined_at: rescind_domain::Timestamp::from_micros(0),
            renewed_at: rescind_domain::Timestamp::from_micros(0),
        }
    }

    fn shared(node: &Node) -> &Shared {
        match &node.leases {
            Leases::Shared(shared) => shared,
            Leases::Sole => unreachable!("made so"),
        }
    }

    async fn fence(node: &Node) -> Receipt {
        let fencing = node.fence(std::future::ready(()), Revision::new(0), Wait::to_the_end());
        let fenced = tokio::time::timeout(Duration::from_secs(20), fencing).await;
        fenced.expect("it ends").expect("known")
    }

    /// Looks that fail keep no fence from finding out what was acknowledged.
    #[tokio::test]
    async fn a_fence_goes_on_looking() {
        let script = Script {
            failing_looks: 2,
            nodes: vec![row(1, 1, 0), row(2, 1, 0)],
            ..Script::default()
        };
        let (ledger, node) = Scripted::node(script, TTL);
        let receipt = fence(&node).await;
        assert!(receipt.is_complete());
        let names: Vec<_> = receipt.nodes.iter().map(|node| node.node.as_str()).collect();
        assert_eq!(names, ["node-1", "node-2"]);
        assert_eq!(ledger.count("look"), 3);
    }

    /// What a node tells by itself is enough, although its row does not say so yet; less than what is waited for is not.
    #[tokio::test]
    async fn who_answers_is_not_looked_for() {
        let script = Script {
            changes: vec![Change {
                revision: Revision::new(7),
                what: ChangeKind::DatabaseToken(rescind_domain::DatabaseTokenId::from_bytes([3; 16])),
                is_gone: true,
            }],
            nodes: vec![row(1, 1, 7), row(2, 1, 5), row(3, 1, 5)],
            ..Script::default()
        };
        let (ledger, node) = Scripted::node(script, TTL);
        let is_over = AtomicBool::new(false);
        let applied = |id, through| Signal::Applied {
            node: NodeId::from_bytes([id; 16]),
            through: Revision::new(through),
        };
        let answering = async {
            while ledger.count("look") == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            shared(&node).tell(applied(2, 8));
            shared(&node).tell(applied(3, 6));
            tokio::time::sleep(2 * FIRST_LOOK).await;
            assert!(!is_over.load(Ordering::Relaxed), "one of them acts by less");
            shared(&node).tell(applied(3, 7));
        };
        let fencing = async {
            let ready = std::future::ready(());
            let fenced = node.fence(ready, Revision::new(7), Wait::to_the_end()).await;
            is_over.store(true, Ordering::Relaxed);
            fenced
        };
        let both = async { tokio::join!(fencing, answering).0 };
        let fenced = tokio::time::timeout(Duration::from_secs(20), both).await;
        let receipt = fenced.expect("it ends").expect("known");
        assert!(receipt.is_complete(), "{receipt:?}");
    }

    /// Attempts that fail at once are no reason to go on for ever: the node's own lease runs out like any other.
    #[tokio::test]
    async fn a_node_that_cannot_read_its_own_change_stops_by_itself() {
        let script = Script {
            reading: Conduct::Fails,
            takes: Duration::from_secs(2),
            ..Script::default()
        };
        let (_, node) = Scripted::node(script, TTL);
        let receipt = fence(&node).await;
        assert_eq!(receipt.nodes[0].state, NodeState::Lapsed);
    }

    #[tokio::test]
    async fn a_lease_lapses_when_it_kept_its_number_for_a_term_and_the_drift() {
        let script = Script {
            nodes: vec![row(2, 7, 0)],
            ..Script::default()
        };
        let (ledger, node) = Scripted::node(script, TTL);
        let look = async || {
            let nodes = node.look(shared(&node), node.stopwatch.elapsed()).await;
            nodes.expect("read")[0].is_lapsed
        };
        assert!(!look().await);
        ledger
            .stopwatch
            .advance(outlasting(TTL) - Duration::from_nanos(1));
        assert!(!look().await);
        ledger.script.lock().nodes[0].lease = 8;
        ledger.stopwatch.advance(Duration::from_nanos(1));
        assert!(!look().await, "it was renewed");
        ledger.stopwatch.advance(outlasting(TTL));
        assert!(look().await);
        assert_eq!(ledger.count("mark"), 1);
        assert_eq!(ledger.count("mark 8"), 1);
    }

    #[tokio::test]
    async fn those_who_look_at_the_same_time_share_what_one_of_them_reads() {
        let (ledger, node) = Scripted::node(Script::default(), TTL);
        let asked = node.stopwatch.elapsed();
        for _ in 0..3 {
            node.look(shared(&node), asked).await.expect("read");
        }
        assert_eq!(ledger.count("look"), 1);
        ledger.stopwatch.advance(Duration::from_nanos(1));
        node.look(shared(&node), node.stopwatch.elapsed())
            .await
            .expect("read");
        assert_eq!(
            ledger.count("look"),
            2,
            "what was read before one asked proves nothing"
        );
        assert_eq!(node.info.id, OWN);
    }
}
