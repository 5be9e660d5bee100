//! When tokens were last used: flushed in batches, off the path of requests. No act: no revision, no audit event.

use rescind_domain::{DatabaseTokenId, ManagementTokenId, Timestamp};
use sqlx::AssertSqlSafe;

use crate::{Catalog, Error};

/// How many rows one transaction touches: a revocation that comes in between waits for these at most.
const BATCH: usize = 256;

impl Catalog {
    /// Records when tokens were last used. A time that is not later than the one on record changes nothing, and an
    /// unknown id is passed over, so that a batch may be flushed again after an error.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: batches before the failing one are recorded.
    pub async fn record_last_used(
        &self,
        database_tokens: &[(DatabaseTokenId, Timestamp)],
        management_tokens: &[(ManagementTokenId, Timestamp)],
    ) -> Result<(), Error> {
        let texts = |(id, at): &(DatabaseTokenId, Timestamp)| (id.to_string(), at.micros());
        self.record("database_tokens", database_tokens.iter().map(texts).collect())
            .await?;
        let texts = |(id, at): &(ManagementTokenId, Timestamp)| (id.to_string(), at.micros());
        self.record("management_tokens", management_tokens.iter().map(texts).collect())
            .await
    }

    async fn record(&self, table: &'static str, mut uses: Vec<(String, i64)>) -> Result<(), Error> {
        // In one order on every node, so that two flushes cannot wait for each other. Of several uses of one token the
        // last counts, and comes first here.
        uses.sort_unstable_by(|(id, at), (other, earlier)| id.cmp(other).then(earlier.cmp(at)));
        uses.dedup_by(|(id, _), (kept, _)| id == kept);
        for batch in uses.chunks(BATCH) {
            let mut query = sqlx::query(AssertSqlSafe(statement(table, batch.len())));
            for (id, at) in batch {
                query = query.bind(id.as_str()).bind(*at);
            }
            // A transaction of its own.
            query.execute(&self.pools.writers).await?;
        }
        Ok(())
    }
}

/// One statement for all rows: a round trip to the backend for each would cost more than the update. Both backends call
/// the columns of a list of values `column1` and `column2`.
fn statement(table: &'static str, rows: usize) -> String {
    let values: Vec<String> = (0..rows)
        .map(|row| format!("(${}, ${})", 2 * row + 1, 2 * row + 2))
        .collect();
    format!(
        "UPDATE {table} SET last_used_at = used.column2 FROM (VALUES {}) AS used
         WHERE {table}.id = used.column1 AND ({table}.last_used_at IS NULL OR {table}.last_used_at < used.column2)",
        values.join(", ")
    )
}
