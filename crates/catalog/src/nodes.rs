//! Nodes and their leases: which processes may admit requests, and up to which revision each of them acts.
//!
//! A row says what other nodes must reckon with. What its node may do follows from that node's own clock; this module
//! knows no term.

use std::time::Duration;

use rescind_domain::{NodeId, Revision, Timestamp};
use sqlx::any::AnyRow;

use crate::rows::Fields;
use crate::{Catalog, Error, FeedPlace, catalog, stored};

/// What a node says about itself when it joins.
#[derive(Debug, Clone)]
pub struct NodeInfo {
    /// This start of its process.
    pub id: NodeId,
    /// What its operator calls it.
    pub name: String,
    /// Where clients reach it.
    pub address: String,
    /// Which release it runs.
    pub version: String,
    /// How long a term of its lease lasts.
    pub ttl: Duration,
}

/// A node, as the others see it.
#[derive(Debug, Clone)]
pub struct NodeLease {
    /// What it says about itself.
    pub node: NodeInfo,
    /// It acts by every change up to here.
    pub applied: Revision,
    /// Grows with each renewal: whoever sees the same number for longer than a term knows that the term is over.
    pub lease: i64,
    /// Somebody saw that. Until it joins anew it admits nothing.
    pub is_lapsed: bool,
    /// It was given up: for people.
    pub has_left: bool,
    /// When it joined, by its own clock: for people.
    pub joined_at: Timestamp,
    /// When it last renewed, by its own clock: for people.
    pub renewed_at: Timestamp,
}

impl Catalog {
    /// Begins the node's lease, or begins it anew after it lapsed. Durable when it returns: a fence that begins later
    /// must see it, even after the database was restarted. `number` is greater than any that the lease had: whoever saw a
    /// number before its row was forgotten must not take it for the one that counts now.
    ///
    /// # Errors
    /// [`Error::Rewound`] if the catalog does not hold what the node applied. [`Error::Unavailable`]: it may or may not be
    /// begun.
    pub async fn join(
        &self,
        node: &NodeInfo,
        number: i64,
        applied: impl Into<FeedPlace>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let FeedPlace {
            revision: applied,
            audit,
            ..
        } = applied.into();
        let joined = sqlx::query(
            "INSERT INTO nodes
                 (id, name, address, version, applied, lease, ttl, is_lapsed, joined_at, renewed_at)
             SELECT $1, $2, $3, $4, $5, $8, $6, 0, $7, $7 FROM ledger
             WHERE revision >= $5 AND ($9 = 0 OR EXISTS (SELECT 1 FROM audit_events WHERE sequence = $9 AND hash = $10))
             ON CONFLICT (id) DO UPDATE SET
                 applied = excluded.applied, lease = nodes.lease + 1, ttl = excluded.ttl, is_lapsed = 0,
                 has_left = 0, renewed_at = excluded.renewed_at",
        )
        .bind(node.id.to_string())
        .bind(node.name.clone())
        .bind(node.address.clone())
        .bind(node.version.clone())
        .bind(applied.get())
        .bind(micros(node.ttl))
        .bind(now.micros())
        .bind(number)
        .bind(audit.sequence)
        .bind(audit.head.to_string())
        .execute(&mut *self.pools.leases.take().await?)
        .await?;
        if joined.rows_affected() == 1 {
            return Ok(());
        }
        let found = catalog::revision(&mut *self.pools.leases.take().await?).await?;
        Err(Error::Rewound { seen: applied, found })
    }

    /// Renews a lease that has not lapsed, and acknowledges every change up to `applied`. `false` if it has lapsed or the
    /// node never joined: [`Self::join`] then. Also if the catalog went back and does not hold `applied`, or those who wait
    /// for changes that are made anew would take the node for one that knows them.
    ///
    /// Durable when it returns. If the database forgot it in a crash, somebody who saw the number before it a term ago
    /// would take the lease for lapsed while its new term runs.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it may or may not be renewed.
    pub async fn renew(
        &self,
        node: NodeId,
        applied: impl Into<FeedPlace>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let applied = applied.into();
        let renewed = sqlx::query(
            "UPDATE nodes SET applied = CASE WHEN applied < $2 THEN $2 ELSE applied END, lease = lease + 1,
                 renewed_at = $3
             WHERE id = $1 AND is_lapsed = 0 AND $2 <= (SELECT revision FROM ledger)
                 AND ($4 = 0 OR EXISTS (SELECT 1 FROM audit_events WHERE sequence = $4 AND hash = $5))",
        )
        .bind(node.to_string())
        .bind(applied.revision.get())
        .bind(now.micros())
        .bind(applied.audit.sequence)
        .bind(applied.audit.head.to_string())
        .execute(&mut *self.pools.leases.take().await?)
        .await?;
        Ok(renewed.rows_affected() == 1)
    }

    /// Acknowledges every change up to `applied`, and tells `askers`, also of what was acknowledged before. It renews
    /// nothing.
    ///
    /// Not durable when it returns, which spares every revocation the wait for a disk: an acknowledgement that the
    /// database forgets when it crashes makes fences wait longer, never shorter.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it may or may not be acknowledged.
    pub async fn acknowledge(&self, node: NodeId, applied: Revision, askers: &[NodeId]) -> Result<(), Error> {
        let askers: Vec<String> = askers.iter().map(NodeId::to_string).collect();
        sqlx::query(self.pools.backend.acknowledge())
            .bind(node.to_string())
            .bind(applied.get())
            .bind(stored::json(&askers))
            .execute(&mut *self.pools.signals.take().await?)
            .await?;
        Ok(())
    }

    /// Every node that has not been forgotten.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn nodes(&self) -> Result<Vec<NodeLease>, Error> {
        let rows = sqlx::query(
            "SELECT id, name, address, version, applied, lease, ttl, is_lapsed, has_left, joined_at, renewed_at
             FROM nodes ORDER BY name, joined_at, id",
        )
        .fetch_all(&mut *self.pools.rounds.take().await?)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Notes that a lease has lapsed, unless it was renewed since it had this number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn mark_lapsed(&self, node: NodeId, lease: i64) -> Result<bool, Error> {
        let marked =
            sqlx::query("UPDATE nodes SET is_lapsed = 1 WHERE id = $1 AND lease = $2 AND is_lapsed = 0")
                .bind(node.to_string())
                .bind(lease)
                .execute(&mut *self.pools.rounds.take().await?)
                .await?;
        Ok(marked.rows_affected() == 1)
    }

    /// Gives a lease up: the node admits nothing any more. Others need not wait for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it lapses by itself then.
    pub async fn leave(&self, node: NodeId) -> Result<(), Error> {
        sqlx::query("UPDATE nodes SET is_lapsed = 1, has_left = 1, lease = lease + 1 WHERE id = $1")
            .bind(node.to_string())
            .execute(&mut *self.pools.rounds.take().await?)
            .await?;
        Ok(())
    }

    /// Forgets lapsed nodes that renewed last before `before`. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_nodes(&self, before: Timestamp) -> Result<u64, Error> {
        let forgotten = sqlx::query("DELETE FROM nodes WHERE is_lapsed = 1 AND renewed_at < $1")
            .bind(before.micros())
            .execute(&mut *self.pools.rounds.take().await?)
            .await?;
        Ok(forgotten.rows_affected())
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn read(row: &AnyRow) -> Result<NodeLease, Error> {
    let fields = Fields::new(row, "nodes", "id");
    let ttl = fields.int("ttl")?;
    Ok(NodeLease {
        node: NodeInfo {
            id: fields.parse("id")?,
            name: fields.text("name")?.to_owned(),
            address: fields.text("address")?.to_owned(),
            version: fields.text("version")?.to_owned(),
            ttl: Duration::from_micros(u64::try_from(ttl).unwrap_or_default()),
        },
        applied: Revision::new(fields.int("applied")?),
        lease: fields.int("lease")?,
        is_lapsed: fields.int("is_lapsed")? != 0,
        has_left: fields.int("has_left")? != 0,
        joined_at: fields.time("joined_at")?,
        renewed_at: fields.time("renewed_at")?,
    })
}
