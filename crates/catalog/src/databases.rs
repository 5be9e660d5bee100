//! Databases: look up, list, write.

use rescind_domain::{
    ClusterId, Database, DatabaseId, DatabaseLimits, DatabaseName, DatabaseState, MaxColumns, MaxTables,
    PartitionTemplate, RetentionPeriod, Timestamp,
};
use sqlx::any::AnyRow;

use crate::listings::{Filter, Key, Listing};
use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, Error, Page, Paged, Transaction, stored};

const DATABASES: &str = "databases d JOIN clusters c ON c.id = d.cluster_id";
const DATABASE: &str = "d.id, c.account_id, d.cluster_id, d.name, d.max_tables, d.max_columns, d.retention_nanos, \
     d.partition_template, d.created_at, d.deleted_at";

/// A database to be made.
#[derive(Debug, Clone)]
pub struct NewDatabase {
    /// The cluster that will own it.
    pub cluster: ClusterId,
    /// What requests will call it.
    pub name: DatabaseName,
    /// What bounds it.
    pub limits: DatabaseLimits,
    /// How its tables are partitioned unless they say otherwise.
    pub partition_template: Option<PartitionTemplate>,
}

/// Which of what can be deleted to list. What is purged is never listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DatabaseFilter {
    /// What serves.
    #[default]
    Active,
    /// What is deleted and not purged.
    Deleted,
    /// Both.
    All,
}

impl DatabaseFilter {
    pub(crate) const fn condition(self) -> &'static str {
        match self {
            Self::Active => "deleted_at IS NULL",
            Self::Deleted => "deleted_at IS NOT NULL AND purged_at IS NULL",
            Self::All => "purged_at IS NULL",
        }
    }
}

/// Which databases to list, in what order, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct DatabaseQuery {
    /// Only these.
    pub filter: DatabaseFilter,
    /// Only those whose name holds this text, in any case.
    pub search: Option<String>,
    /// By what they are ordered.
    pub sort: DatabaseSort,
    /// Whether the last comes first.
    pub descending: bool,
    /// Which part.
    pub page: Page,
}

/// By what databases are ordered. Equal ones are ordered by id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DatabaseSort {
    /// By name.
    #[default]
    Name,
    /// By when they were created.
    CreatedAt,
    /// By retention period; for ever comes last.
    Retention,
}

impl DatabaseSort {
    const fn key(self) -> Key {
        match self {
            Self::Name => Key::text("d.name"),
            Self::CreatedAt => Key::int("d.created_at"),
            Self::Retention => Key::int("COALESCE(NULLIF(d.retention_nanos, 0), 9223372036854775807)"),
        }
    }
}

impl Catalog {
    /// The databases of `cluster`.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`], [`Error::Cursor`].
    pub async fn databases(
        &self,
        cluster: ClusterId,
        query: &DatabaseQuery,
    ) -> Result<Paged<Database>, Error> {
        let mut filter = Filter::of_owner("d.cluster_id", cluster);
        // The names of the two columns occur in this one of the tables only.
        filter.and(
            &format!(
                "d.id IN (SELECT id FROM databases WHERE {})",
                query.filter.condition()
            ),
            [],
        );
        if let Some(search) = query.search.as_deref().filter(|search| !search.is_empty()) {
            // Names are ASCII, which both backends fold.
            filter.and_contains(&["lower(d.name)"], &[stored::folded(search)]);
        }
        let listing = Listing {
            columns: DATABASE,
            from: DATABASES,
            filter,
            place: query.sort.key(),
            id: Key::int("d.id"),
            descending: query.descending,
            page: &query.page,
        };
        listing.fetch(&mut *self.reader().await?, read_database).await
    }
}

impl Transaction {
    /// Makes a database and allocates its id, which no database ever had.
    ///
    /// # Errors
    /// [`Error::Conflict`] when an active one of the cluster has the name, [`Error::Missing`] without its cluster,
    /// [`Error::Unavailable`].
    pub async fn insert_database(&mut self, new: NewDatabase) -> Result<Database, Error> {
        let ledger = sqlx::query(
            "UPDATE ledger SET last_database_id = last_database_id + 1 RETURNING singleton, last_database_id",
        )
        .fetch_one(self.connection())
        .await?;
        let ledger = Fields::new(&ledger, "ledger", "singleton");
        let id = ledger.number("last_database_id", DatabaseId::new)?;
        sqlx::query(
            "INSERT INTO databases (id, cluster_id, name, max_tables, max_columns, retention_nanos, partition_template,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id.get())
        .bind(new.cluster.to_string())
        .bind(new.name.as_str().to_owned())
        .bind(i64::from(new.limits.max_tables.get()))
        .bind(i64::from(new.limits.max_columns.get()))
        .bind(new.limits.retention.nanos())
        .bind(new.partition_template.as_ref().map(stored::template_text))
        .bind(self.now().micros())
        .execute(self.connection())
        .await
        .map_err(Error::writing("database name"))?;
        find_database(self.connection(), new.cluster, id)
            .await?
            .ok_or(Error::Missing { what: "database" })
    }

    /// Keeps name, limits and state of a database that is not purged; the rest of it never changes.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another active one of the cluster has the name, [`Error::Missing`],
    /// [`Error::Unavailable`].
    pub async fn update_database(&mut self, database: &Database) -> Result<(), Error> {
        let updated = sqlx::query(
            "UPDATE databases SET name = $1, max_tables = $2, max_columns = $3, retention_nanos = $4, deleted_at = $5
             WHERE cluster_id = $6 AND id = $7 AND purged_at IS NULL",
        )
        .bind(database.name.as_str().to_owned())
        .bind(i64::from(database.limits.max_tables.get()))
        .bind(i64::from(database.limits.max_columns.get()))
        .bind(database.limits.retention.nanos())
        .bind(database.state.deleted_at().map(Timestamp::micros))
        .bind(database.cluster.to_string())
        .bind(database.id.get())
        .execute(self.connection())
        .await
        .map_err(Error::writing("database name"))?;
        Error::exactly_one("database", updated.rows_affected())
    }
}

pub(crate) async fn find_database(
    connection: &mut Connection,
    cluster: ClusterId,
    id: DatabaseId,
) -> Result<Option<Database>, Error> {
    let row = sqlx::query(
        "SELECT d.id, c.account_id, d.cluster_id, d.name, d.max_tables, d.max_columns, d.retention_nanos,
             d.partition_template, d.created_at, d.deleted_at
         FROM databases d JOIN clusters c ON c.id = d.cluster_id
         WHERE d.cluster_id = $1 AND d.id = $2 AND d.purged_at IS NULL",
    )
    .bind(cluster.to_string())
    .bind(id.get())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_database).transpose()
}

pub(crate) async fn find_database_by_name(
    connection: &mut Connection,
    cluster: ClusterId,
    name: &DatabaseName,
) -> Result<Option<Database>, Error> {
    let row = sqlx::query(
        "SELECT d.id, c.account_id, d.cluster_id, d.name, d.max_tables, d.max_columns, d.retention_nanos,
             d.partition_template, d.created_at, d.deleted_at
         FROM databases d JOIN clusters c ON c.id = d.cluster_id
         WHERE d.cluster_id = $1 AND d.name = $2 AND d.deleted_at IS NULL",
    )
    .bind(cluster.to_string())
    .bind(name.as_str().to_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_database).transpose()
}

pub(crate) async fn find_latest_deleted_database(
    connection: &mut Connection,
    cluster: ClusterId,
    name: &DatabaseName,
) -> Result<Option<Database>, Error> {
    let row = sqlx::query(
        "SELECT d.id, c.account_id, d.cluster_id, d.name, d.max_tables, d.max_columns, d.retention_nanos,
             d.partition_template, d.created_at, d.deleted_at
         FROM databases d JOIN clusters c ON c.id = d.cluster_id
         WHERE d.cluster_id = $1 AND d.name = $2 AND d.deleted_at IS NOT NULL AND d.purged_at IS NULL
         ORDER BY d.deleted_at DESC, d.id DESC LIMIT 1",
    )
    .bind(cluster.to_string())
    .bind(name.as_str().to_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_database).transpose()
}

pub(crate) fn read_database(row: &AnyRow) -> Result<Database, Error> {
    let fields = Fields::new(row, "databases", "id");
    Ok(Database {
        id: fields.number("id", DatabaseId::new)?,
        account: fields.parse("account_id")?,
        cluster: fields.parse("cluster_id")?,
        name: fields.parse("name")?,
        limits: read_limits(fields)?,
        partition_template: read_template(fields)?,
        state: match fields.opt_time("deleted_at")? {
            None => DatabaseState::Active,
            Some(at) => DatabaseState::Deleted { at },
        },
        created_at: fields.time("created_at")?,
    })
}

pub(crate) fn read_limits(fields: Fields<'_>) -> Result<DatabaseLimits, Error> {
    Ok(DatabaseLimits {
        max_tables: fields.number("max_tables", |n| MaxTables::new(n.try_into().ok()?))?,
        max_columns: fields.number("max_columns", |n| MaxColumns::new(n.try_into().ok()?))?,
        retention: fields.number("retention_nanos", |n| RetentionPeriod::from_nanos(n).ok())?,
    })
}

pub(crate) fn read_template(fields: Fields<'_>) -> Result<Option<PartitionTemplate>, Error> {
    let column = "partition_template";
    fields
        .opt_text(column)?
        .map(|_| fields.read(column, stored::read_template))
        .transpose()
}
