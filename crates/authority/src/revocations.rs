//! Revocations of many tokens by one call: piece by piece, so that other acts and renewals go on beside them, and one fence
//! for all.
//!
//! Each piece is a transaction and a revision of its own, begins with the check of who asks, and is applied by the nodes
//! while the next is written. What is committed stays, whatever becomes of the pieces after it.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use rescind_domain::{
    AccountId, DatabaseTokenId, ManagementTokenId, Presented, Receipt, Revision, Subject, Timestamp, Verb,
};

use crate::asks::{Ask, Revocation};
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

/// How many tokens one call revokes at most.
pub const MOST_REVOKED: usize = 100_000;
/// How many of them share a transaction and a revision: every other act waits while they are written, and every node must
/// read and apply them well within a term of its lease. Twice as many took no less time in all, and others waited two to
/// four times as long (`benches/revocations`).
pub const REVOKED_TOGETHER: usize = 1_000;

impl Authority {
    /// Revokes several database tokens as [`Self::revoke_database_token`] does one: all that can be, [`REVOKED_TOGETHER`]
    /// of them at a time. Says of each id what became of it, in the order given; an id that is given twice counts once.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no id or more than [`MOST_REVOKED`], and what every act may return: then none is revoked.
    /// [`Error::Partly`] when some are, and the rest is not.
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
        let (outcomes, receipt) = self.revoke_all(caller, asks).await?;
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

    /// Revokes several management tokens as [`Self::revoke_database_tokens`] does; the one that the caller stands on comes
    /// last.
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
        let (outcomes, receipt) = self.revoke_all(caller, asks).await?;
        Ok((told(ids, outcomes), receipt))
    }

    /// Commits piece by piece, then waits until every node acts by all of them and the work of every token that is revoked
    /// by now has ended. Says what became of each ask.
    async fn revoke_all(
        self: &Arc<Self>,
        caller: &Caller,
        mut asks: Vec<Ask>,
    ) -> Result<(Vec<RevokeOutcome>, Receipt), Error> {
        let (caller, wait) = (*caller, caller.wait());
        self.act(move |this| async move {
            // What the caller stands on comes last: the pieces after it would be refused.
            let own = asks.iter().position(|ask| Some(ask.token) == caller.token());
            if let Some(own) = own {
                asks[own..].rotate_left(1);
            }
            let (mut outcomes, revision) = this.revoke_in_pieces(&caller, &asks).await?;
            let is_revoked = |outcome: &RevokeOutcome| {
                matches!(outcome, RevokeOutcome::Now | RevokeOutcome::Before { .. })
            };
            let revoked: HashSet<TokenRef> = asks
                .iter()
                .zip(&outcomes)
                .filter_map(|(ask, outcome)| is_revoked(outcome).then_some(ask.token))
                .collect();
            let ended = this.grants().endings.wait_for(|token| revoked.contains(&token));
            let receipt = this.fence_when(ended, revision, wait).await?;
            let mut now = outcomes
                .iter()
                .zip(&asks)
                .filter(|(outcome, _)| **outcome == RevokeOutcome::Now);
            if let Some((_, first)) = now.next() {
                let several = now.next().is_some();
                let mut revoked = first.receipt();
                revoked.subject = revoked.subject.filter(|_| !several);
                this.note_receipt(revoked, &receipt, wait);
            }
            if let Some(own) = own {
                outcomes[own..].rotate_right(1);
            }
            Ok((outcomes, receipt))
        })
        .await
    }

    /// What became of each, and the revision by which all that can be are revoked. In between, whoever waits for the ledger
    /// has it, and nodes apply what was committed.
    async fn revoke_in_pieces(
        &self,
        caller: &Caller,
        asks: &[Ask],
    ) -> Result<(Vec<RevokeOutcome>, Revision), Error> {
        let mut outcomes = Vec::with_capacity(asks.len());
        let mut revision = self.revision();
        for piece in asks.chunks(REVOKED_TOGETHER) {
            let is_first = outcomes.is_empty();
            if !is_first {
                self.node.announce(revision).await;
            }
            let revoked = self.revoke_piece(caller, piece, &mut outcomes).await;
            revision = revoked.map_err(|reason| match is_first {
                true => reason,
                false => Error::Partly(Box::new(reason)),
            })?;
        }
        Ok((outcomes, revision))
    }

    /// Revokes these in one transaction; returns its revision.
    async fn revoke_piece(
        &self,
        caller: &Caller,
        asks: &[Ask],
        outcomes: &mut Vec<RevokeOutcome>,
    ) -> Result<Revision, Error> {
        let mut revocation = Revocation::begin(self.begin(caller.standing()).await?, asks).await?;
        outcomes.extend(asks.iter().map(|ask| revocation.revoke(ask).outcome()));
        revocation.commit(self).await
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
