//! Sessions of users. What enforcement must know of them is in [`crate::Grant::Session`].

use rescind_domain::{SecretHash, Session, SessionId, Timestamp, UserId};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::purges::purge_in_batches;
use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, Error, Transaction};

/// What a session is read from.
const SESSION: &str = "id, user_id, kind, address, agent, created_at, expires_at, last_used_at, ended_at";

impl Catalog {
    /// The sessions of `user` that have neither ended nor expired at `now`, newest first, at most a thousand.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, Error> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {SESSION} FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
             ORDER BY created_at DESC, id DESC LIMIT 1000",
        )))
        .bind(user.to_string())
        .bind(now.micros())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(read_session).collect()
    }

    /// When sessions that have not ended were last used: of those used at `since` or later, the latest hundred thousand.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn sessions_used_since(&self, since: Timestamp) -> Result<Vec<(SessionId, Timestamp)>, Error> {
        let rows = sqlx::query(
            "SELECT id, last_used_at FROM sessions WHERE last_used_at >= $1 AND ended_at IS NULL
             ORDER BY last_used_at DESC LIMIT 100000",
        )
        .bind(since.micros())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter()
            .map(|row| {
                let fields = Fields::new(row, "sessions", "id");
                Ok((fields.parse("id")?, fields.time("last_used_at")?))
            })
            .collect()
    }

    /// Forgets sessions that have ended and expired before `before`. Returns how many. What has not ended stays, however
    /// old: nodes were not told of it, and an act that ends a user's sessions must find it.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: batches before the failing one are forgotten.
    pub async fn purge_sessions(&self, before: Timestamp) -> Result<u64, Error> {
        let statement = "DELETE FROM sessions WHERE id IN (
                 SELECT id FROM sessions WHERE ended_at IS NOT NULL AND expires_at < $1 LIMIT 1000 {free})";
        purge_in_batches(&self.pools, statement, before.micros()).await
    }
}

impl Transaction {
    /// Keeps a new session.
    ///
    /// # Errors
    /// [`Error::Conflict`] on a known id or secret, [`Error::Missing`] without its user, [`Error::Unavailable`].
    pub async fn insert_session(&mut self, session: &Session, secret: &SecretHash) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO sessions (id, user_id, kind, secret_hash, address, agent, created_at, expires_at, last_used_at,
                 ended_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(session.id.to_string())
        .bind(session.user.to_string())
        .bind(session.kind.as_str())
        .bind(secret.as_bytes().to_vec())
        .bind(session.client.address.to_string())
        .bind(session.client.agent.as_str().to_owned())
        .bind(session.created_at.micros())
        .bind(session.expires_at.micros())
        .bind(session.last_used_at.map(Timestamp::micros))
        .bind(session.ended_at.map(Timestamp::micros))
        .execute(self.connection())
        .await
        .map_err(Error::writing("session"))?;
        Ok(())
    }

    /// Ends a session. `false` if it had ended before, or there is none with this id.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end_session(&mut self, id: SessionId, at: Timestamp) -> Result<bool, Error> {
        let ended = sqlx::query("UPDATE sessions SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL")
            .bind(at.micros())
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Ends every session of `user` but `except`. Returns, in order, those that had not ended before.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn end_sessions_of(
        &mut self,
        user: UserId,
        at: Timestamp,
        except: Option<SessionId>,
    ) -> Result<Vec<SessionId>, Error> {
        let rows = sqlx::query(
            "UPDATE sessions SET ended_at = $1 WHERE user_id = $2 AND ended_at IS NULL AND id <> $3 RETURNING id",
        )
        .bind(at.micros())
        .bind(user.to_string())
        // No id is empty.
        .bind(except.map(|id| id.to_string()).unwrap_or_default())
        .fetch_all(self.connection())
        .await?;
        sorted_ids(&rows)
    }

    /// Ends up to a thousand sessions that expired before `before`. Returns which, and whose they were.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn end_expired_sessions(
        &mut self,
        at: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<(UserId, SessionId)>, Error> {
        let rows = sqlx::query(
            "UPDATE sessions SET ended_at = $1 WHERE id IN (
                 SELECT id FROM sessions WHERE ended_at IS NULL AND expires_at < $2 ORDER BY id LIMIT 1000)
             RETURNING id, user_id",
        )
        .bind(at.micros())
        .bind(before.micros())
        .fetch_all(self.connection())
        .await?;
        let read = |row| {
            let fields = Fields::new(row, "sessions", "id");
            Ok((fields.parse("user_id")?, fields.parse("id")?))
        };
        rows.iter().map(read).collect()
    }

    /// Ends the sessions of `user` that were unused longest, so that `kept` remain which have neither ended nor expired.
    /// Returns, in order, which it ended; at most a thousand.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn end_sessions_beyond(
        &mut self,
        user: UserId,
        at: Timestamp,
        kept: u32,
    ) -> Result<Vec<SessionId>, Error> {
        let rows = sqlx::query(
            "UPDATE sessions SET ended_at = $1 WHERE id IN (
                 SELECT id FROM sessions WHERE user_id = $2 AND ended_at IS NULL AND expires_at > $1
                 ORDER BY COALESCE(last_used_at, created_at) DESC, id DESC LIMIT 1000 OFFSET $3) RETURNING id",
        )
        .bind(at.micros())
        .bind(user.to_string())
        .bind(i64::from(kept))
        .fetch_all(self.connection())
        .await?;
        sorted_ids(&rows)
    }
}

pub(crate) async fn find_session(
    connection: &mut Connection,
    id: SessionId,
) -> Result<Option<Session>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {SESSION} FROM sessions WHERE id = $1"
    )))
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_session).transpose()
}

pub(crate) async fn find_session_of_secret(
    connection: &mut Connection,
    secret: &SecretHash,
) -> Result<Option<Session>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {SESSION} FROM sessions WHERE secret_hash = $1"
    )))
    .bind(secret.as_bytes().to_vec())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_session).transpose()
}

pub(crate) async fn find_sessions_of(
    connection: &mut Connection,
    user: UserId,
) -> Result<Vec<SessionId>, Error> {
    let rows = sqlx::query("SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY id")
        .bind(user.to_string())
        .fetch_all(connection)
        .await?;
    read_ids(&rows)
}

fn sorted_ids(rows: &[AnyRow]) -> Result<Vec<SessionId>, Error> {
    let mut ids = read_ids(rows)?;
    ids.sort_unstable();
    Ok(ids)
}

fn read_ids(rows: &[AnyRow]) -> Result<Vec<SessionId>, Error> {
    rows.iter()
        .map(|row| Fields::new(row, "sessions", "id").parse("id"))
        .collect()
}

fn read_session(row: &AnyRow) -> Result<Session, Error> {
    let fields = Fields::new(row, "sessions", "id");
    Ok(Session {
        id: fields.parse("id")?,
        user: fields.parse("user_id")?,
        kind: fields.parse("kind")?,
        client: fields.client()?,
        created_at: fields.time("created_at")?,
        expires_at: fields.time("expires_at")?,
        last_used_at: fields.opt_time("last_used_at")?,
        ended_at: fields.opt_time("ended_at")?,
    })
}
