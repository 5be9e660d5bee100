//! What a node does on its own: removes points past their retention and what was deleted long ago.

use std::sync::Arc;
use std::time::Duration;

use rescind_authority::Authority;
use rescind_engine::Engine;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::failure::{Chain, Failure};
use crate::metrics::{self, Metrics};

/// How often it looks.
const ROUND: Duration = Duration::from_secs(60);

/// Keeps a node tidy.
pub(crate) struct Housekeeping {
    /// Knows what is to be kept and how long.
    pub(crate) authority: Arc<Authority>,
    /// Holds it.
    pub(crate) engine: Engine,
    /// Folded now and then.
    pub(crate) metrics: Metrics,
}

impl Housekeeping {
    /// Works until `shutdown`.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let (mut rounds, mut folds) = (interval(ROUND), interval(metrics::FOLD));
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        folds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = folds.tick() => self.metrics.fold(),
                _ = rounds.tick() => self.round().await,
            }
        }
    }

    /// Each part on its own: what fails is tried again in the next round and does not hold up the others.
    async fn round(&self) {
        for (what, done) in [
            (
                "points past their retention were not removed",
                self.expire().await,
            ),
            ("deleted databases were not removed", self.purge_databases().await),
            ("deleted tables were not removed", self.purge_tables().await),
        ] {
            if let Err(error) = done {
                metrics::count_failed_housekeeping();
                tracing::warn!(error = %Chain(&error), "{what}; trying again in a minute");
            }
        }
    }

    async fn expire(&self) -> Result<(), Failure> {
        let retentions = self
            .authority
            .database_views()
            .iter()
            .map(|view| (view.id, view.limits.retention))
            .collect();
        self.engine
            .expire(retentions)
            .await
            .map_err(|e| Failure::because("the embedded database", e))
    }

    async fn purge_databases(&self) -> Result<(), Failure> {
        for database in self.authority.databases_to_purge().await? {
            let removed = self.engine.drop_database(database.id).await;
            removed.map_err(|e| Failure::because(format!("database {}", database.id), e))?;
            self.authority.note_database_purged(database).await?;
        }
        Ok(())
    }

    async fn purge_tables(&self) -> Result<(), Failure> {
        for table in self.authority.tables_to_purge().await? {
            let removed = self.engine.drop_table(table.table.id).await;
            removed.map_err(|e| Failure::because(format!("table {}", table.table.id), e))?;
            self.authority.note_table_purged(table).await?;
        }
        Ok(())
    }
}
