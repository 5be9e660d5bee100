//! The active databases with their active tables, as the data plane finds them.

use std::collections::BTreeMap;

use rescind_domain::{
    AccountId, ClusterId, DatabaseId, DatabaseView, Revision, TableId, TableName, TableView,
};

use crate::databases::read_limits;
use crate::rows::Fields;
use crate::seam::Connection;
use crate::tables::read_max_columns;
use crate::{Catalog, Error, catalog};

/// Every active database as of one revision.
#[derive(Debug, Clone)]
pub struct Directory {
    /// The revision.
    pub revision: Revision,
    /// The databases, in order of their ids.
    pub entries: Vec<DirectoryEntry>,
}

/// An active database and whose it is.
#[derive(Debug, Clone)]
pub struct DirectoryEntry {
    /// The account that owns its cluster.
    pub account: AccountId,
    /// The cluster that owns it.
    pub cluster: ClusterId,
    /// The database.
    pub view: DatabaseView,
}

impl Catalog {
    /// Every active database.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load_directory(&self) -> Result<Directory, Error> {
        let mut snapshot = self.snapshot().await?;
        let revision = catalog::revision(&mut snapshot).await?;
        let entries = load(&mut snapshot, 1, i64::MAX).await?;
        Ok(Directory { revision, entries })
    }

    /// One database if it is active.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn directory_entry(&self, id: DatabaseId) -> Result<Option<DirectoryEntry>, Error> {
        let mut snapshot = self.feed_snapshot().await?;
        let found = load(&mut snapshot, id.get(), id.get()).await?.pop();
        snapshot.commit().await?;
        Ok(found)
    }
}

/// The active databases with ids from `first` to `last`.
async fn load(connection: &mut Connection, first: i64, last: i64) -> Result<Vec<DirectoryEntry>, Error> {
    let mut entries = load_databases(connection, first, last).await?;
    // Aliases first: a current name takes the place of another table's earlier one.
    for (statement, table, is_current_name) in [
        (
            "SELECT a.database_id, a.name, t.id, t.max_columns FROM table_aliases a JOIN tables t ON t.id = a.table_id
             WHERE a.database_id BETWEEN $1 AND $2 AND t.deleted_at IS NULL",
            "table_aliases",
            false,
        ),
        (
            "SELECT database_id, name, id, max_columns FROM tables
             WHERE database_id BETWEEN $1 AND $2 AND deleted_at IS NULL",
            "tables",
            true,
        ),
    ] {
        let rows = sqlx::query(statement)
            .bind(first)
            .bind(last)
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            let fields = Fields::new(row, table, "id");
            let Some(entry) = entries.get_mut(&fields.int("database_id")?) else {
                continue; // Its database is deleted.
            };
            let view = TableView {
                id: fields.number("id", TableId::new)?,
                max_columns: read_max_columns(fields)?,
                is_current_name,
            };
            let name = fields.read("name", TableName::written)?;
            entry.view.tables.insert(name, view);
        }
    }
    Ok(entries.into_values().collect())
}

async fn load_databases(
    connection: &mut Connection,
    first: i64,
    last: i64,
) -> Result<BTreeMap<i64, DirectoryEntry>, Error> {
    let rows = sqlx::query(
        "SELECT d.id, c.account_id, d.cluster_id, d.name, d.max_tables, d.max_columns, d.retention_nanos
         FROM databases d JOIN clusters c ON c.id = d.cluster_id
         WHERE d.id BETWEEN $1 AND $2 AND d.deleted_at IS NULL",
    )
    .bind(first)
    .bind(last)
    .fetch_all(&mut *connection)
    .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::new(row, "databases", "id");
            let entry = DirectoryEntry {
                account: fields.parse("account_id")?,
                cluster: fields.parse("cluster_id")?,
                view: DatabaseView {
                    id: fields.number("id", DatabaseId::new)?,
                    name: fields.parse("name")?,
                    limits: read_limits(fields)?,
                    tables: BTreeMap::new(),
                },
            };
            Ok((entry.view.id.get(), entry))
        })
        .collect()
}
