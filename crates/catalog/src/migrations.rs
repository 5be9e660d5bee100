//! Brings the schema up to date at start.

use sqlx::AssertSqlSafe;

use crate::pools::Pools;
use crate::rows::Fields;
use crate::seam::{Backend, Connection};
use crate::upgrades::{self, Held};
use crate::{Error, ServerFault};

/// Every migration there is; the first is version 1. A released one never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_foundation.sql"),
    include_str!("../migrations/0002_people.sql"),
    include_str!("../migrations/0003_nodes.sql"),
    include_str!("../migrations/0004_running_schema.sql"),
    include_str!("../migrations/0005_departures.sql"),
];

const VERSIONS: &str = "CREATE TABLE schema_versions (version {integer} NOT NULL PRIMARY KEY) {strict}";

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
///
/// Nodes of an older release must not run meanwhile: they do not know what the new schema asks of them. While the lease of
/// one is kept up, nothing is changed and [`ServerFault::NodesRunning`] names it. Leases of nodes that died without a word
/// are waited for. What runs all the same, because it holds no lease, finds out by the ledger before it acts or admits:
/// [`check`].
pub(crate) async fn migrate(pools: &Pools) -> Result<(), Error> {
    let seen = match attempt(pools, &[]).await? {
        Attempt::Done => return Ok(()),
        Attempt::Held { leases, .. } => leases,
    };
    tracing::info!(
        nodes = upgrades::names(&seen),
        "the schema must be upgraded: waiting whether nodes of an older release still run"
    );
    tokio::time::sleep(upgrades::outlasting(&seen)).await;
    match attempt(pools, &seen).await? {
        Attempt::Done => Ok(()),
        Attempt::Held { found, leases } => {
            let fault = ServerFault::NodesRunning {
                found,
                known: KNOWN,
                nodes: upgrades::names(&leases),
            };
            Err(Error::Server(fault))
        }
    }
}

/// The tables that the migrations make.
pub(crate) fn tables() -> Vec<&'static str> {
    let made = MIGRATIONS
        .iter()
        .flat_map(|text| text.split("CREATE TABLE ").skip(1));
    let names = made.filter_map(|rest| rest.split_whitespace().next());
    names.chain(["schema_versions"]).collect()
}

enum Attempt {
    /// The schema is the newest.
    Done,
    /// It is not, and these leases have not lapsed.
    Held { found: i64, leases: Vec<Held> },
}

/// Migrates unless leases are held that were renewed since they were `seen`.
async fn attempt(pools: &Pools, seen: &[Held]) -> Result<Attempt, Error> {
    let backend = pools.backend;
    let mut transaction = pools.begin().await?;
    transaction.unhurried(backend).await?;
    if let Some(lock) = backend.lock_migrations() {
        sqlx::raw_sql(lock).execute(&mut *transaction).await?;
    }
    let found = version(&mut transaction, backend).await?;
    if found > KNOWN {
        return Err(Error::NewerSchema { found, known: KNOWN });
    }
    if found == KNOWN {
        transaction.rollback().await?;
        return Ok(Attempt::Done);
    }
    if found >= WITH_NODES {
        let leases = upgrades::held(&mut transaction, backend, seen).await?;
        if !leases.is_empty() {
            transaction.rollback().await?;
            return Ok(Attempt::Held { found, leases });
        }
    }
    for (version, text) in (1i64..).zip(MIGRATIONS).skip(found as usize) {
        apply(&mut transaction, backend, text).await?;
        sqlx::query("INSERT INTO schema_versions (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        tracing::info!(version, "catalog schema migrated");
    }
    sqlx::query("UPDATE ledger SET schema_version = $1")
        .bind(KNOWN)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Attempt::Done)
}

/// The first version with leases.
const WITH_NODES: i64 = 3;

/// The version of the schema; 0 if there is none. Asked for before anything is created, because who may not create tables
/// may still use them.
async fn version(connection: &mut Connection, backend: Backend) -> Result<i64, Error> {
    let is_there = sqlx::query(backend.find_table())
        .bind("schema_versions")
        .fetch_optional(&mut *connection)
        .await?;
    if is_there.is_none() {
        apply(connection, backend, VERSIONS).await?;
        return Ok(0);
    }
    let found = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_versions")
        .fetch_one(&mut *connection)
        .await?;
    // In the order of acts, which would otherwise wait for a table while this waits for the ledger.
    sqlx::query("UPDATE ledger SET singleton = 1")
        .execute(connection)
        .await?;
    Ok(found)
}

async fn apply(connection: &mut Connection, backend: Backend, text: &str) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(backend.schema(text)))
        .execute(connection)
        .await?;
    Ok(())
}
