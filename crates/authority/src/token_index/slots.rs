//! The indexes that were built, what was noted for each since, and how they are brought up to date.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rescind_catalog::Catalog;
use rescind_domain::{AccountId, Actor, ClusterId, DatabaseTokenId, ManagementTokenId, Timestamp};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::Error;
use crate::grants::TokenRef;

use super::TokenSearch;
use super::rows::{Id, Row, Rows};

/// Whose tokens an index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// Database tokens of this cluster.
    Cluster(ClusterId),
    /// Management tokens of this account.
    Account(AccountId),
}

/// All indexes: one for each cluster and account whose tokens somebody looked at.
pub(crate) struct TokenIndex {
    slots: Mutex<HashMap<Owner, Kept>>,
    /// For searches of many tokens, each of which takes a core for some ten milliseconds.
    turns: Arc<Semaphore>,
}

/// An index and when somebody last looked.
struct Kept {
    slot: Arc<Slot>,
    looked_at: Timestamp,
}

/// One index. `turn` is held by whoever brings it up to date; who waits for it finds that done.
pub(super) struct Slot {
    owner: Owner,
    turn: tokio::sync::Mutex<()>,
    rows: RwLock<Rows>,
    news: Mutex<News>,
}

/// What must be looked at before the next search.
enum News {
    /// Nothing was loaded yet, or more has changed than is worth noting.
    All,
    /// These tokens were made or changed, those were used.
    Some {
        changed: HashSet<Id>,
        used: HashMap<Id, Timestamp>,
    },
}

/// Beyond so many changes that nobody looked at, loading everything takes no longer than reading them one by one.
const MOST_CHANGED: usize = 50_000;
/// As above, for uses: a matter of memory alone.
const MOST_USED: usize = 500_000;
/// From so many rows on a search leaves the threads that serve requests.
const MANY: usize = 10_000;
const SEARCHES_AT_ONCE: usize = 2;
const KEPT_MICROS: i64 = 60 * 60 * 1_000_000;

impl TokenIndex {
    pub(crate) fn new() -> Self {
        Self {
            slots: Mutex::default(),
            turns: Arc::new(Semaphore::new(SEARCHES_AT_ONCE)),
        }
    }

    /// Notes that a token was made or changed. Call it when the catalog has the change and before an act returns.
    pub(crate) fn note_change(&self, token: TokenRef) {
        self.note(token, |news, id| {
            if let News::Some { changed, .. } = news {
                changed.insert(id);
                if changed.len() > MOST_CHANGED {
                    *news = News::All;
                }
            }
        });
    }

    /// Notes that any token may have been made or changed.
    pub(crate) fn note_everything(&self) {
        for Kept { slot, .. } in self.slots.lock().values() {
            *slot.news.lock() = News::All;
        }
    }

    /// Notes when a token was last used, as the catalog has it by now.
    pub(crate) fn note_use(&self, token: TokenRef, at: Timestamp) {
        self.note(token, |news, id| {
            if let News::Some { used, .. } = news {
                used.insert(id, at);
                if used.len() > MOST_USED {
                    *news = News::All;
                }
            }
        });
    }

    /// Which cluster a database token belongs to is not known here: each gets to know of it, and finds out later.
    fn note(&self, token: TokenRef, note: impl Fn(&mut News, Id)) {
        for (owner, Kept { slot, .. }) in self.slots.lock().iter() {
            match (owner, token) {
                (Owner::Cluster(_), TokenRef::Database(id)) => note(&mut slot.news.lock(), id.to_bytes()),
                (Owner::Account(_), TokenRef::Management(id)) => note(&mut slot.news.lock(), id.to_bytes()),
                _ => {}
            }
        }
    }

    pub(super) fn slot(&self, owner: Owner, now: Timestamp) -> Arc<Slot> {
        let mut slots = self.slots.lock();
        let kept = slots.entry(owner).or_insert_with(|| Kept {
            slot: Arc::new(Slot {
                owner,
                turn: tokio::sync::Mutex::new(()),
                rows: RwLock::default(),
                news: Mutex::new(News::All),
            }),
            looked_at: now,
        });
        kept.looked_at = now;
        Arc::clone(&kept.slot)
    }

    /// Lets go of what nobody looked at for an hour.
    pub(crate) fn forget_unused(&self, now: Timestamp) {
        let since = now.plus_micros(-KEPT_MICROS);
        self.slots.lock().retain(|_, kept| kept.looked_at >= since);
    }

    pub(super) async fn search(
        &self,
        slot: Arc<Slot>,
        search: TokenSearch,
        now: Timestamp,
    ) -> Result<(Vec<Id>, usize), Error> {
        // While a million rows are merged, waiting for them is not for a thread that serves requests.
        if let Some(rows) = slot.rows.try_read().filter(|rows| rows.len() < MANY) {
            return Ok(rows.search(&search, now));
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(internal)?;
        let searching = spawn_blocking(move || {
            // Held by the work itself: whoever asked may have gone away meanwhile.
            let _turn = turn;
            slot.rows.read().search(&search, now)
        });
        searching.await.map_err(internal)
    }
}

impl TokenIndex {
    pub(super) async fn creators(&self, slot: Arc<Slot>, most: usize) -> Result<Vec<Actor>, Error> {
        if let Some(rows) = slot.rows.try_read() {
            return Ok(rows.creators(most));
        }
        spawn_blocking(move || slot.rows.read().creators(most))
            .await
            .map_err(internal)
    }
}

impl Slot {
    /// Reads what was noted since the last time, or everything. To its end, even if the client that asked goes away:
    /// others wait for it.
    pub(super) async fn bring_up_to_date(slot: &Arc<Self>, catalog: &Catalog) -> Result<(), Error> {
        if let Ok(_turn) = slot.turn.try_lock()
            && slot.news.lock().is_none()
        {
            return Ok(());
        }
        let (slot, catalog) = (Arc::clone(slot), catalog.clone());
        tokio::spawn(async move { slot.take_in(&catalog).await })
            .await
            .map_err(internal)?
    }

    async fn take_in(self: &Arc<Self>, catalog: &Catalog) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        // What is noted from here on is read the next time; it may well be read twice.
        let news = mem::replace(&mut *self.news.lock(), News::none());
        if news.is_none() {
            return Ok(());
        }
        let unfinished = Unfinished(self);
        match news {
            News::Some { changed, used } => self.follow(catalog, &changed, used).await?,
            News::All => self.build(catalog).await?,
        }
        if self.rows.read().is_worn() {
            self.build(catalog).await?;
        }
        mem::forget(unfinished);
        Ok(())
    }

    async fn build(self: &Arc<Self>, catalog: &Catalog) -> Result<(), Error> {
        let mut rows = Rows::default();
        match self.owner {
            Owner::Cluster(id) => {
                let mut take = |token| rows.put(&Row::from(&token));
                catalog.load_database_tokens(id, &mut take).await?;
            }
            Owner::Account(id) => {
                let mut take = |token| rows.put(&Row::from(&token));
                catalog.load_management_tokens(id, &mut take).await?;
            }
        }
        let slot = Arc::clone(self);
        let place = move || {
            rows.settle();
            mem::swap(&mut *slot.rows.write(), &mut rows);
        };
        spawn_blocking(place).await.map_err(internal)
    }

    async fn follow(
        self: &Arc<Self>,
        catalog: &Catalog,
        changed: &HashSet<Id>,
        used: HashMap<Id, Timestamp>,
    ) -> Result<(), Error> {
        let ids = changed.iter().copied();
        let slot = Arc::clone(self);
        let use_all = move |rows: &mut Rows| {
            for (id, at) in used {
                rows.note_use(id, at);
            }
            rows.settle();
        };
        // Searches that are under way hold the rows for some ten milliseconds: waiting for them is not for a thread
        // that serves requests.
        let put = match self.owner {
            Owner::Cluster(cluster) => {
                let ids: Vec<_> = ids.map(DatabaseTokenId::from_bytes).collect();
                let tokens = catalog.database_tokens_by_ids(&ids).await?;
                spawn_blocking(move || {
                    let mut rows = slot.rows.write();
                    let own = tokens.iter().filter(|token| token.cluster == cluster);
                    own.for_each(|token| rows.put(&Row::from(token)));
                    use_all(&mut rows);
                })
            }
            Owner::Account(account) => {
                let ids: Vec<_> = ids.map(ManagementTokenId::from_bytes).collect();
                let tokens = catalog.management_tokens_by_ids(&ids).await?;
                spawn_blocking(move || {
                    let mut rows = slot.rows.write();
                    let own = tokens.iter().filter(|token| token.account == account);
                    own.for_each(|token| rows.put(&Row::from(token)));
                    use_all(&mut rows);
                })
            }
        };
        put.await.map_err(internal)
    }
}

impl News {
    fn none() -> Self {
        Self::Some {
            changed: HashSet::new(),
            used: HashMap::new(),
        }
    }

    fn is_none(&self) -> bool {
        match self {
            Self::All => false,
            Self::Some { changed, used } => changed.is_empty() && used.is_empty(),
        }
    }
}

/// Dropped on an error or a panic: what was taken out of the news is lost.
struct Unfinished<'a>(&'a Slot);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        *self.0.news.lock() = News::All;
    }
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Box::new(error))
}
