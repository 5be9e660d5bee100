//! Removes files whose points have all expired.

use std::sync::Arc;

use rescind_domain::{DatabaseId, RetentionPeriod};

use crate::engine::{Engine, Inner};
use crate::errors::Error;
use crate::files::DataFile;
use crate::persist::blocking;

impl Engine {
    /// Removes what is older than the retention period of its database from disk, file by file: a file goes when
    /// its newest point has expired. Expired points that remain are hidden from queries.
    ///
    /// # Errors
    /// After any error nothing is removed.
    pub async fn expire(&self, retentions: Vec<(DatabaseId, RetentionPeriod)>) -> Result<(), Error> {
        let inner = Arc::clone(self.inner());
        blocking(move || inner.expire_now(&retentions)).await
    }
}

impl Inner {
    fn expire_now(&self, retentions: &[(DatabaseId, RetentionPeriod)]) -> Result<(), Error> {
        let now = self.clock.now().nanos();
        let horizon = |database: DatabaseId| {
            let period = retentions.iter().find(|(id, _)| *id == database);
            period.and_then(|(_, period)| period.horizon(now))
        };
        let is_expired = |database: DatabaseId, file: &DataFile| {
            horizon(database).is_some_and(|horizon| file.meta.times.max < horizon)
        };
        let round = self.maintenance.round.lock();
        let tables = self.tables.all();
        let has_expired = |file: &Arc<DataFile>, database| is_expired(database, file);
        if !tables
            .iter()
            .any(|table| table.files().iter().any(|file| has_expired(file, table.database)))
        {
            return Ok(());
        }
        self.write_manifest(&round, |table| {
            let mut files = table.files();
            files.retain(|file| !is_expired(table.database, file));
            files
        })?;
        for table in tables {
            self.tables.replace(&table, |files| {
                let (expired, kept): (Vec<_>, Vec<_>) = files
                    .into_iter()
                    .partition(|file| is_expired(table.database, file));
                expired.iter().for_each(|file| file.doom());
                kept
            });
        }
        Ok(())
    }
}
