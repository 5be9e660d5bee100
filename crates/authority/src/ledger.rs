//! What a node asks of the catalog to stay current: a narrow waist, so that the protocol can be run against a catalog
//! whose answers are late, lost or long in coming.

use async_trait::async_trait;
use rescind_catalog::{
    Catalog, Directory, DirectoryEntry, Error, Feed, FeedPlace, LoadedGrant, NodeInfo, NodeLease,
};
use rescind_domain::{DatabaseId, NodeId, Revision, Timestamp};

use crate::grants::TokenRef;

#[cfg(test)]
pub(crate) mod scripted;

/// The feed of changes, what they are about, and the leases of nodes.
#[async_trait]
pub(crate) trait Ledger: Send + Sync {
    /// What happened after `after`, at most `limit` changes of it.
    async fn changes_after(&self, after: FeedPlace, limit: u32) -> Result<Feed, Error>;
    /// The grants of these tokens and sessions as they are now, in no order, without those that were revoked or ended.
    async fn grants(&self, tokens: &[TokenRef]) -> Result<Vec<LoadedGrant>, Error>;
    /// Every grant, as of the place returned, of a catalog that holds what was `seen` of it.
    async fn load_grants(
        &self,
        seen: FeedPlace,
        take: &mut (dyn FnMut(LoadedGrant) + Send),
    ) -> Result<FeedPlace, Error>;
    /// Every active database.
    async fn load_directory(&self) -> Result<Directory, Error>;
    /// An active database as it is now.
    async fn directory_entry(&self, id: DatabaseId) -> Result<Option<DirectoryEntry>, Error>;
    /// Begins a lease, durably, with a number that it never had.
    async fn join(
        &self,
        node: &NodeInfo,
        number: i64,
        applied: FeedPlace,
        now: Timestamp,
    ) -> Result<(), Error>;
    /// Renews a lease and acknowledges, durably; `false` if it has lapsed, or the catalog does not hold what was applied.
    async fn renew(&self, node: NodeId, applied: FeedPlace, now: Timestamp) -> Result<bool, Error>;
    /// Acknowledges every change up to `applied`; may be forgotten. Tells `askers`, which may be lost.
    async fn acknowledge(&self, node: NodeId, applied: Revision, askers: &[NodeId]) -> Result<(), Error>;
    /// All leases.
    async fn nodes(&self) -> Result<Vec<NodeLease>, Error>;
    /// Notes that a lease has lapsed, unless it has another number by now.
    async fn mark_lapsed(&self, node: NodeId, lease: i64) -> Result<bool, Error>;
    /// Gives a lease up.
    async fn leave(&self, node: NodeId) -> Result<(), Error>;
}

#[async_trait]
impl Ledger for Catalog {
    async fn changes_after(&self, after: FeedPlace, limit: u32) -> Result<Feed, Error> {
        Self::changes_after(self, after, limit).await
    }

    async fn grants(&self, tokens: &[TokenRef]) -> Result<Vec<LoadedGrant>, Error> {
        let (mut database, mut management, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
        for token in tokens {
            match *token {
                TokenRef::Database(id) => database.push(id),
                TokenRef::Management(id) => management.push(id),
                TokenRef::Session(id) => sessions.push(id),
            }
        }
        let mut found = self.database_grants(&database).await?;
        found.extend(self.management_grants(&management).await?);
        found.extend(self.session_grants(&sessions).await?);
        Ok(found)
    }

    async fn load_grants(
        &self,
        seen: FeedPlace,
        take: &mut (dyn FnMut(LoadedGrant) + Send),
    ) -> Result<FeedPlace, Error> {
        Self::load_grants(self, seen, take).await
    }

    async fn load_directory(&self) -> Result<Directory, Error> {
        Self::load_directory(self).await
    }

    async fn directory_entry(&self, id: DatabaseId) -> Result<Option<DirectoryEntry>, Error> {
        Self::directory_entry(self, id).await
    }

    async fn join(
        &self,
        node: &NodeInfo,
        number: i64,
        applied: FeedPlace,
        now: Timestamp,
    ) -> Result<(), Error> {
        Self::join(self, node, number, applied, now).await
    }

    async fn renew(&self, node: NodeId, applied: FeedPlace, now: Timestamp) -> Result<bool, Error> {
        Self::renew(self, node, applied, now).await
    }

    async fn acknowledge(&self, node: NodeId, applied: Revision, askers: &[NodeId]) -> Result<(), Error> {
        Self::acknowledge(self, node, applied, askers).await
    }

    async fn nodes(&self) -> Result<Vec<NodeLease>, Error> {
        Self::nodes(self).await
    }

    async fn mark_lapsed(&self, node: NodeId, lease: i64) -> Result<bool, Error> {
        Self::mark_lapsed(self, node, lease).await
    }

    async fn leave(&self, node: NodeId) -> Result<(), Error> {
        Self::leave(self, node).await
    }
}
