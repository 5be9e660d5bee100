//! The catalog: opened once per process, cloned freely.

use rescind_domain::Revision;
use sqlx::Row;

use crate::connections::Lent;
use crate::pools::Pools;
use crate::{Error, Location, migrations};

/// What is remembered. Clones share the same connections.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(crate) pools: Pools,
}

impl Catalog {
    /// Opens the catalog at `location`, creates it if it is not there and brings its schema up to date. That only one
    /// process opens a SQLite file is the caller's to ensure.
    ///
    /// # Errors
    /// [`Error::NewerSchema`], [`Error::Server`], [`Error::File`], [`Error::NotADatabase`], [`Error::Path`], or
    /// [`Error::Unavailable`].
    pub async fn open(location: &Location) -> Result<Self, Error> {
        let opened = async {
            let pools = Pools::open(location).await?;
            let ready = async {
                migrations::migrate(&pools).await?;
                pools.ensure_rights().await
            };
            match ready.await {
                Ok(()) => Ok(Self { pools }),
                Err(error) => {
                    pools.close().await;
                    Err(error)
                }
            }
        };
        opened.await.map_err(|error: Error| error.opening(location))
    }

    /// Whether nobody has ever started on it: it has no account.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn is_empty(&self) -> Result<bool, Error> {
        let found = sqlx::query("SELECT 1 FROM accounts LIMIT 1")
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        Ok(found.is_none())
    }

    /// The revision of the latest change.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn revision(&self) -> Result<Revision, Error> {
        revision(&mut *self.feed_reader().await?).await
    }

    /// As [`Self::revision`], in turn with lists and searches: for those who must not delay what brings revocations here.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn revision_in_turn(&self) -> Result<Revision, Error> {
        revision(&mut *self.reader().await?).await
    }

    /// Whether other processes may act on it at the same time.
    pub fn is_shared(&self) -> bool {
        self.pools.shared_url.is_some()
    }

    /// Closes every connection, after the work that uses them has ended.
    pub async fn close(&self) {
        self.pools.close().await;
    }

    pub(crate) async fn reader(&self) -> Result<Lent, Error> {
        Ok(self.pools.readers.take().await?)
    }

    /// For what brings a revocation to this node, and for nothing that may take long.
    pub(crate) async fn feed_reader(&self) -> Result<Lent, Error> {
        Ok(self.pools.feed.take().await?)
    }

    /// A transaction whose statements all see the same moment, and may read everything there is. Dropping it ends it.
    pub(crate) async fn snapshot(&self) -> Result<Lent, Error> {
        let backend = self.pools.backend;
        let mut snapshot = self.pools.readers.begin(backend.begin_snapshot()).await?;
        // Rows come one after another for as long as it takes; that none comes for long is another matter.
        if let Some(unhurried) = backend.unhurried() {
            sqlx::raw_sql(unhurried).execute(&mut *snapshot).await?;
        }
        Ok(snapshot)
    }

    /// As [`Self::snapshot`], by what [`Self::feed_reader`] is for.
    pub(crate) async fn feed_snapshot(&self) -> Result<Lent, Error> {
        Ok(self.pools.feed.begin(self.pools.backend.begin_snapshot()).await?)
    }
}

pub(crate) async fn revision(connection: &mut crate::seam::Connection) -> Result<Revision, Error> {
    let row = sqlx::query("SELECT revision FROM ledger")
        .fetch_one(connection)
        .await?;
    Ok(Revision::new(row.try_get(0)?))
}
