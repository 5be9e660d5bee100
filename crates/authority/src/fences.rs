//! Fences: an act returns once every node acts by it.
//!
//! One node shares a process with its catalog, so that a fence is a function call: read the changes, apply them. The
//! order is the same as it will be with many nodes, and so is the rule for failure: a node that may have missed a
//! change admits nothing until it has caught up (promise G3).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rescind_catalog::{ChangeKind, Entry, Feed, Grant, Transaction};
use rescind_domain::{NodeReceipt, Receipt, Revision};

use crate::callers::Standing;
use crate::grants::TokenRef;
use crate::{Authority, Error, Refusal};

/// Changes read at once.
const ROUND: u32 = 1_000;

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
        let now = self.clock().now();
        let mut tx = self.catalog.begin(now).await?;
        let Some(Standing { token, role }) = standing else {
            return Ok(tx);
        };
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
            _ => Ok(tx),
        }
    }

    /// Commits an act with its audit event and its changes; returns the revision to fence.
    pub(crate) async fn commit(&self, tx: Transaction, entry: Entry) -> Result<Revision, Error> {
        self.commit_all(tx, vec![entry]).await
    }

    /// Commits several acts at once.
    pub(crate) async fn commit_all(&self, tx: Transaction, entries: Vec<Entry>) -> Result<Revision, Error> {
        let began = Instant::now();
        let acts: Vec<_> = entries
            .iter()
            .map(|e| (e.actor, e.act, e.subject.clone()))
            .collect();
        match tx.commit_all(entries).await {
            Ok(committed) => {
                let ms = format!("{:.3}", began.elapsed().as_secs_f64() * 1e3);
                for (actor, act, subject) in acts {
                    tracing::info!(%actor, %act, subject, revision = %committed.current, ms, "done");
                }
                Ok(committed.current)
            }
            Err(error) => {
                if matches!(error, rescind_catalog::Error::Uncertain(_)) {
                    // Until it is known whether there is a change to apply, nothing is admitted (promise G3). In turn
                    // with those who apply, so that none of them opens the node for what it knew before.
                    let _turn = self.applying.lock().await;
                    self.is_current.store(false, Ordering::Release);
                }
                Err(error.into())
            }
        }
    }

    /// Waits until every node acts by `revision` and the work of `token` that was cut has ended. Repeating it is
    /// harmless.
    pub(crate) async fn fence_off(
        &self,
        token: TokenRef,
        revision: Revision,
        began: Instant,
    ) -> Result<Receipt, Error> {
        self.catch_up(revision).await?;
        self.grants().endings.wait(token).await;
        self.fence(revision, began).await
    }

    /// As [`Self::fence_off`], for a token that was revoked.
    pub(crate) async fn fence_off_revoked(
        &self,
        token: TokenRef,
        revision: Revision,
        began: Instant,
    ) -> Result<Receipt, Error> {
        let receipt = self.fence_off(token, revision, began).await?;
        note_took(&receipt);
        Ok(receipt)
    }

    /// Waits until every node acts by `revision`. Repeating it is harmless.
    pub(crate) async fn fence(&self, revision: Revision, began: Instant) -> Result<Receipt, Error> {
        self.catch_up(revision).await?;
        let took = began.elapsed();
        let node = NodeReceipt {
            node: self.settings.node_name.clone(),
            applied_after: Some(took),
        };
        Ok(Receipt {
            revision,
            effective_at: self.clock().now(),
            took,
            nodes: vec![node],
        })
    }

    /// Applies everything up to `revision`. Callers that wait here share the rounds of the one that works.
    pub(crate) async fn catch_up(&self, revision: Revision) -> Result<(), Error> {
        if self.is_current() && self.revision() >= revision {
            return Ok(());
        }
        let _turn = self.applying.lock().await;
        let result = self.apply_known(revision).await;
        self.is_current.store(result.is_ok(), Ordering::Release);
        result
    }

    /// Applies everything up to `revision`; on a closed node everything there is, because what closed it may have been a
    /// later change than the caller's own.
    async fn apply_known(&self, revision: Revision) -> Result<(), Error> {
        let newest = if self.is_current() {
            revision
        } else {
            self.catalog.revision().await?
        };
        self.apply_until(revision.max(newest)).await
    }

    async fn apply_until(&self, revision: Revision) -> Result<(), Error> {
        while self.revision() < revision {
            let applied = self.revision();
            match self.catalog.changes_after(applied, ROUND).await? {
                Feed::Changes { changes, through, .. } if through > applied => {
                    for change in changes {
                        self.apply(change.what).await?;
                    }
                    self.set_applied(through);
                }
                Feed::Changes { .. } | Feed::Pruned => {
                    let gap =
                        format!("the changes after revision {applied} are gone though {revision} exists");
                    return Err(Error::Internal(gap.into()));
                }
            }
        }
        Ok(())
    }

    /// Brings one thing up to date from its present state in the catalog, which may already be newer than the change:
    /// that only brings later changes forward.
    async fn apply(&self, what: ChangeKind) -> Result<(), Error> {
        match what {
            ChangeKind::DatabaseToken(id) => {
                match self.catalog.database_grant(id).await? {
                    Some(loaded) => self.put_grant(loaded),
                    None => self.grants().cut(TokenRef::Database(id)),
                }
                self.token_index.note_change(TokenRef::Database(id));
            }
            ChangeKind::ManagementToken(id) => {
                match self.catalog.management_grant(id).await? {
                    Some(loaded) => self.put_grant(loaded),
                    None => self.grants().cut(TokenRef::Management(id)),
                }
                self.token_index.note_change(TokenRef::Management(id));
            }
            ChangeKind::Database(id) => {
                let current = self.catalog.directory_entry(id).await?;
                self.directory()
                    .put(id, current.map(|entry| (entry.cluster, entry.view)));
            }
            ChangeKind::Session(id) => match self.catalog.session_grant(id).await? {
                Some(loaded) => self.put_grant(loaded),
                None => self.grants().cut(TokenRef::Session(id)),
            },
            // What a user may do is in the grants of its sessions, each of which is a change of its own.
            ChangeKind::User(_) => {}
        }
        Ok(())
    }
}

/// Notes how long a revocation took, through whichever face it came: the figure of this house.
pub(crate) fn note_took(receipt: &Receipt) {
    metrics::histogram!("rescind_revoke_seconds").record(receipt.took.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, SessionLimits, Settings};
    use rescind_domain::{Action, Actor, Ask};
    use rescind_testkit::{FrozenClock, SeededRng};

    async fn authority(directory: &tempfile::TempDir) -> Arc<Authority> {
        let location = rescind_catalog::Location::Sqlite(directory.path().join("catalog.sqlite"));
        let catalog = Catalog::open(&location).await.expect("a catalog");
        let settings = Settings {
            node_name: "node-1".to_owned(),
            clock: Arc::new(FrozenClock::default()),
            rng: Arc::new(SeededRng::new(1)),
            session_limits: SessionLimits::default(),
        };
        Authority::open(catalog, settings).await.expect("an authority")
    }

    #[tokio::test]
    async fn forgetting_applied_changes_disturbs_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = authority(&directory).await;
        let founding = authority
            .draw_up("ada@example.com".parse().expect("an address"))
            .expect("drawn up");
        let (secret, account) = (founding.secret.clone(), founding.account.id);
        authority.found(founding).await.expect("founded");
        authority.prune_changes(1).await;
        let feed = authority
            .catalog
            .changes_after(Revision::new(0), 10)
            .await
            .expect("read");
        assert_eq!(feed, Feed::Pruned);
        let caller = authority
            .authenticate(secret.expose().as_bytes())
            .expect("still known");
        let Actor::ManagementToken(own) = caller.actor() else {
            panic!("{caller:?}")
        };
        authority
            .revoke_management_token(&caller, account, own)
            .await
            .expect("revoked");
        assert_eq!(
            authority
                .authenticate(secret.expose().as_bytes())
                .expect_err("refused"),
            Refusal::Revoked
        );
    }

    /// G3: closed. What closed the node may be newer than what its next caller knows of.
    #[tokio::test]
    async fn a_closed_node_opens_only_with_everything_applied() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = authority(&directory).await;
        let founding = authority
            .draw_up("ada@example.com".parse().expect("an address"))
            .expect("drawn up");
        let (secret, account) = (founding.secret.clone(), founding.account.id);
        authority.found(founding).await.expect("founded");
        let known = authority.revision();
        let caller = authority.authenticate(secret.expose().as_bytes()).expect("known");
        let Actor::ManagementToken(own) = caller.actor() else {
            panic!("{caller:?}")
        };
        // A revocation is committed, and nobody applies it.
        let mut tx = authority.begin(None).await.expect("begun");
        let mut token = tx
            .management_token(account, own)
            .await
            .expect("read")
            .expect("there");
        token.state = token.state.revoke(tx.now()).expect("active");
        tx.update_management_token(&token).await.expect("updated");
        let entry = Entry {
            actor: Actor::System,
            account,
            act: rescind_domain::Act::ManagementTokenRevoke,
            subject: own.to_string(),
            details: Vec::new(),
            changes: vec![ChangeKind::ManagementToken(own)],
        };
        authority.commit(tx, entry).await.expect("committed");
        authority.is_current.store(false, Ordering::Release);
        authority.catch_up(known).await.expect("caught up");
        assert_eq!(
            authority
                .authenticate(secret.expose().as_bytes())
                .expect_err("refused"),
            Refusal::Revoked
        );
    }

    /// G3: closed. Not even a malformed token is told anything but "cannot know".
    #[tokio::test]
    async fn a_node_that_may_have_missed_a_change_admits_and_refuses_nobody() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = authority(&directory).await;
        let database = "a".parse().expect("a name");
        let ask = Ask {
            action: Action::Read,
            database: &database,
        };
        assert_ne!(
            authority.admit(b"garbage", ask).expect_err("refused"),
            Refusal::Unavailable
        );
        authority.is_current.store(false, Ordering::Release);
        assert_eq!(
            authority.admit(b"garbage", ask).expect_err("closed"),
            Refusal::Unavailable
        );
        assert_eq!(
            authority.authenticate(b"garbage").expect_err("closed"),
            Refusal::Unavailable
        );
        authority.recover().await;
        assert_ne!(
            authority.admit(b"garbage", ask).expect_err("refused"),
            Refusal::Unavailable
        );
    }

    /// G3: closed. A catalog that goes away between the commit and the fence leaves the node closed.
    #[tokio::test]
    async fn a_fence_that_fails_closes_the_node() {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = authority(&directory).await;
        authority.catalog.close().await;
        let failed = authority
            .fence(Revision::new(authority.revision().get() + 1), Instant::now())
            .await;
        assert!(matches!(failed, Err(Error::Unavailable(_))));
        assert!(!authority.is_current());
        authority.recover().await;
        assert!(!authority.is_current(), "the catalog is still away");
    }
}
