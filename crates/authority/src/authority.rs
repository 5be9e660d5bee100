//! The authority: what it holds, how it starts, what it does on its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rescind_catalog::{Catalog, NodeInfo, Page};
use rescind_domain::{Clock, NodeId, Revision, Rng, Stopwatch, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::attempts::{Attempts, Guesses};
use crate::closures::cause;
use crate::devices::Paces;
use crate::directory::Directory;
use crate::grants::GrantTable;
use crate::leases::{Leases, Shared, hear};
use crate::node::Node;
use crate::passwords::Passwords;
use crate::receipts::Receipts;
use crate::turns::Turns;
use crate::usage::UsageTable;
use crate::{Error, SessionLimits};

/// What the composition root decides.
pub struct Settings {
    /// What this process is among the others that act on the catalog.
    pub node: NodeSettings,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Measures the terms of leases.
    pub stopwatch: Arc<dyn Stopwatch>,
    /// Mints ids and secrets.
    pub rng: Arc<dyn Rng>,
    /// How long sessions last.
    pub session_limits: SessionLimits,
}

/// What a process says about itself to the others.
#[derive(Debug, Clone)]
pub struct NodeSettings {
    /// Its name in receipts and lists.
    pub name: String,
    /// Where clients reach it.
    pub address: String,
    /// Which release it runs.
    pub version: String,
    /// How long a term of its lease lasts: a revocation waits that long for a node that was cut off.
    pub lease_ttl: Duration,
    /// Whether it admits requests. A command that only acts takes no lease.
    pub admits: bool,
    /// What it does wrong on purpose.
    #[cfg(debug_assertions)]
    pub sabotage: Option<Sabotage>,
}

/// What a node can be made to do wrong, so that checkers can be shown to notice it. Releases have none of it.
#[cfg(debug_assertions)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Acknowledges revocations, but does not apply them.
    IgnoreRevocations,
}

impl NodeSettings {
    /// The longest term of a lease: what a revocation may have to wait for a node that was cut off.
    pub const LONGEST_LEASE: Duration = Duration::from_secs(60);
    /// How long a term lasts where nothing else is said.
    pub const USUAL_LEASE: Duration = Duration::from_secs(5);

    /// A node that nobody else needs to know of.
    pub fn alone(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            address: String::new(),
            version: String::new(),
            lease_ttl: Self::USUAL_LEASE,
            admits: true,
            #[cfg(debug_assertions)]
            sabotage: None,
        }
    }
}

/// Every use case, and the tables in memory that admission reads.
pub struct Authority {
    pub(crate) catalog: Catalog,
    pub(crate) settings: Settings,
    pub(crate) node: Node,
    pub(crate) passwords: Passwords,
    pub(crate) usage: UsageTable,
    pub(crate) paces: Paces,
    /// Revocations that wait for the ledger.
    pub(crate) turns: Turns,
    /// What the audit log does not have yet.
    pub(crate) receipts: Receipts,
    /// Failed attempts to sign in.
    pub(crate) attempts: Attempts,
    /// Wrong codes of devices.
    pub(crate) guesses: Guesses,
    /// Held by whoever takes a device's request.
    pub(crate) asking: tokio::sync::Mutex<()>,
    /// The last revision whose changes were forgotten, as far as this process knows.
    pruned: AtomicI64,
    /// What may be forgotten later.
    ageing: Mutex<Ageing>,
    /// The time, a moment ago: good enough to say when a token was last used.
    recently: AtomicI64,
}

/// A revision that every node acted by at some moment.
#[derive(Debug, Default)]
struct Ageing(Option<(Duration, Revision)>);

/// Changes are kept for so long after every node has applied them: a node that starts may take minutes to load what there
/// is, and asks for the changes since it began.
const AGE: Duration = Duration::from_secs(10 * 60);

impl Ageing {
    /// A revision that every node acted by [`AGE`] ago, once for each; `applied` is one of `now`.
    fn take(&mut self, applied: Revision, now: Duration) -> Option<Revision> {
        let old = self.0.filter(|(since, _)| now.saturating_sub(*since) >= AGE);
        if self.0.is_none() || old.is_some() {
            self.0 = Some((now, applied));
        }
        old.map(|(_, revision)| revision)
    }
}

/// How often uses are written to the catalog.
const USE_FLUSH: Duration = Duration::from_secs(5);
/// How often what is of no use any more is forgotten.
const FORGETTING: Duration = Duration::from_secs(60 * 60);
/// How many revisions are worth a round of forgetting.
const PRUNED_AT_ONCE: i64 = 10_000;
/// How often a node looks at the clock, and at the catalog if it lost track.
const LOOK: Duration = Duration::from_millis(200);
/// How long a node that ends may take for its lease, uses and receipts: whoever manages services kills it at last, and a
/// catalog that is away takes nothing down anyway.
const ENDING: Duration = Duration::from_secs(5);

const NOT_WRITTEN: &str = "the last uses and receipts were not written down: the catalog does not answer";

impl Authority {
    /// Loads every grant and every active database from the catalog.
    ///
    /// # Errors
    /// The catalog cannot be read, or holds what cannot be.
    pub async fn open(catalog: Catalog, settings: Settings) -> Result<Arc<Self>, Error> {
        let NodeSettings {
            name,
            address,
            version,
            lease_ttl,
            admits,
            #[cfg(debug_assertions)]
            sabotage,
        } = settings.node.clone();
        let (id, leases) = match catalog.is_shared() {
            true => (
                NodeId::mint(&*settings.rng),
                Leases::Shared(Box::new(Shared::new(admits))),
            ),
            // Nobody tells it from others.
            false => (NodeId::from_bytes([0; 16]), Leases::Sole),
        };
        let info = NodeInfo {
            id,
            name,
            address,
            version,
            ttl: lease_ttl,
        };
        let node = Node::new(
            info,
            Arc::new(catalog.clone()),
            Arc::clone(&settings.clock),
            Arc::clone(&settings.stopwatch),
            leases,
        );
        #[cfg(debug_assertions)]
        let node = node.with_sabotage(sabotage);
        let authority = Self {
            node,
            passwords: Passwords::new(&*settings.rng)?,
            usage: UsageTable::new(settings.clock.now()),
            paces: Paces::default(),
            turns: Turns::default(),
            receipts: Receipts::default(),
            attempts: Attempts::default(),
            guesses: Guesses::default(),
            asking: tokio::sync::Mutex::new(()),
            pruned: AtomicI64::new(0),
            ageing: Mutex::default(),
            recently: AtomicI64::new(settings.clock.now().micros()),
            catalog,
            settings,
        };
        authority.load().await?;
        if admits && matches!(authority.node.leases, Leases::Shared(_)) {
            // Before anyone hears that it is ready.
            authority.node.renew().await?;
        }
        Ok(Arc::new(authority))
    }

    /// Stays current, flushes uses and forgets what is past, until `shutdown`; then gives its lease up and flushes once
    /// more, within a few seconds.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        // A task of their own: what they compute must not hold up a renewal.
        let (this, until) = (Arc::clone(&self), shutdown.clone());
        let mut books = tokio::spawn(async move {
            tokio::join!(
                this.keep_receipts(&until),
                this.keep_books(&until),
                this.look_around(&until)
            );
        });
        let kept = async {
            tokio::join!(self.keep_time(&shutdown), self.keep_current(&shutdown));
            if let Err(error) = (&mut books).await {
                tracing::error!(%error, "uses and receipts were not kept to the end");
            }
            self.write_down().await;
        };
        let late = async {
            shutdown.cancelled().await;
            tokio::time::sleep(ENDING).await;
        };
        let is_late = tokio::select! {
            biased;
            () = kept => false,
            () = late => true,
        };
        if is_late {
            books.abort();
            tracing::warn!("{NOT_WRITTEN}");
        }
    }

    /// Writes down what is kept in memory for a moment: uses and receipts. For processes that are about to end: it takes a
    /// few seconds at most.
    pub async fn flush(&self) {
        if tokio::time::timeout(ENDING, self.write_down()).await.is_err() {
            tracing::warn!("{NOT_WRITTEN}");
        }
    }

    async fn write_down(&self) {
        let (is_written, ()) = tokio::join!(self.write_receipts(), self.flush_uses());
        if !is_written {
            tracing::warn!("the last receipts of revocations are not in the audit log: the catalog is away");
        }
    }

    async fn keep_current(&self, shutdown: &CancellationToken) {
        match &self.node.leases {
            Leases::Shared(shared) if shared.admits => {
                tokio::join!(
                    self.node.keep_lease(shared, shutdown),
                    hear(&self.catalog, self.node.info.id, shared, shutdown)
                );
            }
            Leases::Shared(_) => {}
            Leases::Sole => {
                let mut look = tokio::time::interval(LOOK);
                loop {
                    tokio::select! {
                        () = shutdown.cancelled() => break,
                        _ = look.tick() => self.recover().await,
                    }
                }
            }
        }
    }

    async fn keep_time(&self, shutdown: &CancellationToken) {
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = look.tick() => self.recently.store(self.clock().now().micros(), Ordering::Relaxed),
            }
        }
    }

    async fn keep_books(self: &Arc<Self>, shutdown: &CancellationToken) {
        let mut flush = tokio::time::interval(USE_FLUSH);
        let mut forget = tokio::time::interval(FORGETTING);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = flush.tick() => {
                    self.flush_uses().await;
                    self.learn_of_others().await;
                    self.prune_changes(PRUNED_AT_ONCE).await;
                }
                _ = forget.tick() => {
                    if let Err(error) = self.forget_the_past().await {
                        tracing::warn!(cause = cause(&error), "old usage and sessions were not forgotten");
                    }
                }
            }
        }
    }

    /// How many tokens may be admitted at present, expired ones included.
    pub fn grant_count(&self) -> usize {
        self.grants().len()
    }

    /// The last revision that this node acts by.
    pub fn revision(&self) -> Revision {
        self.node.revision()
    }

    /// Whether this node can tell which tokens hold (promise G3).
    pub fn is_current(&self) -> bool {
        self.node.is_current()
    }

    pub(crate) fn grants(&self) -> &GrantTable {
        &self.node.grants
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.node.directory
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.settings.clock
    }

    /// The time, at most [`LOOK`] ago.
    pub(crate) fn recently(&self) -> Timestamp {
        Timestamp::from_micros(self.recently.load(Ordering::Relaxed))
    }

    pub(crate) fn rng(&self) -> &dyn Rng {
        &*self.settings.rng
    }

    async fn load(&self) -> Result<(), Error> {
        self.load_clusters().await?;
        self.node.start().await
    }

    /// Clusters are made with their account, and only then.
    pub(crate) async fn load_clusters(&self) -> Result<(), Error> {
        for account in self.catalog.accounts(&Page::first(Page::MAX)).await?.items {
            for cluster in self
                .catalog
                .clusters(account.id, &Page::first(Page::MAX))
                .await?
                .items
            {
                self.directory().put_cluster(account.id, cluster.id);
            }
        }
        Ok(())
    }

    async fn flush_uses(&self) {
        if let Err(error) = self.record_uses().await {
            tracing::warn!(cause = cause(&error), "last-used times were not recorded");
        }
    }

    async fn learn_of_others(&self) {
        if matches!(self.node.leases, Leases::Sole) {
            return;
        }
        if let Err(error) = self.learn_uses().await {
            tracing::warn!(
                cause = cause(&error),
                "when sessions were used on other nodes is not known"
            );
        }
    }

    /// Forgets the changes that every node has applied, many at once: nobody will ask for them, except nodes that began to
    /// load everything before.
    pub(crate) async fn prune_changes(&self, at_once: i64) {
        let applied = match self.slowest().await {
            Ok(applied) => applied,
            Err(error) => return tracing::warn!(cause = cause(&error), "applied changes were not forgotten"),
        };
        let through = match self.node.leases {
            Leases::Sole => Some(applied),
            Leases::Shared(_) => self
                .ageing
                .lock()
                .take(applied, self.settings.stopwatch.elapsed()),
        };
        let Some(through) = through
            .filter(|through| through.get().saturating_sub(self.pruned.load(Ordering::Relaxed)) >= at_once)
        else {
            return;
        };
        match self.catalog.prune_changes(through).await {
            Ok(_) => self.pruned.store(through.get(), Ordering::Relaxed),
            Err(error) => tracing::warn!(cause = cause(&error.into()), "applied changes were not forgotten"),
        }
    }

    /// The revision that every node with a lease acts by.
    async fn slowest(&self) -> Result<Revision, Error> {
        let own = self.revision();
        let Leases::Shared(shared) = &self.node.leases else {
            return Ok(own);
        };
        let nodes = self.node.look(shared, self.settings.stopwatch.elapsed()).await?;
        let held = nodes.iter().filter(|lease| !lease.is_lapsed);
        Ok(held.map(|lease| lease.applied).min().unwrap_or(own).min(own))
    }

    pub(crate) async fn recover(&self) {
        if self.node.is_certain() {
            return;
        }
        let caught_up = match self.node.load_if_behind().await {
            Ok(()) => self.catch_up(self.revision()).await,
            Err(error) => Err(error),
        };
        match caught_up {
            Ok(()) => {
                tracing::info!(revision = %self.revision(), "caught up with the catalog; admitting again")
            }
            Err(error) => tracing::warn!(cause = cause(&error), "the catalog is away: nothing is admitted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_forgotten_when_it_has_aged() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let mut ageing = Ageing::default();
        assert_eq!(ageing.take(Revision::new(1), minutes(0)), None);
        assert_eq!(ageing.take(Revision::new(5), minutes(9)), None);
        assert_eq!(ageing.take(Revision::new(9), minutes(10)), Some(Revision::new(1)));
        assert_eq!(ageing.take(Revision::new(10), minutes(11)), None);
        assert_eq!(
            ageing.take(Revision::new(11), minutes(20)),
            Some(Revision::new(9))
        );
    }
}
