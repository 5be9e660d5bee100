//! What a node asks of the catalog to stay current: a narrow waist, so that the protocol can be run against a catalog
//! whose answers are late, lost or long in coming.

use async_trait::async_trait;
use rescind_catalog::{Catalog, DirectoryEntry, Error, Feed, LoadedGrant, NodeInfo, NodeLease};
use rescind_domain::{DatabaseId, NodeId, Revision, Timestamp};

use crate::grants::TokenRef;

/// The feed of changes, what they are about, and the leases of nodes.
#[async_trait]
pub(crate) trait Ledger: Send + Sync {
    /// What happened after `after`, about `limit` changes of it.
    async fn changes_after(&self, after: Revision, limit: u32) -> Result<Feed, Error>;
    /// The grant of a token or session as it is now; `None` if it was revoked or ended.
    async fn grant(&self, token: TokenRef) -> Result<Option<LoadedGrant>, Error>;
    /// An active database as it is now.
    async fn directory_entry(&self, id: DatabaseId) -> Result<Option<DirectoryEntry>, Error>;
    /// Begins a lease, durably.
    async fn join(&self, node: &NodeInfo, applied: Revision, now: Timestamp) -> Result<(), Error>;
    /// Renews a lease and acknowledges, durably; `false` if it has lapsed.
    async fn renew(&self, node: NodeId, applied: Revision, now: Timestamp) -> Result<bool, Error>;
    /// Acknowledges every change up to `applied`; may be forgotten.
    async fn acknowledge(&self, node: NodeId, applied: Revision) -> Result<(), Error>;
    /// Tells every node that changes were committed; may be lost.
    async fn tell_of_change(&self) -> Result<(), Error>;
    /// All leases.
    async fn nodes(&self) -> Result<Vec<NodeLease>, Error>;
    /// Notes that a lease has lapsed, unless it has another number by now.
    async fn mark_lapsed(&self, node: NodeId, lease: i64) -> Result<bool, Error>;
    /// Gives a lease up.
    async fn leave(&self, node: NodeId) -> Result<(), Error>;
}

#[async_trait]
impl Ledger for Catalog {
    async fn changes_after(&self, after: Revision, limit: u32) -> Result<Feed, Error> {
        Self::changes_after(self, after, limit).await
    }

    async fn grant(&self, token: TokenRef) -> Result<Option<LoadedGrant>, Error> {
        match token {
            TokenRef::Database(id) => self.database_grant(id).await,
            TokenRef::Management(id) => self.management_grant(id).await,
            TokenRef::Session(id) => self.session_grant(id).await,
        }
    }

    async fn directory_entry(&self, id: DatabaseId) -> Result<Option<DirectoryEntry>, Error> {
        Self::directory_entry(self, id).await
    }

    async fn join(&self, node: &NodeInfo, applied: Revision, now: Timestamp) -> Result<(), Error> {
        Self::join(self, node, applied, now).await
    }

    async fn renew(&self, node: NodeId, applied: Revision, now: Timestamp) -> Result<bool, Error> {
        Self::renew(self, node, applied, now).await
    }

    async fn acknowledge(&self, node: NodeId, applied: Revision) -> Result<(), Error> {
        Self::acknowledge(self, node, applied).await
    }

    async fn tell_of_change(&self) -> Result<(), Error> {
        Self::tell_of_change(self).await
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
