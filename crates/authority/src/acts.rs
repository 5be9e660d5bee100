//! Acts: what changes the catalog, in one transaction from the check of who asks to the audit event. An act that changes
//! what anyone may do is fenced afterwards (`fences`).

use std::sync::Arc;
use std::time::Instant;

use rescind_catalog::{Entry, Grant, Transaction};
use rescind_domain::Revision;

use crate::callers::Standing;
use crate::grants::TokenRef;
use crate::{Authority, Error, Refusal};

/// So many acts of one commit stand in the program's log.
const LOGGED: usize = 100;

impl Authority {
    /// Runs an act to its end even if the client that asked for it goes away: what is committed must be applied.
    pub(crate) async fn act<T, W, F>(self: &Arc<Self>, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(Arc<Self>) -> F,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        tokio::spawn(work(Arc::clone(self)))
            .await
            .map_err(|panic| Error::Internal(Box::new(panic)))?
    }

    /// Begins to act on the strength of `standing`, which must still stand: a token that was revoked, or a session that
    /// was ended or whose user has another role by now, while its request waited for its turn or for its body does nothing
    /// any more (promise G1). Acts follow one another, so that none can commit behind the end of what it stands on. `None`
    /// is Rescind itself or its operator.
    pub(crate) async fn begin(&self, standing: Option<Standing>) -> Result<Transaction, Error> {
        // Before: while this process stands still, the server may end the transaction, and others go on.
        let seen = self.node.seen();
        let begun = self.catalog.begin_after(self.clock(), seen).await;
        let mut tx = begun.map_err(|error| self.node.heed(error))?;
        if let Some(standing) = standing {
            self.check_standing(&mut tx, standing).await?;
        }
        Ok(tx)
    }

    /// Checks what [`Self::begin`] does.
    pub(crate) async fn check_standing(
        &self,
        tx: &mut Transaction,
        Standing { token, role }: Standing,
    ) -> Result<(), Error> {
        let loaded = match token {
            TokenRef::Database(id) => tx.database_grant(id).await?,
            TokenRef::Management(id) => tx.management_grant(id).await?,
            TokenRef::Session(id) => tx.session_grant(id).await?,
        };
        let expires_at = match loaded.ok_or(Error::Refused(Refusal::Revoked))?.grant {
            Grant::Database(grant) => grant.expires_at,
            Grant::Management(grant) => grant.expires_at,
            Grant::Session(grant) if role != Some(grant.role) => {
                return Err(Error::Forbidden(format!(
                    "the user's role has just become {}: ask again",
                    grant.role
                )));
            }
            Grant::Session(grant) => Some(grant.expires_at),
        };
        // Asked again: the wait for the ledger may have been long.
        match expires_at {
            Some(end) if end <= self.clock().now() => Err(Error::Refused(Refusal::Expired)),
            _ => Ok(()),
        }
    }

    /// Commits an act with its audit event and its changes; returns the revision to fence.
    pub(crate) async fn commit(&self, tx: Transaction, entry: Entry) -> Result<Revision, Error> {
        self.commit_all(tx, vec![entry]).await
    }

    /// Commits several acts at once.
    pub(crate) async fn commit_all(&self, tx: Transaction, entries: Vec<Entry>) -> Result<Revision, Error> {
        let began = Instant::now();
        let acts = entries.len();
        let logged: Vec<_> = entries
            .iter()
            .take(LOGGED)
            .map(|e| (e.actor, e.act, e.subject.clone()))
            .collect();
        match self.node.asking(tx).commit_all(entries).await {
            Ok(committed) => {
                let ms = format!("{:.3}", began.elapsed().as_secs_f64() * 1e3);
                let revision = committed.current;
                for (actor, act, subject) in logged {
                    tracing::info!(%actor, %act, subject, %revision, ms, "done");
                }
                if let Some(more @ 1..) = acts.checked_sub(LOGGED) {
                    tracing::info!(more, %revision, ms, "done: the audit log has all of them");
                }
                Ok(revision)
            }
            Err(error) => {
                if matches!(error, rescind_catalog::Error::Uncertain(_)) {
                    self.node.doubt().await;
                }
                Err(error.into())
            }
        }
    }
}
