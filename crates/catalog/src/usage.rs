//! What tokens and sessions are used for, when and by whom: flushed in batches, off the path of requests. No act: no
//! revision, no audit event, and no promise: on PostgreSQL these commits do not wait for the disk, which acts and renewals
//! wait for.

use std::collections::BTreeMap;

use rescind_domain::{
    Client, DatabaseTokenId, Hour, LastClient, ManagementTokenId, SessionId, Timestamp, Usage,
};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::purges::purge_in_batches;
use crate::rows::Fields;
use crate::seam::{Backend, Connection};
use crate::{Catalog, Error};

/// How many rows one transaction touches: a revocation that comes in between waits for these at most.
const BATCH: usize = 256;

/// That a token was used.
#[derive(Debug, Clone)]
pub struct Use<Id> {
    /// Which token.
    pub id: Id,
    /// When.
    pub at: Timestamp,
    /// By whom; `None` leaves the client on record as it is.
    pub client: Option<Client>,
}

impl Catalog {
    /// Records when tokens and sessions were last used, and tokens by whom. A time that is not later than the one on
    /// record changes nothing, and an unknown id is passed over, so that a batch may be flushed again after an error. What
    /// an act is about at that moment is passed over, too. A server that crashes may lose what was recorded in the last
    /// second.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: batches before the failing one are recorded.
    pub async fn record_last_used(
        &self,
        database_tokens: &[Use<DatabaseTokenId>],
        management_tokens: &[Use<ManagementTokenId>],
        sessions: &[(SessionId, Timestamp)],
    ) -> Result<(), Error> {
        self.record(Used::DatabaseTokens, database_tokens.iter().map(texts).collect())
            .await?;
        self.record(
            Used::ManagementTokens,
            management_tokens.iter().map(texts).collect(),
        )
        .await?;
        let texts = |(id, at): &(SessionId, Timestamp)| (id.to_string(), at.micros(), None);
        self.record(Used::Sessions, sessions.iter().map(texts).collect())
            .await
    }

    async fn record(&self, used: Used, mut uses: Vec<Texts<'_>>) -> Result<(), Error> {
        // In one order on every node, so that two flushes cannot wait for each other. Of several uses of one token the
        // last counts, and comes first here.
        uses.sort_unstable_by(|(id, at, _), (other, earlier, _)| id.cmp(other).then(earlier.cmp(at)));
        uses.dedup_by(|(id, ..), (kept, ..)| id == kept);
        for batch in uses.chunks(BATCH) {
            let mut query = sqlx::query(AssertSqlSafe(used.statement(batch.len(), self.pools.backend)));
            for (id, at, client) in batch {
                query = query.bind(id.as_str()).bind(*at);
                if used.has_client() {
                    query = query
                        .bind(client.map(|client| client.address.to_string()))
                        .bind(client.map(|client| client.agent.as_str()));
                }
            }
            // A transaction of its own.
            let mut transaction = self.pools.begin_forgettable().await?;
            query.execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Adds requests to what is on record for their token, hour, database and action. A server that crashes may lose what
    /// was added in the last second.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: batches before the failing one are recorded. Do not add the same again: what is lost is
    /// missed less than what is counted twice.
    pub async fn record_usage(&self, usages: &[(DatabaseTokenId, Usage)]) -> Result<(), Error> {
        // One statement cannot add to the same row twice; in one order on every node, as above.
        let mut sums = BTreeMap::new();
        for (token, usage) in usages.iter().filter(|(_, usage)| usage.requests > 0) {
            let key = (
                token.to_string(),
                usage.hour.number(),
                usage.database.as_str(),
                usage.action.as_str(),
            );
            let sum: &mut u64 = sums.entry(key).or_default();
            *sum = sum.saturating_add(usage.requests);
        }
        let sums: Vec<_> = sums.into_iter().collect();
        for batch in sums.chunks(BATCH) {
            let mut query = sqlx::query(AssertSqlSafe(format!(
                "INSERT INTO token_usage (token_id, hour, database, action, requests) VALUES {}
                 ON CONFLICT (token_id, hour, database, action)
                 DO UPDATE SET requests = token_usage.requests + excluded.requests",
                placeholders(batch.len(), 5)
            )));
            for ((token, hour, database, action), requests) in batch {
                query = query
                    .bind(token.as_str())
                    .bind(*hour)
                    .bind(*database)
                    .bind(*action)
                    .bind(i64::try_from(*requests).unwrap_or(i64::MAX));
            }
            let mut transaction = self.pools.begin_forgettable().await?;
            query.execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// What a database token was used for from the hour `since` on, oldest first; of very much, the latest 50,000 rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn token_usage(&self, token: DatabaseTokenId, since: Hour) -> Result<Vec<Usage>, Error> {
        let rows = sqlx::query(
            "SELECT token_id, hour, database, action, requests FROM token_usage WHERE token_id = $1 AND hour >= $2
             ORDER BY hour DESC, database DESC, action DESC LIMIT 50000",
        )
        .bind(token.to_string())
        .bind(since.number())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().rev().map(read_usage).collect()
    }

    /// Forgets what tokens were used for before the hour `before`. Returns how many rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: batches before the failing one are forgotten.
    pub async fn purge_usage(&self, before: Hour) -> Result<u64, Error> {
        let statement = "DELETE FROM token_usage WHERE (token_id, hour, database, action) IN (
                 SELECT token_id, hour, database, action FROM token_usage WHERE hour < $1 LIMIT 1000 {free})";
        purge_in_batches(&self.pools, statement, before.number()).await
    }
}

/// Id, time and client of a use, as they are bound.
type Texts<'a> = (String, i64, Option<&'a Client>);

fn texts<Id: ToString>(one: &Use<Id>) -> Texts<'_> {
    (one.id.to_string(), one.at.micros(), one.client.as_ref())
}

#[derive(Clone, Copy)]
enum Used {
    DatabaseTokens,
    ManagementTokens,
    Sessions,
}

impl Used {
    /// A session's client is the one that began it.
    const fn has_client(self) -> bool {
        !matches!(self, Self::Sessions)
    }

    /// One statement for all rows: a round trip to the backend for each would cost more than the update. Both backends call
    /// the columns of a list of values `column1`, `column2` and so on.
    fn statement(self, rows: usize, backend: Backend) -> String {
        let table = match self {
            Self::DatabaseTokens => "database_tokens",
            Self::ManagementTokens => "management_tokens",
            Self::Sessions => "sessions",
        };
        let (client, columns) = if self.has_client() {
            let client = format!(
                ", last_address = COALESCE(used.column3, {table}.last_address),
                 last_agent = COALESCE(used.column4, {table}.last_agent)"
            );
            (client, 4)
        } else {
            (String::new(), 2)
        };
        format!(
            "WITH used AS (VALUES {}), due AS (
                 SELECT t.id FROM {table} t WHERE t.id IN (SELECT column1 FROM used) ORDER BY t.id {})
             UPDATE {table} SET last_used_at = used.column2{client} FROM used, due
             WHERE {table}.id = used.column1 AND {table}.id = due.id
                 AND ({table}.last_used_at IS NULL OR {table}.last_used_at < used.column2)",
            placeholders(rows, columns),
            backend.lock_free_rows()
        )
    }
}

/// `($1, $2), ($3, $4)`.
pub(crate) fn placeholders(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let numbers = (1..=columns).map(|column| format!("${}", row * columns + column));
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

pub(crate) async fn find_last_client(
    connection: &mut Connection,
    token: DatabaseTokenId,
) -> Result<Option<LastClient>, Error> {
    let row = sqlx::query(
        "SELECT id, last_used_at, last_address AS address, last_agent AS agent FROM database_tokens
         WHERE id = $1 AND last_used_at IS NOT NULL AND last_address IS NOT NULL",
    )
    .bind(token.to_string())
    .fetch_optional(connection)
    .await?;
    let read = |row| read_last_client(Fields::new(row, "database_tokens", "id"));
    row.as_ref().map(read).transpose()
}

pub(crate) async fn find_management_token_last_client(
    connection: &mut Connection,
    token: ManagementTokenId,
) -> Result<Option<LastClient>, Error> {
    let row = sqlx::query(
        "SELECT id, last_used_at, last_address AS address, last_agent AS agent FROM management_tokens
         WHERE id = $1 AND last_used_at IS NOT NULL AND last_address IS NOT NULL",
    )
    .bind(token.to_string())
    .fetch_optional(connection)
    .await?;
    let read = |row| read_last_client(Fields::new(row, "management_tokens", "id"));
    row.as_ref().map(read).transpose()
}

fn read_last_client(fields: Fields<'_>) -> Result<LastClient, Error> {
    Ok(LastClient {
        at: fields.time("last_used_at")?,
        client: fields.client()?,
    })
}

fn read_usage(row: &AnyRow) -> Result<Usage, Error> {
    let fields = Fields::new(row, "token_usage", "token_id");
    Ok(Usage {
        hour: Hour::new(fields.int("hour")?),
        database: fields.parse("database")?,
        action: fields.parse("action")?,
        requests: fields.number("requests", |requests| requests.try_into().ok())?,
    })
}
