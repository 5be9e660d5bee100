//! Acting: one transaction that changes something, records what changed and who did it.

use std::collections::BTreeSet;

use rescind_domain::{AccountId, Act, Actor, AuditEvent, AuditHash, Clock, NodeId, Revision, Timestamp};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use tokio::sync::OwnedMutexGuard;

use crate::connections::Lent;
use crate::rows::Fields;
use crate::seam::{Backend, Connection};
use crate::{Catalog, ChangeKind, Error, FeedPlace, places, stored};

/// A transaction that acts. Dropping it undoes all of it.
///
/// It holds the ledger's lock from its first statement on, so there is one at a time in the whole installation: finish
/// it without waiting for anything else.
#[derive(Debug)]
pub struct Transaction {
    pub(crate) backend: Backend,
    pub(crate) inner: Lent,
    /// Given back once `inner` is.
    _turn: OwnedMutexGuard<()>,
    now: Timestamp,
    revision: i64,
    sequence: i64,
    head: AuditHash,
    /// Who waits until every node acts by it.
    asker: Option<NodeId>,
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
    /// Begins to act; waits for whoever acts at the moment, and only then asks what time it is: acts that follow one
    /// another say so.
    ///
    /// # Errors
    /// [`Error::Unavailable`], also when acts of this process take longer than ten seconds, or those of others after them;
    /// [`Error::NewerSchema`] if a newer release has changed the schema since the catalog was opened.
    pub async fn begin(&self, clock: &dyn Clock) -> Result<Transaction, Error> {
        self.begin_after(clock, Revision::new(0)).await
    }

    /// As [`Self::begin`], on a catalog that holds everything that was `seen` of it.
    ///
    /// # Errors
    /// [`Error::Rewound`] if it does not, and those of [`Self::begin`].
    pub async fn begin_after(
        &self,
        clock: &dyn Clock,
        seen: impl Into<FeedPlace>,
    ) -> Result<Transaction, Error> {
        let seen = seen.into();
        let backend = self.pools.backend;
        let turn = self.pools.turn().await?;
        let mut inner = self.pools.begin().await?;
        // An update, because it locks the row on PostgreSQL; on SQLite the transaction has the lock already.
        let ledger = sqlx::query(
            "UPDATE ledger SET singleton = 1
             RETURNING singleton, revision AS current, audit_sequence, audit_head, schema_version,
                 (SELECT COUNT(*) FROM audit_events WHERE sequence = $1 AND hash = $2) AS holds_seen",
        )
        .bind(seen.audit.sequence)
        .bind(seen.audit.head.to_string())
        .fetch_one(&mut *inner)
        .await?;
        let place = places::present(Fields::new(&ledger, "ledger", "singleton"), seen)?;
        Ok(Transaction {
            backend,
            now: clock.now(),
            revision: place.revision.get(),
            sequence: place.audit.sequence,
            head: place.audit.head,
            asker: None,
            inner,
            _turn: turn,
        })
    }
}

impl Transaction {
    /// Lets `node` be told as soon as another one acts by what this transaction changes.
    #[must_use]
    pub fn asked_by(self, node: NodeId) -> Self {
        Self {
            asker: Some(node),
            ..self
        }
    }

    /// The time at which it acts.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The catalog's revision as it begins.
    pub fn revision(&self) -> Revision {
        Revision::new(self.revision)
    }

    /// Makes everything durable as one act. When it returns, the act survives power loss.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: nothing was kept. [`Error::Uncertain`]: perhaps.
    pub async fn commit(self, entry: Entry) -> Result<Committed, Error> {
        self.commit_all(vec![entry]).await
    }

    /// Makes everything durable as these acts, which share one revision. There may be very many of them.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub async fn commit_all(mut self, entries: Vec<Entry>) -> Result<Committed, Error> {
        let changes: BTreeSet<ChangeKind> =
            entries.iter().flat_map(|entry| &entry.changes).copied().collect();
        let taken = (!changes.is_empty()).then(|| Revision::new(self.revision + 1));
        let current = taken.unwrap_or(Revision::new(self.revision));
        let asker = match (taken, self.asker) {
            (None, _) => String::new(),
            (Some(_), None) => NOBODY.to_owned(),
            (Some(_), Some(node)) => node.to_string(),
        };
        let (mut changes, mut entries) = (changes.into_iter(), entries.into_iter());
        loop {
            let changed = changes
                .by_ref()
                .take(ROWS)
                .map(|change| change_row(current, change));
            let changed = stored::json(&changed.collect::<Vec<_>>());
            let told = entries
                .by_ref()
                .take(ROWS)
                .map(|entry| self.event_row(entry, taken));
            let told = stored::json(&told.collect::<Vec<_>>());
            self.record(current, changed, told, &asker).await?;
            if changes.len() == 0 && entries.len() == 0 {
                break;
            }
        }
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

    /// Writes changes, audit events and the ledger as of them: one round trip, while everybody else waits for the ledger.
    /// The commit tells others of it, unless `asker` is empty.
    async fn record(
        &mut self,
        current: Revision,
        changed: String,
        told: String,
        asker: &str,
    ) -> Result<(), Error> {
        let backend = self.backend;
        let statement = backend.together([
            &format!(
                "INSERT INTO changes (revision, kind, subject)
                 SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2 FROM {}",
                backend.elements("$1")
            ),
            &format!(
                "INSERT INTO audit_events (sequence, at, revision, actor, account_id, act, subject, details, hash)
                 SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT),
                     value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8 FROM {}",
                backend.elements("$2")
            ),
            "UPDATE ledger SET revision = $3, audit_sequence = $4, audit_head = $5",
        ], "$6");
        sqlx::query(AssertSqlSafe(statement))
            .bind(changed)
            .bind(told)
            .bind(current.get())
            .bind(self.sequence)
            .bind(self.head.to_string())
            .bind(asker.to_owned())
            .execute(self.connection())
            .await
            .map_err(Error::writing("audit event"))?;
        Ok(())
    }

    /// The columns of an entry's audit event, which is the next of the chain.
    fn event_row(&mut self, entry: Entry, taken: Option<Revision>) -> impl Serialize + use<> {
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
        (
            event.sequence,
            event.at.micros(),
            event.revision.map(Revision::get),
            event.actor.to_string(),
            event.account.to_string(),
            event.act.as_str(),
            event.subject,
            stored::details_text(&event.details),
            self.head.to_string(),
        )
    }
}

/// Changes are told, and nobody waits for an answer.
const NOBODY: &str = "-";

/// So many rows of each kind go into one statement.
pub(crate) const ROWS: usize = 10_000;

fn change_row(revision: Revision, change: ChangeKind) -> impl Serialize {
    (revision.get(), change.kind(), change.subject())
}
