//! Every token, revoked ones included: what an index in memory is built from and kept current by.

use futures::TryStreamExt;
use rescind_domain::{
    AccountId, Cluster, ClusterId, DatabaseToken, DatabaseTokenId, ManagementToken, ManagementTokenId,
    Revision,
};
use sqlx::AssertSqlSafe;

use crate::grants::Shared;
use crate::tokens::{
    DATABASE_TOKEN, MANAGEMENT_TOKEN, read_database_token, read_database_token_of, read_management_token,
};
use crate::usage::placeholders;
use crate::{Catalog, Error, accounts, catalog};

/// How many ids one statement names.
const BATCH: usize = 500;

impl Catalog {
    /// Hands every database token of `cluster` to `take`, in no order; together they are the state as of the revision
    /// returned. Equal sets of permissions are shared.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`]: what was handed over by then is not everything.
    pub async fn load_database_tokens(
        &self,
        cluster: ClusterId,
        take: &mut (dyn FnMut(DatabaseToken) + Send),
    ) -> Result<Revision, Error> {
        let mut snapshot = self.snapshot().await?;
        let revision = catalog::revision(&mut snapshot).await?;
        // The account is read once: as a column it would be made a million times over.
        let Some(Cluster { account, .. }) = accounts::find_cluster(&mut snapshot, cluster).await? else {
            return Ok(revision);
        };
        let mut shared = Shared::default();
        // One pass over the table instead of a look-up for every row of an index, which an expression in the place of
        // the column keeps SQLite from.
        let mut rows = sqlx::query(
            "SELECT id, cluster_id, description, permissions, prefix, created_at, created_by, expires_at, revoked_at,
                 last_used_at
             FROM database_tokens WHERE cluster_id || '' = $1",
        )
        .bind(cluster.to_string())
        .fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await? {
            take(read_database_token_of(account, &row, &mut shared)?);
        }
        Ok(revision)
    }

    /// Hands every management token of `account` to `take`, as [`Self::load_database_tokens`] does.
    ///
    /// # Errors
    /// As [`Self::load_database_tokens`].
    pub async fn load_management_tokens(
        &self,
        account: AccountId,
        take: &mut (dyn FnMut(ManagementToken) + Send),
    ) -> Result<Revision, Error> {
        let mut snapshot = self.snapshot().await?;
        let revision = catalog::revision(&mut snapshot).await?;
        let mut rows = sqlx::query(
            "SELECT id, account_id, description, prefix, created_at, created_by, expires_at, revoked_at, last_used_at
             FROM management_tokens WHERE account_id || '' = $1",
        )
        .bind(account.to_string())
        .fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await? {
            take(read_management_token(&row)?);
        }
        Ok(revision)
    }

    /// The database tokens with these ids, of whatever cluster, in no order; unknown ids are passed over.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn database_tokens_by_ids(&self, ids: &[DatabaseTokenId]) -> Result<Vec<DatabaseToken>, Error> {
        let mut connection = self.reader().await?;
        let mut found = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let statement = format!(
                "SELECT {DATABASE_TOKEN} FROM database_tokens t WHERE t.id IN ({})",
                placeholders(batch.len(), 1)
            );
            let query = batch
                .iter()
                .fold(sqlx::query(AssertSqlSafe(statement)), |query, id| {
                    query.bind(id.to_string())
                });
            for row in query.fetch_all(&mut *connection).await? {
                found.push(read_database_token(&row)?);
            }
        }
        Ok(found)
    }

    /// The management tokens with these ids, as [`Self::database_tokens_by_ids`] finds them.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn management_tokens_by_ids(
        &self,
        ids: &[ManagementTokenId],
    ) -> Result<Vec<ManagementToken>, Error> {
        let mut connection = self.reader().await?;
        let mut found = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let statement = format!(
                "SELECT {MANAGEMENT_TOKEN} FROM management_tokens t WHERE t.id IN ({})",
                placeholders(batch.len(), 1)
            );
            let query = batch
                .iter()
                .fold(sqlx::query(AssertSqlSafe(statement)), |query, id| {
                    query.bind(id.to_string())
                });
            for row in query.fetch_all(&mut *connection).await? {
                found.push(read_management_token(&row)?);
            }
        }
        Ok(found)
    }
}
