//! Device requests (RFC 8628). That a program asks is no administrative act: no revision, no audit event. That a user
//! answers is one, and goes through a [`Transaction`].

use std::net::IpAddr;

use rescind_domain::{DeviceRequest, DeviceState, SecretHash, Timestamp, UserCode, UserId};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::purges::purge_in_batches;
use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, Error, Transaction};

/// What a device request is read from.
const DEVICE_REQUEST: &str =
    "id, user_code, client_id, host, address, agent, created_at, expires_at, state, user_id";

impl Catalog {
    /// Keeps a new device request, unless `most_pending` wait already that have not expired when it was made; then it
    /// returns `false`. Requests that several nodes keep at the same moment may exceed the limit by their number.
    ///
    /// # Errors
    /// [`Error::Conflict`] on a known id, code or secret; [`Error::Unavailable`].
    pub async fn insert_device_request(
        &self,
        request: &DeviceRequest,
        secret: &SecretHash,
        most_pending: u32,
    ) -> Result<bool, Error> {
        let (state, user) = columns(request.state);
        let inserted = sqlx::query(
            "INSERT INTO device_requests (id, user_code, secret_hash, client_id, host, address, agent, created_at,
                 expires_at, state, user_id)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
             WHERE (SELECT COUNT(*) FROM device_requests WHERE state = 'pending' AND expires_at > $8) < $12",
        )
        .bind(request.id.to_string())
        .bind(request.user_code.letters().to_owned())
        .bind(secret.as_bytes().to_vec())
        .bind(request.client_id.clone())
        .bind(request.host.clone())
        .bind(request.client.address.to_string())
        .bind(request.client.agent.as_str().to_owned())
        .bind(request.created_at.micros())
        .bind(request.expires_at.micros())
        .bind(state)
        .bind(user)
        .bind(i64::from(most_pending))
        .execute(&mut *self.pools.writers.take().await?)
        .await
        .map_err(Error::writing("device request"))?;
        Ok(inserted.rows_affected() == 1)
    }

    /// Where the requests came from that wait at `now`, at most a thousand.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn pending_device_addresses(&self, now: Timestamp) -> Result<Vec<IpAddr>, Error> {
        let rows = sqlx::query(
            "SELECT id, address FROM device_requests WHERE state = 'pending' AND expires_at > $1 LIMIT 1000",
        )
        .bind(now.micros())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter()
            .map(|row| Fields::new(row, "device_requests", "id").parse("address"))
            .collect()
    }

    /// Forgets device requests that expired before `before`. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: batches before the failing one are forgotten.
    pub async fn purge_device_requests(&self, before: Timestamp) -> Result<u64, Error> {
        let statement = "DELETE FROM device_requests WHERE id IN (
                 SELECT id FROM device_requests WHERE expires_at < $1 LIMIT 1000 {free})";
        purge_in_batches(&self.pools, statement, before.micros()).await
    }
}

impl Transaction {
    /// Keeps the state of a known device request; the rest of it an answer does not change.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unavailable`].
    pub async fn update_device_request(&mut self, request: &DeviceRequest) -> Result<(), Error> {
        let (state, user) = columns(request.state);
        let updated = sqlx::query("UPDATE device_requests SET state = $1, user_id = $2 WHERE id = $3")
            .bind(state)
            .bind(user)
            .bind(request.id.to_string())
            .execute(self.connection())
            .await?;
        Error::exactly_one("device request", updated.rows_affected())
    }

    /// Refuses every device request that `user` approved and that no device has come back for. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn deny_approved_device_requests(&mut self, user: UserId) -> Result<u64, Error> {
        let denied = sqlx::query(
            "UPDATE device_requests SET state = 'denied', user_id = NULL WHERE state = 'approved' AND user_id = $1",
        )
        .bind(user.to_string())
        .execute(self.connection())
        .await?;
        Ok(denied.rows_affected())
    }
}

fn columns(state: DeviceState) -> (&'static str, Option<String>) {
    match state {
        DeviceState::Pending => ("pending", None),
        DeviceState::Approved { user } => ("approved", Some(user.to_string())),
        DeviceState::Denied => ("denied", None),
        DeviceState::Redeemed => ("redeemed", None),
    }
}

pub(crate) async fn find_device_request_by_code(
    connection: &mut Connection,
    code: &UserCode,
) -> Result<Option<DeviceRequest>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {DEVICE_REQUEST} FROM device_requests WHERE user_code = $1"
    )))
    .bind(code.letters().to_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_device_request).transpose()
}

pub(crate) async fn find_device_request_by_secret(
    connection: &mut Connection,
    secret: &SecretHash,
) -> Result<Option<DeviceRequest>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {DEVICE_REQUEST} FROM device_requests WHERE secret_hash = $1"
    )))
    .bind(secret.as_bytes().to_vec())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_device_request).transpose()
}

fn read_device_request(row: &AnyRow) -> Result<DeviceRequest, Error> {
    let fields = Fields::new(row, "device_requests", "id");
    Ok(DeviceRequest {
        id: fields.parse("id")?,
        user_code: fields.parse("user_code")?,
        client_id: fields.text("client_id")?.to_owned(),
        host: fields.text("host")?.to_owned(),
        client: fields.client()?,
        created_at: fields.time("created_at")?,
        expires_at: fields.time("expires_at")?,
        state: match fields.text("state")? {
            "pending" => DeviceState::Pending,
            "approved" => DeviceState::Approved {
                user: fields.parse::<UserId>("user_id")?,
            },
            "denied" => DeviceState::Denied,
            "redeemed" => DeviceState::Redeemed,
            other => return Err(fields.corrupt("state", format!("{other:?} is no state"))),
        },
    })
}
