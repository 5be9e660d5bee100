//! Purging: what was deleted and can no longer be restored leaves the lists, and its data the disk. The row stays, so
//! that its id still means something to whoever reads the audit log.

use rescind_domain::{Database, DatabaseId, Table, TableId, Timestamp};
use sqlx::AssertSqlSafe;

use crate::databases::read_database;
use crate::pools::Pools;
use crate::rows::Fields;
use crate::tables::read_table;
use crate::{Catalog, Error, Transaction};

/// Runs a statement that deletes at most a thousand rows up to its one argument, until there are none. Each run is a
/// transaction of its own: a revocation that comes in between waits for a thousand rows at most. `{free}` ends the selection
/// of the rows: those that somebody is writing can wait.
pub(crate) async fn purge_in_batches(
    pools: &Pools,
    statement: &'static str,
    before: i64,
) -> Result<u64, Error> {
    let statement = statement.replace("{free}", pools.backend.lock_free_rows());
    let mut purged = 0;
    loop {
        let batch = sqlx::query(AssertSqlSafe(statement.clone()))
            .bind(before)
            .execute(&mut *pools.writers.take().await?)
            .await?
            .rows_affected();
        if batch == 0 {
            return Ok(purged);
        }
        purged += batch;
    }
}

impl Catalog {
    /// What time it is for the server that keeps the catalog, if it has a clock of its own: a second opinion for whoever is
    /// about to destroy something, because any one clock may be wrong.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn server_time(&self) -> Result<Option<Timestamp>, Error> {
        let Some(ask) = self.pools.backend.server_time() else {
            return Ok(None);
        };
        let row = sqlx::query(ask).fetch_one(&mut *self.reader().await?).await?;
        Fields::new(&row, "clock", "now").opt_time("now")
    }

    /// Databases deleted before `before` and not purged, at most a thousand, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn databases_to_purge(&self, before: Timestamp) -> Result<Vec<Database>, Error> {
        let rows = sqlx::query(
            "SELECT d.id, c.account_id, d.cluster_id, d.name, d.max_tables, d.max_columns, d.retention_nanos,
                 d.partition_template, d.created_at, d.deleted_at
             FROM databases d JOIN clusters c ON c.id = d.cluster_id
             WHERE d.deleted_at < $1 AND d.deleted_at IS NOT NULL AND d.purged_at IS NULL
             ORDER BY d.deleted_at, d.id LIMIT 1000",
        )
        .bind(before.micros())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(read_database).collect()
    }

    /// Tables deleted before `before` and not purged, at most a thousand, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn tables_to_purge(&self, before: Timestamp) -> Result<Vec<Table>, Error> {
        let rows = sqlx::query(
            "SELECT id, database_id, name, max_columns, partition_template, created_at, deleted_at
             FROM tables WHERE deleted_at < $1 AND deleted_at IS NOT NULL AND purged_at IS NULL
             ORDER BY deleted_at, id LIMIT 1000",
        )
        .bind(before.micros())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(read_table).collect()
    }
}

impl Catalog {
    /// Those of `tables` that were purged, alone or with their database.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn purged_tables(&self, tables: &[TableId]) -> Result<Vec<TableId>, Error> {
        let mut reader = self.reader().await?;
        let mut purged = Vec::new();
        for table in tables {
            let found = sqlx::query("SELECT id FROM tables WHERE id = $1 AND purged_at IS NOT NULL")
                .bind(table.get())
                .fetch_optional(&mut *reader)
                .await?;
            purged.extend(found.map(|_| *table));
        }
        Ok(purged)
    }
}

impl Transaction {
    /// Marks a deleted database and all its tables as purged, for good.
    ///
    /// # Errors
    /// [`Error::Missing`] unless it is deleted and not yet purged, [`Error::Unavailable`].
    pub async fn purge_database(&mut self, id: DatabaseId) -> Result<(), Error> {
        let now = self.now().micros();
        let purged = sqlx::query(
            "UPDATE databases SET purged_at = $1 WHERE id = $2 AND deleted_at IS NOT NULL AND purged_at IS NULL",
        )
        .bind(now)
        .bind(id.get())
        .execute(self.connection())
        .await?;
        Error::exactly_one("deleted database", purged.rows_affected())?;
        sqlx::query(
            "UPDATE tables SET deleted_at = COALESCE(deleted_at, $1), purged_at = $1
             WHERE database_id = $2 AND purged_at IS NULL",
        )
        .bind(now)
        .bind(id.get())
        .execute(self.connection())
        .await?;
        sqlx::query("DELETE FROM table_aliases WHERE database_id = $1")
            .bind(id.get())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Marks a deleted table as purged, for good.
    ///
    /// # Errors
    /// [`Error::Missing`] unless it is deleted and not yet purged, [`Error::Unavailable`].
    pub async fn purge_table(&mut self, id: TableId) -> Result<(), Error> {
        let purged = sqlx::query(
            "UPDATE tables SET purged_at = $1 WHERE id = $2 AND deleted_at IS NOT NULL AND purged_at IS NULL",
        )
        .bind(self.now().micros())
        .bind(id.get())
        .execute(self.connection())
        .await?;
        Error::exactly_one("deleted table", purged.rows_affected())?;
        sqlx::query("DELETE FROM table_aliases WHERE table_id = $1")
            .bind(id.get())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
