//! Revocations of many tokens at once: one transaction, one revision, one fence.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use rescind_domain::{
    AccountId, DatabaseTokenId, ManagementTokenId, Presented, Receipt, Subject, Timestamp, Verb,
};

use crate::asks::{Ask, Revocation, Verdict};
use crate::grants::TokenRef;
use crate::{Authority, Caller, Error, Place};

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

/// How many tokens one call revokes at most: other acts wait while it writes, seconds for so many.
pub const MOST_REVOKED: usize = 100_000;

impl Authority {
    /// Revokes several database tokens as [`Self::revoke_database_token`] does one: all that can be, in one act. Says of
    /// each id what became of it, in the order given; an id that is given twice counts once.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no id or more than [`MOST_REVOKED`], and what every act may return: then none is revoked.
    pub async fn revoke_database_tokens(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        ids: Vec<DatabaseTokenId>,
    ) -> Result<(Vec<Revoked<DatabaseTokenId>>, Receipt), Error> {
        self.check_or_own(caller, place, Verb::Delete, Subject::DatabaseToken)?;
        let ids = distinct(ids)?;
        let ask = |id: &DatabaseTokenId| Ask::database_token(caller, place, *id);
        let asks = ids.iter().map(ask).collect();
        let (outcomes, receipt) = self.revoke_at_once(caller, asks).await?;
        Ok((told(ids, outcomes), receipt))
    }

    /// Which database token of a place a secret belongs to: for whoever found one where it should not be. It is no use of
    /// the token. Expired and revoked ones are found, too.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text that is no secret; [`Error::NotFound`] for what belongs to nothing there;
    /// [`Error::Refused`] when this node cannot know.
    pub async fn database_token_of_secret(
        &self,
        caller: &Caller,
        place: Place,
        secret: &[u8],
    ) -> Result<DatabaseTokenId, Error> {
        self.check_or_own(caller, place, Verb::Delete, Subject::DatabaseToken)?;
        if !self.is_current() {
            return Err(Error::Refused(self.node.not_current()));
        }
        let presented = Presented::parse(secret).map_err(|reason| Error::invalid("secret", reason))?;
        // From the catalog: revoked ones are not in memory for ever, and revoking them again waits again.
        let found = self.catalog.database_token_of_secret(&presented.hash).await?;
        match found.filter(|token| token.cluster == place.cluster) {
            Some(token) => Ok(token.id),
            None => Err(Error::not_found("database token", "of this secret")),
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
        let ask = |id: &ManagementTokenId| Ask::management_token(caller, account, *id);
        let asks = ids.iter().map(ask).collect();
        let (outcomes, receipt) = self.revoke_at_once(caller, asks).await?;
        Ok((told(ids, outcomes), receipt))
    }

    /// Commits, waits until every node acts by it and the work of every token that is revoked by now has ended.
    async fn revoke_at_once(
        self: &Arc<Self>,
        caller: &Caller,
        asks: Vec<Ask>,
    ) -> Result<(Vec<RevokeOutcome>, Receipt), Error> {
        let (standing, wait) = (caller.standing(), caller.wait());
        self.act(move |this| async move {
            let mut revocation = Revocation::begin(this.begin(standing).await?, &asks).await?;
            let verdicts: Vec<Verdict> = asks.iter().map(|ask| revocation.revoke(ask)).collect();
            let revision = revocation.commit(&this).await?;
            let is_revoked = |verdict: &Verdict| matches!(verdict, Verdict::Now | Verdict::Before(_));
            let revoked: HashSet<TokenRef> = asks
                .iter()
                .zip(&verdicts)
                .filter_map(|(ask, verdict)| is_revoked(verdict).then_some(ask.token))
                .collect();
            let ended = this.grants().endings.wait_for(|token| revoked.contains(&token));
            let receipt = this.fence_when(ended, revision, wait).await?;
            let mut now = verdicts
                .iter()
                .zip(&asks)
                .filter(|(verdict, _)| matches!(verdict, Verdict::Now));
            if let Some((_, first)) = now.next() {
                let several = now.next().is_some();
                let mut revoked = first.receipt();
                revoked.subject = revoked.subject.filter(|_| !several);
                this.note_receipt(revoked, &receipt, wait);
            }
            Ok((verdicts.iter().map(Verdict::outcome).collect(), receipt))
        })
        .await
    }
}

fn told<Id>(ids: Vec<Id>, outcomes: Vec<RevokeOutcome>) -> Vec<Revoked<Id>> {
    let told = ids.into_iter().zip(outcomes);
    told.map(|(id, outcome)| Revoked { id, outcome }).collect()
}

fn distinct<Id: Copy + Eq + Hash>(mut ids: Vec<Id>) -> Result<Vec<Id>, Error> {
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    match ids.len() {
        1..=MOST_REVOKED => Ok(ids),
        _ => Err(Error::invalid("ids", format!("give 1 to {MOST_REVOKED} of them"))),
    }
}
