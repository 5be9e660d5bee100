//! The node: what this process needs to admit requests, and how it stays current.
//!
//! Tables in memory are brought up to date from the feed of changes, in order. Where other nodes act on the same catalog,
//! the node admits only during a term of its lease (`leases`), and acts wait for all of them (`fences`).

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rescind_catalog::{
    AuditPlace, Change, ChangeKind, Feed, FeedPlace, Grant as CatalogGrant, LoadedGrant, NodeInfo,
};
use rescind_domain::{Clock, Revision, Stopwatch};

use crate::Error;
#[cfg(debug_assertions)]
use crate::Sabotage;
use crate::directory::Directory;
use crate::grants::{Grant, GrantTable, TokenRef};
use crate::leases::Leases;
use crate::ledger::Ledger;
use crate::loading::Obstacle;
use crate::terms::Term;
use crate::token_index::TokenIndex;

/// Everything that admission reads, and what keeps it current.
pub(crate) struct Node {
    pub(crate) info: NodeInfo,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stopwatch: Arc<dyn Stopwatch>,
    pub(crate) grants: GrantTable,
    pub(crate) directory: Directory,
    pub(crate) token_index: TokenIndex,
    pub(crate) leases: Leases,
    /// Shared with every entry of the grant table, without counting: there is one as long as the process lives.
    pub(crate) term: &'static Term,
    /// Held by whoever brings the tables up to date: revisions are applied in order.
    pub(crate) applying: tokio::sync::Mutex<Applying>,
    /// Where the audit log was when the catalog was last read: a catalog that does not hold it went back.
    audit: Mutex<AuditPlace>,
    /// Whether following is of no use any more.
    pub(crate) obstacle: Obstacle,
    /// Whether the tables hold everything that this process may have committed (promise G3).
    is_certain: AtomicBool,
    #[cfg(debug_assertions)]
    sabotage: Option<Sabotage>,
}

/// What the one who applies knows.
#[derive(Debug, Default)]
pub(crate) struct Applying {
    /// Up to where the revision after that of the tables is applied: a large one takes several rounds, and none is done
    /// twice because one of them failed or took too long.
    pub(crate) within: Option<ChangeKind>,
}

/// Changes read at once.
const ROUND: u32 = 1_000;

#[derive(Debug, thiserror::Error)]
#[error("the catalog does not hold revision {0}")]
struct Missing(Revision);

impl Node {
    /// A node with empty tables, which admits nothing yet.
    pub(crate) fn new(
        info: NodeInfo,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        stopwatch: Arc<dyn Stopwatch>,
        leases: Leases,
    ) -> Self {
        let term = match &leases {
            Leases::Sole => Term::endless(Arc::clone(&stopwatch)),
            Leases::Shared(_) => Term::over(Arc::clone(&stopwatch)),
        };
        let term: &'static Term = Box::leak(Box::new(term));
        Self {
            info,
            ledger,
            clock,
            stopwatch,
            grants: GrantTable::new(term),
            directory: Directory::default(),
            token_index: TokenIndex::new(),
            leases,
            term,
            applying: tokio::sync::Mutex::default(),
            audit: Mutex::default(),
            obstacle: Obstacle::default(),
            is_certain: AtomicBool::new(false),
            #[cfg(debug_assertions)]
            sabotage: None,
        }
    }

    #[cfg(debug_assertions)]
    pub(crate) fn with_sabotage(mut self, sabotage: Option<Sabotage>) -> Self {
        self.sabotage = sabotage;
        self
    }

    #[cfg(debug_assertions)]
    fn ignores_revocations(&self) -> bool {
        self.sabotage == Some(Sabotage::IgnoreRevocations)
    }

    /// The last revision that this node acts by.
    pub(crate) fn revision(&self) -> Revision {
        self.grants.revision()
    }

    pub(crate) fn set_applied(&self, revision: Revision) {
        self.grants.set_revision(revision);
    }

    /// What this node has seen of the catalog: one that does not hold it is another one, whatever its revision.
    pub(crate) fn seen(&self) -> FeedPlace {
        FeedPlace {
            audit: *self.audit.lock(),
            ..self.revision().into()
        }
    }

    /// Notes where the audit log was at a reading that held what was seen before. In turn, like those who apply.
    pub(crate) fn note_seen(&self, place: FeedPlace) {
        *self.audit.lock() = place.audit;
    }

    /// Whether this node can tell which tokens hold (promise G3).
    pub(crate) fn is_current(&self) -> bool {
        self.is_certain.load(Ordering::Acquire) && self.term.holds()
    }

    /// Whether the tables lack nothing that this process may have committed.
    pub(crate) fn is_certain(&self) -> bool {
        self.is_certain.load(Ordering::Acquire)
    }

    /// Until it is known whether there is a change to apply, nothing is admitted (promise G3). In turn with those who
    /// apply, so that none of them opens the node for what it knew before. A node among others has its term instead, and
    /// does not wait for whoever loads everything.
    pub(crate) async fn doubt(&self) {
        if matches!(self.leases, Leases::Shared(_)) {
            return;
        }
        let _turn = self.applying.lock().await;
        self.note_certainty(false);
    }

    #[cfg(test)]
    pub(crate) fn doubt_now(&self) {
        self.is_certain.store(false, Ordering::Release);
    }

    pub(crate) fn put_grant(&self, loaded: LoadedGrant) -> TokenRef {
        let grant = match loaded.grant {
            CatalogGrant::Database(grant) => Grant::Database(grant),
            CatalogGrant::Management(grant) => Grant::Management(grant),
            CatalogGrant::Session(grant) => Grant::Session(Box::new(grant)),
        };
        let token = grant.token();
        self.grants.put(&loaded.secret, grant, loaded.last_used_at);
        token
    }

    /// Applies everything up to `revision`. Callers that wait here share the rounds of the one that works.
    pub(crate) async fn catch_up(&self, revision: Revision) -> Result<(), Error> {
        if self.is_certain() && self.revision() >= revision {
            return Ok(());
        }
        let mut turn = self.applying.lock().await;
        let result = self.apply_known(revision, &mut turn).await;
        self.note_certainty(result.is_ok());
        result
    }

    /// Applies everything that the catalog holds by now.
    pub(crate) async fn follow(&self) -> Result<(), Error> {
        let mut turn = self.applying.lock().await;
        let result = self.apply_all(&mut turn).await;
        self.note_certainty(result.is_ok());
        result
    }

    /// A node on its own is as certain as its last reading. One among others has its term: whatever it does not know yet
    /// has a fence that waits for it.
    pub(crate) fn note_certainty(&self, is_certain: bool) {
        if is_certain || matches!(self.leases, Leases::Sole) {
            self.is_certain.store(is_certain, Ordering::Release);
        }
    }

    /// Applies everything up to `revision`; on a node in doubt everything there is, because what made it doubt may have
    /// been a later change than the caller's own.
    async fn apply_known(&self, revision: Revision, turn: &mut Applying) -> Result<(), Error> {
        if !self.is_certain() {
            return self.apply_all(turn).await;
        }
        while self.revision() < revision {
            let has_more = self.apply_round(turn).await?;
            if !has_more && self.revision() < revision {
                // What was committed there is read at once, unless another server took over that does not have it.
                return Err(Error::Unavailable(Box::new(Missing(revision))));
            }
        }
        Ok(())
    }

    async fn apply_all(&self, turn: &mut Applying) -> Result<(), Error> {
        while self.apply_round(turn).await? {}
        Ok(())
    }

    /// Applies the next changes; whether there are more.
    async fn apply_round(&self, turn: &mut Applying) -> Result<bool, Error> {
        self.ensure_followable()?;
        let place = FeedPlace {
            within: turn.within,
            ..self.seen()
        };
        let feed = self.ledger.changes_after(place, ROUND).await;
        match feed.map_err(|error| self.heed(error))? {
            Feed::Changes {
                changes,
                through,
                more,
            } => {
                self.note_seen(through);
                self.apply(&changes).await?;
                turn.within = through.within;
                self.set_applied(through.revision);
                Ok(more)
            }
            Feed::Pruned => Err(self.note_behind()),
        }
    }

    /// Brings what changed up to date from its present state in the catalog, which may already be newer than the change:
    /// that only brings later changes forward.
    async fn apply(&self, changes: &[Change]) -> Result<(), Error> {
        let (mut databases, mut tokens) = (BTreeSet::new(), HashSet::new());
        for change in changes {
            let token = match change.what {
                ChangeKind::DatabaseToken(id) => TokenRef::Database(id),
                ChangeKind::ManagementToken(id) => TokenRef::Management(id),
                ChangeKind::Session(id) => TokenRef::Session(id),
                ChangeKind::Database(id) => {
                    databases.insert(id);
                    continue;
                }
                // What a user may do is in the grants of its sessions, each of which is a change of its own.
                ChangeKind::User(_) => continue,
            };
            // At once: whatever else there is to be read may take a while.
            if change.is_gone {
                self.cut(token);
            } else {
                tokens.insert(token);
            }
            self.token_index.note_change(token);
        }
        for id in databases {
            let current = self.ledger.directory_entry(id).await?;
            self.directory
                .put(id, current.map(|entry| (entry.cluster, entry.view)));
        }
        if tokens.is_empty() {
            return Ok(());
        }
        let wanted: Vec<_> = tokens.iter().copied().collect();
        for loaded in self.ledger.grants(&wanted).await? {
            tokens.remove(&self.put_grant(loaded));
        }
        for token in tokens {
            self.cut(token);
        }
        Ok(())
    }

    fn cut(&self, token: TokenRef) {
        #[cfg(debug_assertions)]
        if self.ignores_revocations() {
            return;
        }
        self.grants.cut(token);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt as _;

    use crate::ledger::scripted::{Script, Scripted};

    #[tokio::test]
    async fn whoever_doubts_among_others_waits_for_nobody_who_applies() {
        let (_, node) = Scripted::node(Script::default(), Duration::from_secs(5));
        node.renew().await.expect("renewed");
        let _loading = node.applying.lock().await;
        node.doubt().now_or_never().expect("at once");
        assert!(node.is_current(), "its term holds");
    }
}
