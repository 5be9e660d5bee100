//! Brings the schema up to date at start.

use sqlx::AssertSqlSafe;

use crate::Error;
use crate::seam::{Backend, Pools};

/// Every migration there is; the first is version 1. A released one never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_foundation.sql"),
    include_str!("../migrations/0002_people.sql"),
    include_str!("../migrations/0003_nodes.sql"),
];

const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS schema_versions (version {integer} NOT NULL PRIMARY KEY) {strict}";

/// Applies what is missing, all of it or nothing.
pub(crate) async fn migrate(pools: &Pools) -> Result<(), Error> {
    run(pools, MIGRATIONS).await
}

async fn run(pools: &Pools, migrations: &'static [&'static str]) -> Result<(), Error> {
    let Pools { backend, writers, .. } = pools;
    let mut transaction = writers.begin_with(backend.begin_writing()).await?;
    if let Some(lock) = backend.lock_migrations() {
        sqlx::raw_sql(lock).execute(&mut *transaction).await?;
    }
    apply(&mut transaction, *backend, VERSIONS).await?;
    let found: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_versions")
        .fetch_one(&mut *transaction)
        .await?;
    let known = migrations.len() as i64;
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    for (version, text) in (1i64..).zip(migrations).skip(found as usize) {
        apply(&mut transaction, *backend, text).await?;
        sqlx::query("INSERT INTO schema_versions (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        tracing::info!(version, "catalog schema migrated");
    }
    Ok(transaction.commit().await?)
}

async fn apply(connection: &mut crate::seam::Connection, backend: Backend, text: &str) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(backend.schema(text)))
        .execute(connection)
        .await?;
    Ok(())
}
