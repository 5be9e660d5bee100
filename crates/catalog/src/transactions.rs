//! Acting: one transaction that changes something, records what changed and who did it.

use std::collections::BTreeSet;

use rescind_domain::{AccountId, Act, Actor, AuditEvent, AuditHash, Revision, Timestamp};
use sqlx::Any;

use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, ChangeKind, Error, stored};

/// A transaction that acts. Dropping it undoes all of it.
///
/// It holds the ledger's lock from its first statement on, so there is one at a time in the whole installation: finish
/// it without waiting for anything else.
#[derive(Debug)]
pub struct Transaction {
    pub(crate) inner: sqlx::Transaction<'static, Any>,
    now: Timestamp,
    revision: i64,
    sequence: i64,
    head: AuditHash,
}

/// One act, for the audit log and the feed of changes.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who acts.
    pub actor: Actor,
    /// On which account.
    pub account: AccountId,
    /// What is done.
    pub act: Act,
    /// The id of what it is done to.
    pub subject: String,
    /// Further facts; never a secret.
    pub details: Vec<(String, String)>,
    /// What nodes must look at again; empty if the act changes nothing for them.
    pub changes: Vec<ChangeKind>,
}

/// What a commit made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The revision that the transaction took, if it changed what anyone may do.
    pub revision: Option<Revision>,
    /// The catalog's revision after it.
    pub current: Revision,
    /// The place of its last act in the audit log.
    pub sequence: i64,
}

impl Catalog {
    /// Begins to act, at the time `now`; waits for whoever acts at the moment.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the wait takes longer than ten seconds, too.
    pub async fn begin(&self, now: Timestamp) -> Result<Transaction, Error> {
        let backend = self.pools.backend;
        let mut inner = self.pools.writers.begin_with(backend.begin_writing()).await?;
        // An update, because it locks the row on PostgreSQL; on SQLite the transaction has the lock already.
        let ledger = sqlx::query(
            "UPDATE ledger SET singleton = 1 RETURNING singleton, revision, audit_sequence, audit_head",
        )
        .fetch_one(&mut *inner)
        .await?;
        let ledger = Fields::new(&ledger, "ledger", "singleton");
        Ok(Transaction {
            now,
            revision: ledger.int("revision")?,
            sequence: ledger.int("audit_sequence")?,
            head: ledger.audit_hash("audit_head")?,
            inner,
        })
    }
}

impl Transaction {
    /// The time at which it acts.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Makes everything durable as one act. When it returns, the act survives power loss.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: nothing was kept. [`Error::Uncertain`]: perhaps.
    pub async fn commit(self, entry: Entry) -> Result<Committed, Error> {
        self.commit_all(vec![entry]).await
    }

    /// Makes everything durable as these acts, which share one revision.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub async fn commit_all(mut self, entries: Vec<Entry>) -> Result<Committed, Error> {
        let changes: BTreeSet<ChangeKind> =
            entries.iter().flat_map(|entry| &entry.changes).copied().collect();
        let taken = (!changes.is_empty()).then(|| Revision::new(self.revision + 1));
        for change in changes {
            self.record_change(self.revision + 1, change).await?;
        }
        for entry in entries {
            self.record_event(entry, taken).await?;
        }
        let current = taken.unwrap_or(Revision::new(self.revision));
        let updated = sqlx::query("UPDATE ledger SET revision = $1, audit_sequence = $2, audit_head = $3")
            .bind(current.get())
            .bind(self.sequence)
            .bind(self.head.to_string())
            .execute(self.connection())
            .await?;
        Error::exactly_one("ledger", updated.rows_affected())?;
        let sequence = self.sequence;
        self.inner
            .commit()
            .await
            .map_err(|error| Error::Uncertain(Box::new(error)))?;
        Ok(Committed {
            revision: taken,
            current,
            sequence,
        })
    }

    /// Undoes everything and waits until that is done; dropping does the same without waiting.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it is undone when the connection ends.
    pub async fn rollback(self) -> Result<(), Error> {
        Ok(self.inner.rollback().await?)
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.inner
    }

    async fn record_change(&mut self, revision: i64, change: ChangeKind) -> Result<(), Error> {
        sqlx::query("INSERT INTO changes (revision, kind, subject) VALUES ($1, $2, $3)")
            .bind(revision)
            .bind(change.kind())
            .bind(change.subject())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    async fn record_event(&mut self, entry: Entry, taken: Option<Revision>) -> Result<(), Error> {
        let event = AuditEvent {
            sequence: self.sequence + 1,
            at: self.now,
            revision: taken.filter(|_| !entry.changes.is_empty()),
            actor: entry.actor,
            account: entry.account,
            act: entry.act,
            subject: entry.subject,
            details: entry.details,
        };
        self.head = self.head.then(&event);
        self.sequence = event.sequence;
        let head = self.head.to_string();
        sqlx::query(
            "INSERT INTO audit_events (sequence, at, revision, actor, account_id, act, subject, details, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(event.sequence)
        .bind(event.at.micros())
        .bind(event.revision.map(Revision::get))
        .bind(event.actor.to_string())
        .bind(event.account.to_string())
        .bind(event.act.as_str())
        .bind(event.subject)
        .bind(stored::details_text(&event.details))
        .bind(head)
        .execute(self.connection())
        .await
        .map_err(Error::writing("audit event"))?;
        Ok(())
    }
}
