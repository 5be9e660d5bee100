//! When tokens were last used: flushed in batches, off the path of requests. No act: no revision, no audit event.

use rescind_domain::{DatabaseTokenId, ManagementTokenId, Timestamp};

use crate::{Catalog, Error};

/// How many rows one transaction touches: a revocation that comes in between waits for these at most.
const BATCH: usize = 256;

const DATABASE_TOKENS: &str = "UPDATE database_tokens SET last_used_at = $1
     WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)";
const MANAGEMENT_TOKENS: &str = "UPDATE management_tokens SET last_used_at = $1
     WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)";

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
        self.record(DATABASE_TOKENS, database_tokens.iter().map(texts).collect())
            .await?;
        let texts = |(id, at): &(ManagementTokenId, Timestamp)| (id.to_string(), at.micros());
        self.record(MANAGEMENT_TOKENS, management_tokens.iter().map(texts).collect())
            .await
    }

    async fn record(&self, statement: &'static str, mut uses: Vec<(String, i64)>) -> Result<(), Error> {
        // In one order on every node, so that two flushes cannot wait for each other.
        uses.sort_unstable();
        for batch in uses.chunks(BATCH) {
            let backend = self.pools.backend;
            let mut transaction = self.pools.writers.begin_with(backend.begin_writing()).await?;
            for (id, at) in batch {
                sqlx::query(statement)
                    .bind(*at)
                    .bind(id.as_str())
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
        }
        Ok(())
    }
}
