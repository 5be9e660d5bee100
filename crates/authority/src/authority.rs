//! The authority: what it holds, how it starts, what it does on its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use rescind_catalog::{Catalog, Grant as CatalogGrant, LoadedGrant, Page};
use rescind_domain::{Clock, Revision, Rng, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::attempts::{Attempts, Guesses};
use crate::devices::Paces;
use crate::directory::Directory;
use crate::grants::{Grant, GrantTable};
use crate::passwords::Passwords;
use crate::token_index::TokenIndex;
use crate::usage::UsageTable;
use crate::{Error, SessionLimits};

/// What the composition root decides.
pub struct Settings {
    /// This node's name in receipts and lists.
    pub node_name: String,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Mints ids and secrets.
    pub rng: Arc<dyn Rng>,
    /// How long sessions last.
    pub session_limits: SessionLimits,
}

/// Every use case, and the tables in memory that admission reads.
pub struct Authority {
    pub(crate) catalog: Catalog,
    pub(crate) settings: Settings,
    grants: GrantTable,
    directory: Directory,
    pub(crate) passwords: Passwords,
    pub(crate) usage: UsageTable,
    pub(crate) token_index: TokenIndex,
    pub(crate) paces: Paces,
    /// Failed attempts to sign in.
    pub(crate) attempts: Attempts,
    /// Wrong codes of devices.
    pub(crate) guesses: Guesses,
    /// Held by whoever takes a device's request.
    pub(crate) asking: tokio::sync::Mutex<()>,
    /// The last revision in the tables.
    applied: AtomicI64,
    /// The last revision whose changes were forgotten, as far as this process knows.
    pruned: AtomicI64,
    /// The time, a moment ago: good enough to say when a token was last used.
    recently: AtomicI64,
    /// Held by whoever brings the tables up to date: revisions are applied in order.
    pub(crate) applying: tokio::sync::Mutex<()>,
    /// Whether the tables hold everything that the catalog may have acknowledged (promise G3).
    pub(crate) is_current: AtomicBool,
}

/// How often uses are written to the catalog.
const USE_FLUSH: Duration = Duration::from_secs(5);
/// How often what is of no use any more is forgotten.
const FORGETTING: Duration = Duration::from_secs(60 * 60);
/// How many revisions are worth a round of forgetting.
const PRUNED_AT_ONCE: i64 = 10_000;
/// How often a node looks at the clock, and at the catalog if it lost track.
const LOOK: Duration = Duration::from_millis(200);

impl Authority {
    /// Loads every grant and every active database from the catalog.
    ///
    /// # Errors
    /// The catalog cannot be read, or holds what cannot be.
    pub async fn open(catalog: Catalog, settings: Settings) -> Result<Arc<Self>, Error> {
        let authority = Self {
            grants: GrantTable::new(),
            directory: Directory::default(),
            passwords: Passwords::new(&*settings.rng)?,
            usage: UsageTable::new(),
            token_index: TokenIndex::new(),
            paces: Paces::default(),
            attempts: Attempts::default(),
            guesses: Guesses::default(),
            asking: tokio::sync::Mutex::new(()),
            applied: AtomicI64::new(0),
            pruned: AtomicI64::new(0),
            recently: AtomicI64::new(settings.clock.now().micros()),
            applying: tokio::sync::Mutex::new(()),
            is_current: AtomicBool::new(false),
            catalog,
            settings,
        };
        authority.load().await?;
        Ok(Arc::new(authority))
    }

    /// Flushes uses and recovers from a lost catalog until `shutdown`, then flushes once more.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        // Beside each other: writing uses down may take long, and a closed node must not wait for it.
        tokio::join!(self.keep_current(&shutdown), self.keep_books(&shutdown));
        self.flush_uses().await;
    }

    async fn keep_books(&self, shutdown: &CancellationToken) {
        let mut flush = tokio::time::interval(USE_FLUSH);
        let mut forget = tokio::time::interval(FORGETTING);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = flush.tick() => {
                    self.flush_uses().await;
                    self.prune_changes(PRUNED_AT_ONCE).await;
                }
                _ = forget.tick() => {
                    if let Err(error) = self.forget_the_past().await {
                        tracing::warn!(%error, "old usage and sessions were not forgotten");
                    }
                }
            }
        }
    }

    async fn keep_current(&self, shutdown: &CancellationToken) {
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = look.tick() => {
                    self.recently.store(self.clock().now().micros(), Ordering::Relaxed);
                    self.recover().await;
                }
            }
        }
    }

    /// How many tokens may be admitted at present, expired ones included.
    pub fn grant_count(&self) -> usize {
        self.grants.len()
    }

    /// The last revision that this node acts by.
    pub fn revision(&self) -> Revision {
        Revision::new(self.applied.load(Ordering::Acquire))
    }

    /// Whether this node can tell which tokens hold (promise G3).
    pub fn is_current(&self) -> bool {
        self.is_current.load(Ordering::Acquire)
    }

    pub(crate) fn set_applied(&self, revision: Revision) {
        self.applied.store(revision.get(), Ordering::Release);
    }

    pub(crate) fn grants(&self) -> &GrantTable {
        &self.grants
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
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

    pub(crate) fn put_grant(&self, loaded: LoadedGrant) {
        let grant = match loaded.grant {
            CatalogGrant::Database(grant) => Grant::Database(grant),
            CatalogGrant::Management(grant) => Grant::Management(grant),
            CatalogGrant::Session(grant) => Grant::Session(Box::new(grant)),
        };
        self.grants.put(&loaded.secret, grant, loaded.last_used_at);
    }

    async fn load(&self) -> Result<(), Error> {
        let revision = self
            .catalog
            .load_grants(&mut |loaded| self.put_grant(loaded))
            .await?;
        for account in self.catalog.accounts(&Page::first(Page::MAX)).await?.items {
            for cluster in self
                .catalog
                .clusters(account.id, &Page::first(Page::MAX))
                .await?
                .items
            {
                self.directory.put_cluster(account.id, cluster.id);
            }
        }
        for entry in self.catalog.load_directory().await?.entries {
            self.directory
                .put(entry.view.id, Some((entry.cluster, entry.view)));
        }
        self.set_applied(revision);
        // What was committed between the first read and the last is applied now; nothing is admitted before.
        let now = self.catalog.revision().await?;
        self.catch_up(now).await
    }

    async fn flush_uses(&self) {
        if let Err(error) = self.record_uses().await {
            tracing::warn!(%error, "last-used times were not recorded");
        }
    }

    /// Forgets the changes that the only node has applied, many at once: nobody will ask for them.
    pub(crate) async fn prune_changes(&self, at_once: i64) {
        let applied = self.revision();
        if applied.get() - self.pruned.load(Ordering::Relaxed) < at_once {
            return;
        }
        match self.catalog.prune_changes(applied).await {
            Ok(_) => self.pruned.store(applied.get(), Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "applied changes were not forgotten"),
        }
    }

    pub(crate) async fn recover(&self) {
        if self.is_current() {
            return;
        }
        match self.catch_up(self.revision()).await {
            Ok(()) => {
                tracing::info!(revision = %self.revision(), "caught up with the catalog; admitting again")
            }
            Err(error) => tracing::warn!(%error, "the catalog is away: nothing is admitted"),
        }
    }
}
