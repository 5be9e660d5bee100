//! Brings the schema up to date at start.

use sqlx::AssertSqlSafe;

use crate::Error;
use crate::pools::Pools;
use crate::rows::Fields;
use crate::seam::Backend;

/// Every migration there is; the first is version 1. A released one never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_foundation.sql"),
    include_str!("../migrations/0002_people.sql"),
    include_str!("../migrations/0003_nodes.sql"),
    include_str!("../migrations/0004_running_schema.sql"),
    include_str!("../migrations/0005_departures.sql"),
];

const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS schema_versions (version {integer} NOT NULL PRIMARY KEY) {strict}";

/// The newest version known here.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Whether this release understands the catalog of this ledger, which a newer one may have changed since it was opened.
///
/// # Errors
/// [`Error::NewerSchema`], [`Error::Corrupt`].
pub(crate) fn check(ledger: Fields<'_>) -> Result<(), Error> {
    match ledger.int("schema_version")? {
        found if found > KNOWN => Err(Error::NewerSchema { found, known: KNOWN }),
        _ => Ok(()),
    }
}

/// Applies what is missing, all of it or nothing.
pub(crate) async fn migrate(pools: &Pools) -> Result<(), Error> {
    run(pools, MIGRATIONS).await
}

async fn run(pools: &Pools, migrations: &'static [&'static str]) -> Result<(), Error> {
    let backend = pools.backend;
    let mut transaction = pools.begin().await?;
    if let Some(lock) = backend.lock_migrations() {
        sqlx::raw_sql(lock).execute(&mut *transaction).await?;
    }
    apply(&mut transaction, backend, VERSIONS).await?;
    let found: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_versions")
        .fetch_one(&mut *transaction)
        .await?;
    let known = migrations.len() as i64;
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    for (version, text) in (1i64..).zip(migrations).skip(found as usize) {
        apply(&mut transaction, backend, text).await?;
        sqlx::query("INSERT INTO schema_versions (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        tracing::info!(version, "catalog schema migrated");
    }
    sqlx::query("UPDATE ledger SET schema_version = $1")
        .bind(known)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

async fn apply(connection: &mut crate::seam::Connection, backend: Backend, text: &str) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(backend.schema(text)))
        .execute(connection)
        .await?;
    Ok(())
}
