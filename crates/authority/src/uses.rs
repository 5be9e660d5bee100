//! Last-used times: counted in memory, written in batches off the hot path.

use rescind_catalog::AuditVerdict;

use crate::grants::TokenRef;
use crate::{Authority, Error};

impl Authority {
    /// Writes the uses since the last call to the catalog. Uses that cannot be written are lost: they are a help for
    /// people, not a promise.
    ///
    /// # Errors
    /// The catalog is away.
    pub async fn record_uses(&self) -> Result<(), Error> {
        let (mut database, mut management) = (Vec::new(), Vec::new());
        for (token, at) in self.grants().take_used() {
            match token {
                TokenRef::Database(id) => database.push((id, at)),
                TokenRef::Management(id) => management.push((id, at)),
            }
        }
        if database.is_empty() && management.is_empty() {
            return Ok(());
        }
        Ok(self.catalog.record_last_used(&database, &management).await?)
    }

    /// Recomputes the audit chain from its first event.
    ///
    /// # Errors
    /// What every read may return; a broken chain is a verdict, not an error.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, Error> {
        Ok(self.catalog.verify_audit().await?)
    }
}
