//! Tokens and sessions as enforcement loads them: all at once at start, one by one as the feed names them.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use futures::TryStreamExt;
use rescind_domain::{
    AccountId, Actor, ClusterId, DatabaseGrant, DatabaseTokenId, ManagementGrant, ManagementTokenId,
    Permissions, SecretHash, SessionGrant, SessionId, Timestamp,
};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, Error, FeedPlace, places, stored};

/// What a token that is not revoked, or a session that has not ended, may do.
#[derive(Debug, Clone)]
pub enum Grant {
    /// By a database token.
    Database(DatabaseGrant),
    /// By a management token.
    Management(ManagementGrant),
    /// By a session of an enabled user.
    Session(SessionGrant),
}

/// A token that is not revoked, or a session that has not ended; it may have expired.
#[derive(Debug, Clone)]
pub struct LoadedGrant {
    /// What its secret is known by.
    pub secret: SecretHash,
    /// What it may do.
    pub grant: Grant,
    /// When it was last admitted, as far as the catalog knows; of a session that never was, when it began.
    pub last_used_at: Option<Timestamp>,
}

const DATABASE: &str = "SELECT id, cluster_id, permissions, secret_hash, expires_at, last_used_at
     FROM database_tokens WHERE revoked_at IS NULL";

const MANAGEMENT: &str = "SELECT id, account_id, secret_hash, expires_at, last_used_at
     FROM management_tokens WHERE revoked_at IS NULL";

const SESSION: &str =
    "SELECT s.id, s.user_id, s.kind, s.secret_hash, s.created_at, s.expires_at, s.last_used_at,
         u.account_id, u.role
     FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.ended_at IS NULL AND u.disabled_at IS NULL";

impl Catalog {
    /// What enforcement must know of these database tokens, in no order; those that are revoked or unknown are passed over.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn database_grants(&self, ids: &[DatabaseTokenId]) -> Result<Vec<LoadedGrant>, Error> {
        let mut shared = Shared::default();
        self.find_grants(DATABASE, "id", ids, |row| read_database_grant(row, &mut shared))
            .await
    }

    /// As [`Self::database_grants`], of management tokens.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn management_grants(&self, ids: &[ManagementTokenId]) -> Result<Vec<LoadedGrant>, Error> {
        self.find_grants(MANAGEMENT, "id", ids, read_management_grant)
            .await
    }

    /// As [`Self::database_grants`], of sessions: those that have ended are passed over, and those of disabled users.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn session_grants(&self, ids: &[SessionId]) -> Result<Vec<LoadedGrant>, Error> {
        self.find_grants(SESSION, "s.id", ids, read_session_grant).await
    }

    async fn find_grants<Id: Display>(
        &self,
        select: &str,
        id: &str,
        ids: &[Id],
        mut read: impl FnMut(&AnyRow) -> Result<LoadedGrant, Error>,
    ) -> Result<Vec<LoadedGrant>, Error> {
        let statement = format!("{select} AND {}", self.pools.backend.is_listed(id, "$1"));
        let mut found = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let batch: Vec<_> = batch.iter().map(ToString::to_string).collect();
            let rows = sqlx::query(AssertSqlSafe(statement.clone()))
                .bind(stored::json(&batch))
                .fetch_all(&mut *self.feed_reader().await?)
                .await?;
            for row in &rows {
                found.push(read(row)?);
            }
        }
        Ok(found)
    }

    /// Hands every token that is not revoked and every session that has not ended, of users that are enabled, to `take`;
    /// together they are the state as of the place returned, and nothing is handed over of a catalog that does not hold what
    /// was `seen` of it. Equal sets of permissions are shared.
    ///
    /// # Errors
    /// [`Error::Rewound`], [`Error::NewerSchema`], [`Error::Unavailable`], [`Error::Corrupt`]: what was handed over by then
    /// is not everything.
    pub async fn load_grants(
        &self,
        seen: impl Into<FeedPlace>,
        take: &mut (dyn FnMut(LoadedGrant) + Send),
    ) -> Result<FeedPlace, Error> {
        let seen = seen.into();
        let mut snapshot = self.snapshot().await?;
        let ledger = sqlx::query(
            "SELECT singleton, revision AS current, audit_sequence, audit_head, schema_version,
                 (SELECT COUNT(*) FROM audit_events WHERE sequence = $1 AND hash = $2) AS holds_seen
             FROM ledger",
        )
        .bind(seen.audit.sequence)
        .bind(seen.audit.head.to_string())
        .fetch_one(&mut *snapshot)
        .await?;
        let place = places::present(Fields::new(&ledger, "ledger", "singleton"), seen)?;
        let mut shared = Shared::default();
        let mut rows = sqlx::query(DATABASE).fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await? {
            take(read_database_grant(&row, &mut shared)?);
        }
        drop(rows);
        let mut rows = sqlx::query(MANAGEMENT).fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await? {
            take(read_management_grant(&row)?);
        }
        drop(rows);
        let mut rows = sqlx::query(SESSION).fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await? {
            take(read_session_grant(&row)?);
        }
        Ok(place)
    }
}

/// So many grants are read by one statement.
const BATCH: usize = 1_000;

/// What many tokens have in common.
#[derive(Default)]
pub(crate) struct Shared {
    permissions: HashMap<Box<str>, Arc<Permissions>>,
    cluster: Last<ClusterId>,
    creator: Last<Actor>,
}

impl Shared {
    pub(crate) fn permissions(&mut self, fields: Fields<'_>) -> Result<Arc<Permissions>, Error> {
        let text = fields.text("permissions")?;
        if let Some(known) = self.permissions.get(text) {
            return Ok(Arc::clone(known));
        }
        let new = Arc::new(fields.read("permissions", stored::read_permissions)?);
        self.permissions.insert(text.into(), Arc::clone(&new));
        Ok(new)
    }

    pub(crate) fn cluster(&mut self, fields: Fields<'_>) -> Result<ClusterId, Error> {
        self.cluster.parse(fields, "cluster_id")
    }

    pub(crate) fn creator(&mut self, fields: Fields<'_>) -> Result<Actor, Error> {
        self.creator.parse(fields, "created_by")
    }
}

/// What the row before held in a column where most rows hold the same.
struct Last<T>(Option<(Box<str>, T)>);

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Copy + FromStr<Err: Display>> Last<T> {
    fn parse(&mut self, fields: Fields<'_>, column: &'static str) -> Result<T, Error> {
        let text = fields.text(column)?;
        match &self.0 {
            Some((known, value)) if **known == *text => Ok(*value),
            _ => {
                let value = fields.parse(column)?;
                self.0 = Some((text.into(), value));
                Ok(value)
            }
        }
    }
}

pub(crate) async fn find_database_grant(
    connection: &mut Connection,
    id: DatabaseTokenId,
) -> Result<Option<LoadedGrant>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!("{DATABASE} AND id = $1")))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| read_database_grant(&row, &mut Shared::default()))
        .transpose()
}

pub(crate) async fn find_management_grant(
    connection: &mut Connection,
    id: ManagementTokenId,
) -> Result<Option<LoadedGrant>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!("{MANAGEMENT} AND id = $1")))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_management_grant).transpose()
}

pub(crate) async fn find_session_grant(
    connection: &mut Connection,
    id: SessionId,
) -> Result<Option<LoadedGrant>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!("{SESSION} AND s.id = $1")))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_session_grant).transpose()
}

fn read_database_grant(row: &AnyRow, shared: &mut Shared) -> Result<LoadedGrant, Error> {
    let fields = Fields::new(row, "database_tokens", "id");
    Ok(LoadedGrant {
        secret: fields.secret_hash("secret_hash")?,
        grant: Grant::Database(DatabaseGrant {
            token: fields.parse("id")?,
            cluster: shared.cluster(fields)?,
            permissions: shared.permissions(fields)?,
            expires_at: fields.opt_time("expires_at")?,
        }),
        last_used_at: fields.opt_time("last_used_at")?,
    })
}

fn read_management_grant(row: &AnyRow) -> Result<LoadedGrant, Error> {
    let fields = Fields::new(row, "management_tokens", "id");
    Ok(LoadedGrant {
        secret: fields.secret_hash("secret_hash")?,
        grant: Grant::Management(ManagementGrant {
            token: fields.parse("id")?,
            account: fields.parse::<AccountId>("account_id")?,
            expires_at: fields.opt_time("expires_at")?,
        }),
        last_used_at: fields.opt_time("last_used_at")?,
    })
}

fn read_session_grant(row: &AnyRow) -> Result<LoadedGrant, Error> {
    let fields = Fields::new(row, "sessions", "id");
    let last_used_at = match fields.opt_time("last_used_at")? {
        Some(at) => at,
        None => fields.time("created_at")?,
    };
    Ok(LoadedGrant {
        secret: fields.secret_hash("secret_hash")?,
        grant: Grant::Session(SessionGrant {
            session: fields.parse("id")?,
            kind: fields.parse("kind")?,
            user: fields.parse("user_id")?,
            account: fields.parse("account_id")?,
            role: fields.parse("role")?,
            expires_at: fields.time("expires_at")?,
        }),
        last_used_at: Some(last_used_at),
    })
}
