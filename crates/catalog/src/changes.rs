//! The feed of changes: what a node must look at again.

use rescind_domain::{DatabaseId, DatabaseTokenId, ManagementTokenId, Revision, SessionId, UserId};
use sqlx::any::AnyRow;

use crate::purges::purge_in_batches;
use crate::rows::Fields;
use crate::{Catalog, Error, FeedPlace, places};

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// This database token.
    DatabaseToken(DatabaseTokenId),
    /// This management token.
    ManagementToken(ManagementTokenId),
    /// This database, or a table of it.
    Database(DatabaseId),
    /// This user.
    User(UserId),
    /// This session.
    Session(SessionId),
}

impl ChangeKind {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::DatabaseToken(_) => "database_token",
            Self::ManagementToken(_) => "management_token",
            Self::Database(_) => "database",
            Self::User(_) => "user",
            Self::Session(_) => "session",
        }
    }

    pub(crate) fn subject(self) -> String {
        match self {
            Self::DatabaseToken(id) => id.to_string(),
            Self::ManagementToken(id) => id.to_string(),
            Self::Database(id) => id.to_string(),
            Self::User(id) => id.to_string(),
            Self::Session(id) => id.to_string(),
        }
    }
}

/// One change: look at `what` again, it is now as of `revision` or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The revision that made it.
    pub revision: Revision,
    /// What it is about.
    pub what: ChangeKind,
    /// Whether it allows nothing any more, since this change or a later one: a token that was revoked, a session that
    /// ended or whose user is disabled. There is nothing to look at.
    pub is_gone: bool,
}

/// What happened after a place of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// These changes, in order of revision.
    Changes {
        /// Every change up to `through`.
        changes: Vec<Change>,
        /// Whoever applies them has come so far.
        through: FeedPlace,
        /// Whether there may be later ones: ask again from `through`.
        more: bool,
    },
    /// Changes that were asked for are pruned: load everything anew.
    Pruned,
}

impl Catalog {
    /// What happened after `after`, at most `limit` changes of it. One round trip, for it is what every node asks after
    /// every act of any of them.
    ///
    /// # Errors
    /// [`Error::Rewound`], [`Error::NewerSchema`], [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn changes_after(&self, after: impl Into<FeedPlace>, limit: u32) -> Result<Feed, Error> {
        let after = after.into();
        let limit = limit.max(1);
        // Nothing comes before the empty word.
        let (kind, subject) = after
            .within
            .map_or(("", String::new()), |what| (what.kind(), what.subject()));
        let rows = sqlx::query(FEED)
            .bind(after.audit.sequence)
            .bind(after.audit.head.to_string())
            .bind(after.revision.get() + 1)
            .bind(kind)
            .bind(subject)
            .bind(i64::from(limit))
            .fetch_all(&mut *self.feed_reader().await?)
            .await?;
        let ledger = rows.first().ok_or(Error::Missing { what: "ledger" })?;
        let ledger = Fields::new(ledger, "ledger", "singleton");
        let present = places::present(ledger, after)?;
        if after.revision.get() < ledger.int("changes_floor")? {
            return Ok(Feed::Pruned);
        }
        // Without changes there is still one row, for the ledger.
        let is_quiet = ledger.opt_int("revision")?.is_none();
        let rows = if is_quiet { &[] } else { &rows[..] };
        let changes = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let cut_off = changes.last().filter(|_| changes.len() >= limit as usize);
        let through = cut_off.map_or(present, |last| FeedPlace {
            revision: Revision::new(last.revision.get() - 1),
            within: Some(last.what),
            ..present
        });
        Ok(Feed::Changes {
            more: cut_off.is_some(),
            changes,
            through,
        })
    }

    /// Forgets changes up to and with `through`, which every node must have applied. Returns how many were forgotten. The
    /// ledger is held only to say so, for there may be very many.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: batches before the failing one are forgotten, the others by the next call.
    pub async fn prune_changes(&self, through: Revision) -> Result<u64, Error> {
        // The floor never passes the revision, or what is committed next would count as pruned.
        let ledger = sqlx::query(
            "UPDATE ledger SET changes_floor = CASE
                 WHEN changes_floor >= $1 THEN changes_floor WHEN revision < $1 THEN revision ELSE $1 END
             RETURNING singleton, changes_floor",
        )
        .bind(through.get())
        .fetch_one(&mut *self.pools.writers.take().await?)
        .await?;
        let floor = Fields::new(&ledger, "ledger", "singleton").int("changes_floor")?;
        // Every node does this, and at about the same time.
        let statement = "DELETE FROM changes WHERE (revision, kind, subject) IN (
                 SELECT revision, kind, subject FROM changes WHERE revision <= $1
                 ORDER BY revision, kind, subject LIMIT 1000 {free})";
        purge_in_batches(&self.pools, statement, floor).await
    }
}

/// The first changes after a place, with what became of their subjects, with the ledger as it was at the same moment, and
/// with whether the audit log holds the event that was its last at that place. Up to the ledger's revision: what is being
/// written beyond it may be very much, and is passed over one by one otherwise. Each subject is asked for by itself: as a list
/// of what exists, PostgreSQL might read a whole table for it.
const FEED: &str = "
    SELECT l.singleton, l.revision AS current, l.changes_floor, l.schema_version, l.audit_sequence, l.audit_head,
        (SELECT COUNT(*) FROM audit_events WHERE sequence = $1 AND hash = $2) AS holds_seen,
        c.revision, c.kind, c.subject,
        CASE c.kind
            WHEN 'database_token' THEN (
                SELECT CAST(1 AS BIGINT) FROM database_tokens t WHERE t.id = c.subject AND t.revoked_at IS NULL)
            WHEN 'management_token' THEN (
                SELECT CAST(1 AS BIGINT) FROM management_tokens t WHERE t.id = c.subject AND t.revoked_at IS NULL)
            WHEN 'session' THEN (
                SELECT CAST(1 AS BIGINT) FROM sessions s JOIN users u ON u.id = s.user_id
                WHERE s.id = c.subject AND s.ended_at IS NULL AND u.disabled_at IS NULL)
            ELSE CAST(1 AS BIGINT)
        END AS lives
    FROM ledger l LEFT JOIN (
        SELECT revision, kind, subject FROM changes WHERE (revision, kind, subject) > ($3, $4, $5)
            AND revision <= (SELECT revision FROM ledger WHERE singleton = 1)
        ORDER BY revision, kind, subject LIMIT $6) AS c ON 1 = 1
    WHERE l.singleton = 1
    ORDER BY c.revision, c.kind, c.subject";

fn read(row: &AnyRow) -> Result<Change, Error> {
    let fields = Fields::new(row, "changes", "revision");
    let what = match fields.text("kind")? {
        "database_token" => ChangeKind::DatabaseToken(fields.parse("subject")?),
        "management_token" => ChangeKind::ManagementToken(fields.parse("subject")?),
        "database" => ChangeKind::Database(fields.parse("subject")?),
        "user" => ChangeKind::User(fields.parse("subject")?),
        "session" => ChangeKind::Session(fields.parse("subject")?),
        other => return Err(fields.corrupt("kind", format!("{other:?} is no kind of change"))),
    };
    Ok(Change {
        revision: Revision::new(fields.int("revision")?),
        what,
        is_gone: fields.opt_int("lives")?.is_none(),
    })
}
