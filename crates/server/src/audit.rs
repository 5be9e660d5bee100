//! `rescind audit verify`: whether the audit log is as it was written.

use std::io::Write as _;

use rescind_authority::{AuditFault, AuditVerdict};

use crate::args::DataDirectory;
use crate::authorities;
use crate::failure::Failure;

/// Walks the chain and says on stdout that it holds, or fails with where it does not.
pub(crate) async fn verify(data: &DataDirectory) -> Result<(), Failure> {
    // The catalog alone: loading every grant, as a node does, would take a long time for nothing.
    let catalog = authorities::open_catalog(&data.existing_location()?).await?;
    let verdict = catalog
        .verify_audit()
        .await
        .map_err(|e| Failure::because("the audit log cannot be read", e))?;
    catalog.close().await;
    match verdict {
        AuditVerdict::Intact { events, head } => {
            // The exit code says it as well.
            let _ = writeln!(
                std::io::stdout().lock(),
                "audit log intact: {events} events, head {head}"
            );
            Ok(())
        }
        AuditVerdict::Broken { sequence, fault } => {
            let what = match fault {
                AuditFault::Missing => "is missing",
                AuditFault::Altered => "is not as it was written",
                AuditFault::Unexpected => "was added behind the ledger's back",
            };
            Err(Failure::new(format!("audit log broken: event {sequence} {what}")))
        }
    }
}
