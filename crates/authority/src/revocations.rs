//! Revocations of many tokens at once: one transaction, one revision, one fence.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use rescind_catalog::{Entry, Transaction};
use rescind_domain::{
    AccountId, DatabaseTokenId, ManagementTokenId, Presented, Receipt, Subject, Timestamp, TokenState, Verb,
};

use crate::fences::note_took;
use crate::grants::{Grant, TokenRef};
use crate::waits::Wait;
use crate::{Authority, Caller, Error, Place, Refusal, management_tokens, tokens};

/// What became of one of several tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked<Id> {
    /// Which.
    pub id: Id,
    /// What became of it.
    pub outcome: RevokeOutcome,
}

/// What became of a token that was to be revoked with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeOutcome {
    /// It is revoked now.
    Now,
    /// It was revoked already, then.
    Before {
        /// When.
        at: Timestamp,
    },
    /// There is none with this id.
    NotFound,
    /// The caller may revoke what it made itself only; the token goes on.
    NotYours,
}

/// How many tokens one call revokes at most: others wait while it writes.
const MOST: usize = 1_000;

impl Authority {
    /// Revokes several database tokens as [`Self::revoke_database_token`] does one: all that can be, in one act. Says of
    /// each id what became of it, in the order given; an id that is given twice counts once.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no id or more than 1,000, and what every act may return: then none is revoked.
    pub async fn revoke_database_tokens(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        ids: Vec<DatabaseTokenId>,
    ) -> Result<(Vec<Revoked<DatabaseTokenId>>, Receipt), Error> {
        self.check_or_own(caller, place, Verb::Delete, Subject::DatabaseToken)?;
        let ids = distinct(ids)?;
        let (caller, wait) = (*caller, caller.wait());
        self.act(move |this| async move {
            let mut revocation = Revocation::begin(this.begin(caller.standing()).await?, wait);
            for id in ids {
                let found = revocation.tx.database_token(place.cluster, id).await?;
                let Some(mut token) = found else {
                    revocation.note(id, RevokeOutcome::NotFound);
                    continue;
                };
                let maker = token.created_by;
                if caller
                    .check_maker(maker, Verb::Delete, Subject::DatabaseToken)
                    .is_err()
                {
                    revocation.note(id, RevokeOutcome::NotYours);
                    continue;
                }
                let outcome = revocation.end(&mut token.state);
                if outcome == RevokeOutcome::Now {
                    revocation.tx.update_database_token(&token).await?;
                    let entry = tokens::revoked_entry(caller.actor(), &token);
                    revocation.entries.push(entry);
                }
                revocation.note(id, outcome);
            }
            this.conclude(revocation, TokenRef::Database).await
        })
        .await
    }

    /// Which database token of a place a secret belongs to: for whoever found one where it should not be. It is no use of
    /// the token. Expired ones are found, too, and those that were revoked as long as this node remembers them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text that is no secret; [`Error::NotFound`] for what belongs to nothing there;
    /// [`Error::Refused`] when this node cannot know.
    pub fn database_token_of_secret(
        &self,
        caller: &Caller,
        place: Place,
        secret: &[u8],
    ) -> Result<DatabaseTokenId, Error> {
        self.check_or_own(caller, place, Verb::Delete, Subject::DatabaseToken)?;
        if !self.is_current() {
            return Err(Error::Refused(Refusal::Unavailable));
        }
        let presented = Presented::parse(secret).map_err(|reason| Error::invalid("secret", reason))?;
        let entry = self.grants().find(&presented.hash);
        match entry.as_deref().map(|entry| &entry.grant) {
            Some(Grant::Database(grant)) if grant.cluster == place.cluster => Ok(grant.token),
            _ => Err(Error::not_found("database token", "of this secret")),
        }
    }

    /// Revokes several management tokens as [`Self::revoke_database_tokens`] does.
    ///
    /// # Errors
    /// As [`Self::revoke_database_tokens`].
    pub async fn revoke_management_tokens(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        ids: Vec<ManagementTokenId>,
    ) -> Result<(Vec<Revoked<ManagementTokenId>>, Receipt), Error> {
        caller.check(account, Verb::Delete, Subject::ManagementToken)?;
        let ids = distinct(ids)?;
        let (caller, wait) = (*caller, caller.wait());
        self.act(move |this| async move {
            let mut revocation = Revocation::begin(this.begin(caller.standing()).await?, wait);
            for id in ids {
                let found = revocation.tx.management_token(account, id).await?;
                let Some(mut token) = found else {
                    revocation.note(id, RevokeOutcome::NotFound);
                    continue;
                };
                let outcome = revocation.end(&mut token.state);
                if outcome == RevokeOutcome::Now {
                    revocation.tx.update_management_token(&token).await?;
                    let entry = management_tokens::revoked_entry(caller.actor(), &token);
                    revocation.entries.push(entry);
                }
                revocation.note(id, outcome);
            }
            this.conclude(revocation, TokenRef::Management).await
        })
        .await
    }

    /// Commits, waits until every node acts by it and the work of every token that is revoked by now has ended.
    async fn conclude<Id: Copy>(
        &self,
        revocation: Revocation<Id>,
        token: impl Fn(Id) -> TokenRef,
    ) -> Result<(Vec<Revoked<Id>>, Receipt), Error> {
        let Revocation {
            tx,
            wait,
            entries,
            outcomes,
        } = revocation;
        let is_void = entries.is_empty();
        let revision = if is_void {
            tx.rollback().await?;
            self.catalog.revision().await?
        } else {
            self.commit_all(tx, entries).await?
        };
        let ended = async {
            for Revoked { id, outcome } in &outcomes {
                if matches!(outcome, RevokeOutcome::Now | RevokeOutcome::Before { .. }) {
                    self.grants().endings.wait(token(*id)).await;
                }
            }
        };
        let receipt = self.fence_when(ended, revision, wait).await?;
        if !is_void {
            note_took(&receipt);
        }
        Ok((outcomes, receipt))
    }
}

/// A revocation under way.
struct Revocation<Id> {
    tx: Transaction,
    wait: Wait,
    entries: Vec<Entry>,
    outcomes: Vec<Revoked<Id>>,
}

impl<Id> Revocation<Id> {
    fn begin(tx: Transaction, wait: Wait) -> Self {
        Self {
            tx,
            wait,
            entries: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    fn note(&mut self, id: Id, outcome: RevokeOutcome) {
        self.outcomes.push(Revoked { id, outcome });
    }

    fn end(&self, state: &mut TokenState) -> RevokeOutcome {
        match state.revoke(self.tx.now()) {
            Ok(revoked) => {
                *state = revoked;
                RevokeOutcome::Now
            }
            Err(before) => RevokeOutcome::Before { at: before.at },
        }
    }
}

fn distinct<Id: Copy + Eq + Hash>(mut ids: Vec<Id>) -> Result<Vec<Id>, Error> {
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    match ids.len() {
        1..=MOST => Ok(ids),
        _ => Err(Error::invalid("ids", format!("give 1 to {MOST} of them"))),
    }
}
