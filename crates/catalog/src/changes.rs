//! The feed of changes: what a node must look at again.

use rescind_domain::{DatabaseId, DatabaseTokenId, ManagementTokenId, Revision, SessionId, UserId};
use sqlx::any::AnyRow;

use crate::rows::Fields;
use crate::{Catalog, Error};

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
}

/// What happened after a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// These changes, in order of revision.
    Changes {
        /// Every change of every revision up to `through`.
        changes: Vec<Change>,
        /// Whoever applies them is as of this revision.
        through: Revision,
        /// Whether there are later ones: ask again from `through`.
        more: bool,
    },
    /// Changes that were asked for are pruned: load everything anew.
    Pruned,
}

impl Catalog {
    /// What happened after `after`, about `limit` changes of it: a revision is never cut in two.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn changes_after(&self, after: Revision, limit: u32) -> Result<Feed, Error> {
        let mut snapshot = self.feed_snapshot().await?;
        let ledger = sqlx::query("SELECT singleton, revision, changes_floor FROM ledger")
            .fetch_one(&mut *snapshot)
            .await?;
        let ledger = Fields::new(&ledger, "ledger", "singleton");
        let current = ledger.int("revision")?;
        if after.get() < ledger.int("changes_floor")? {
            return Ok(Feed::Pruned);
        }
        // The last revision that fits, or the very next one if that alone is larger.
        let through = sqlx::query(
            "SELECT 1 AS singleton, COALESCE(MAX(revision), $2) AS revision FROM (
                 SELECT revision FROM changes WHERE revision > $1 ORDER BY revision LIMIT $3) AS first_changes",
        )
        .bind(after.get())
        .bind(current)
        .bind(i64::from(limit.max(1)))
        .fetch_one(&mut *snapshot)
        .await?;
        let through = Fields::new(&through, "changes", "singleton").int("revision")?;
        let rows = sqlx::query(
            "SELECT revision, kind, subject FROM changes WHERE revision > $1 AND revision <= $2
             ORDER BY revision, kind, subject",
        )
        .bind(after.get())
        .bind(through)
        .fetch_all(&mut *snapshot)
        .await?;
        Ok(Feed::Changes {
            changes: rows.iter().map(read).collect::<Result<_, _>>()?,
            through: Revision::new(through),
            more: through < current,
        })
    }

    /// Forgets changes up to and with `through`, which every node must have applied. Returns how many were forgotten.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn prune_changes(&self, through: Revision) -> Result<u64, Error> {
        let backend = self.pools.backend;
        let mut transaction = self.pools.writers.begin_with(backend.begin_writing()).await?;
        // The floor never passes the revision, or what is committed next would count as pruned.
        sqlx::query(
            "UPDATE ledger SET changes_floor = CASE
                 WHEN changes_floor >= $1 THEN changes_floor WHEN revision < $1 THEN revision ELSE $1 END",
        )
        .bind(through.get())
        .execute(&mut *transaction)
        .await?;
        let pruned = sqlx::query("DELETE FROM changes WHERE revision <= (SELECT changes_floor FROM ledger)")
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(pruned.rows_affected())
    }
}

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
    })
}
