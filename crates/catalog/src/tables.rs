//! Tables and the names they had before they were renamed: look up, list, write.

use rescind_domain::{
    DatabaseId, MaxColumns, PartitionTemplate, Table, TableId, TableName, TableState, Timestamp,
};
use sqlx::any::AnyRow;

use crate::databases::read_template;
use crate::listings::{Filter, Key, Listing};
use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, DatabaseFilter, Error, Page, Paged, Transaction, stored};

const TABLE: &str = "id, database_id, name, max_columns, partition_template, created_at, deleted_at";

/// A table to be made.
#[derive(Debug, Clone)]
pub struct NewTable {
    /// The database that will hold it.
    pub database: DatabaseId,
    /// What requests will call it.
    pub name: TableName,
    /// The most columns it may ever have.
    pub max_columns: MaxColumns,
    /// How it is partitioned, if not as its database says.
    pub partition_template: Option<PartitionTemplate>,
}

/// Which tables to list, by name, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct TableQuery {
    /// Only these.
    pub filter: DatabaseFilter,
    /// Only those whose name holds this text, in this case.
    pub search: Option<String>,
    /// Whether the last comes first.
    pub descending: bool,
    /// Which part.
    pub page: Page,
}

impl Catalog {
    /// The tables of `database`, by name.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`], [`Error::Cursor`].
    pub async fn tables(&self, database: DatabaseId, query: &TableQuery) -> Result<Paged<Table>, Error> {
        let mut filter = Filter::default();
        filter.and("database_id = ?", [database.get().into()]);
        filter.and(query.filter.condition(), []);
        if let Some(search) = query.search.as_deref().filter(|search| !search.is_empty()) {
            filter.and_contains(&["name"], &[search.to_owned()]);
        }
        let listing = Listing {
            columns: TABLE,
            from: "tables",
            filter,
            place: Key::text("name_key"),
            id: Key::int("id"),
            descending: query.descending,
            page: &query.page,
        };
        listing.fetch(&mut *self.reader().await?, read_table).await
    }
}

impl Transaction {
    /// Makes a table and allocates its id, which no table ever had. If its name was another table's earlier name, it
    /// now means this one.
    ///
    /// # Errors
    /// [`Error::Conflict`] when an active one of the database has the name, [`Error::Missing`] without its database,
    /// [`Error::Unavailable`].
    pub async fn insert_table(&mut self, new: NewTable) -> Result<Table, Error> {
        let ledger = sqlx::query(
            "UPDATE ledger SET last_table_id = last_table_id + 1 RETURNING singleton, last_table_id",
        )
        .fetch_one(self.connection())
        .await?;
        let ledger = Fields::new(&ledger, "ledger", "singleton");
        let id = ledger.number("last_table_id", TableId::new)?;
        sqlx::query(
            "INSERT INTO tables (id, database_id, name, name_key, max_columns, partition_template, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.get())
        .bind(new.database.get())
        .bind(new.name.as_str().to_owned())
        .bind(stored::name_key(new.name.as_str()).into_owned())
        .bind(i64::from(new.max_columns.get()))
        .bind(new.partition_template.as_ref().map(stored::template_text))
        .bind(self.now().micros())
        .execute(self.connection())
        .await
        .map_err(Error::writing("table name"))?;
        self.drop_alias(new.database, &new.name).await?;
        Ok(Table {
            id,
            database: new.database,
            name: new.name,
            max_columns: new.max_columns,
            partition_template: new.partition_template,
            state: TableState::Active,
            created_at: self.now(),
        })
    }

    /// Keeps name and state of a table that is not purged; the rest of it never changes. After a change of its name it
    /// can still be reached by the old one, until another table takes that.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another active one of the database has the name, [`Error::Missing`],
    /// [`Error::Unavailable`].
    pub async fn update_table(&mut self, table: &Table) -> Result<(), Error> {
        let before = find_table(self.connection(), table.database, table.id)
            .await?
            .ok_or(Error::Missing { what: "table" })?;
        let updated = sqlx::query(
            "UPDATE tables SET name = $1, name_key = $2, deleted_at = $3
             WHERE database_id = $4 AND id = $5 AND purged_at IS NULL",
        )
        .bind(table.name.as_str().to_owned())
        .bind(stored::name_key(table.name.as_str()).into_owned())
        .bind(table.state.deleted_at().map(Timestamp::micros))
        .bind(table.database.get())
        .bind(table.id.get())
        .execute(self.connection())
        .await
        .map_err(Error::writing("table name"))?;
        Error::exactly_one("table", updated.rows_affected())?;
        if table.state == TableState::Active {
            self.drop_alias(table.database, &table.name).await?;
        }
        if before.name != table.name {
            self.keep_alias(&before).await?;
        }
        Ok(())
    }

    async fn keep_alias(&mut self, before: &Table) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO table_aliases (database_id, name_key, name, table_id) VALUES ($1, $2, $3, $4)
             ON CONFLICT (database_id, name_key) DO UPDATE SET table_id = excluded.table_id",
        )
        .bind(before.database.get())
        .bind(stored::name_key(before.name.as_str()).into_owned())
        .bind(before.name.as_str().to_owned())
        .bind(before.id.get())
        .execute(self.connection())
        .await
        .map_err(Error::writing("table name"))?;
        Ok(())
    }

    async fn drop_alias(&mut self, database: DatabaseId, name: &TableName) -> Result<(), Error> {
        sqlx::query("DELETE FROM table_aliases WHERE database_id = $1 AND name_key = $2")
            .bind(database.get())
            .bind(stored::name_key(name.as_str()).into_owned())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

pub(crate) async fn find_table(
    connection: &mut Connection,
    database: DatabaseId,
    id: TableId,
) -> Result<Option<Table>, Error> {
    let row = sqlx::query(
        "SELECT id, database_id, name, max_columns, partition_template, created_at, deleted_at
         FROM tables WHERE database_id = $1 AND id = $2 AND purged_at IS NULL",
    )
    .bind(database.get())
    .bind(id.get())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_table).transpose()
}

pub(crate) async fn find_table_by_name(
    connection: &mut Connection,
    database: DatabaseId,
    name: &TableName,
) -> Result<Option<Table>, Error> {
    // A current name comes before an earlier one.
    let row = sqlx::query(
        "SELECT id, database_id, name, max_columns, partition_template, created_at, deleted_at, 0 AS is_alias
         FROM tables WHERE database_id = $1 AND name_key = $2 AND deleted_at IS NULL
         UNION ALL
         SELECT t.id, t.database_id, t.name, t.max_columns, t.partition_template, t.created_at, t.deleted_at, 1
         FROM table_aliases a JOIN tables t ON t.id = a.table_id
         WHERE a.database_id = $1 AND a.name_key = $2 AND t.deleted_at IS NULL
         ORDER BY is_alias LIMIT 1",
    )
    .bind(database.get())
    .bind(stored::name_key(name.as_str()).into_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_table).transpose()
}

pub(crate) async fn find_latest_deleted_table(
    connection: &mut Connection,
    database: DatabaseId,
    name: &TableName,
) -> Result<Option<Table>, Error> {
    let row = sqlx::query(
        "SELECT id, database_id, name, max_columns, partition_template, created_at, deleted_at
         FROM tables WHERE database_id = $1 AND name_key = $2 AND deleted_at IS NOT NULL AND purged_at IS NULL
         ORDER BY deleted_at DESC, id DESC LIMIT 1",
    )
    .bind(database.get())
    .bind(stored::name_key(name.as_str()).into_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_table).transpose()
}

pub(crate) async fn count_tables(connection: &mut Connection, database: DatabaseId) -> Result<u64, Error> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM tables WHERE database_id = $1 AND deleted_at IS NULL")
            .bind(database.get())
            .fetch_one(connection)
            .await?;
    Ok(count.unsigned_abs())
}

pub(crate) fn read_table(row: &AnyRow) -> Result<Table, Error> {
    let fields = Fields::new(row, "tables", "id");
    Ok(Table {
        id: fields.number("id", TableId::new)?,
        database: fields.number("database_id", DatabaseId::new)?,
        name: fields.read("name", TableName::written)?,
        max_columns: read_max_columns(fields)?,
        partition_template: read_template(fields)?,
        state: match fields.opt_time("deleted_at")? {
            None => TableState::Active,
            Some(at) => TableState::Deleted { at },
        },
        created_at: fields.time("created_at")?,
    })
}

pub(crate) fn read_max_columns(fields: Fields<'_>) -> Result<MaxColumns, Error> {
    fields.number("max_columns", |n| MaxColumns::new(n.try_into().ok()?))
}
