//! Asks: which token shall be revoked, by whom and where, and doing it, however many are asked for in one transaction.

use std::collections::HashMap;

use rescind_catalog::{ChangeKind, Entry, Revocable, Transaction};
use rescind_domain::{
    AccountId, Act, Actor, ClusterId, DatabaseTokenId, Description, ManagementTokenId, Revision, Subject,
    Timestamp, TokenState, Verb,
};

use crate::grants::TokenRef;
use crate::receipts::Revoked;
use crate::{Authority, Caller, Error, Place, RevokeOutcome};

/// One token that somebody wants revoked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) caller: Caller,
    pub(crate) token: TokenRef,
    account: AccountId,
    owner: Owner,
}

/// Whose a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Cluster(ClusterId),
    Account(AccountId),
}

/// What became of an ask.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The token is revoked now.
    Now,
    /// It was before, then.
    Before(Timestamp),
    /// There is none.
    NotFound,
    /// The caller may not, for this reason.
    NotYours(Error),
}

/// A transaction that revokes.
pub(crate) struct Revocation {
    tx: Transaction,
    known: HashMap<TokenRef, Known>,
    database_tokens: Vec<DatabaseTokenId>,
    management_tokens: Vec<ManagementTokenId>,
    entries: Vec<Entry>,
}

/// What was read of a token.
struct Known {
    owner: Owner,
    created_by: Actor,
    description: Description,
    state: TokenState,
    is_revoked_here: bool,
}

impl Known {
    fn of<Id, Whose>(found: Revocable<Id, Whose>, owner: impl FnOnce(Whose) -> Owner) -> Self {
        Self {
            owner: owner(found.owner),
            created_by: found.created_by,
            description: found.description,
            state: found.state,
            is_revoked_here: false,
        }
    }
}

impl Ask {
    pub(crate) const fn database_token(caller: &Caller, place: Place, id: DatabaseTokenId) -> Self {
        Self {
            caller: *caller,
            token: TokenRef::Database(id),
            account: place.account,
            owner: Owner::Cluster(place.cluster),
        }
    }

    pub(crate) const fn management_token(caller: &Caller, account: AccountId, id: ManagementTokenId) -> Self {
        Self {
            caller: *caller,
            token: TokenRef::Management(id),
            account,
            owner: Owner::Account(account),
        }
    }
}

impl Ask {
    /// Whose receipt comes of it.
    pub(crate) fn receipt(&self) -> Revoked {
        let (act, subject) = match self.token {
            TokenRef::Database(id) => (Act::DatabaseTokenReceipt, id.to_string()),
            TokenRef::Management(id) => (Act::ManagementTokenReceipt, id.to_string()),
            TokenRef::Session(id) => (Act::UserReceipt, id.to_string()),
        };
        Revoked {
            actor: self.caller.actor(),
            account: self.account,
            act,
            subject: Some(subject),
        }
    }
}

impl Verdict {
    pub(crate) fn outcome(&self) -> RevokeOutcome {
        match self {
            Self::Now => RevokeOutcome::Now,
            Self::Before(at) => RevokeOutcome::Before { at: *at },
            Self::NotFound => RevokeOutcome::NotFound,
            Self::NotYours(_) => RevokeOutcome::NotYours,
        }
    }
}

impl Revocation {
    /// Reads what must be known of the tokens that `asks` name.
    pub(crate) async fn begin(mut tx: Transaction, asks: &[Ask]) -> Result<Self, Error> {
        let database_tokens: Vec<_> = asks
            .iter()
            .filter_map(|ask| match ask.token {
                TokenRef::Database(id) => Some(id),
                _ => None,
            })
            .collect();
        let management_tokens: Vec<_> = asks
            .iter()
            .filter_map(|ask| match ask.token {
                TokenRef::Management(id) => Some(id),
                _ => None,
            })
            .collect();
        let mut known = HashMap::with_capacity(asks.len());
        for found in tx.revocable_database_tokens(&database_tokens).await? {
            known.insert(TokenRef::Database(found.id), Known::of(found, Owner::Cluster));
        }
        for found in tx.revocable_management_tokens(&management_tokens).await? {
            known.insert(TokenRef::Management(found.id), Known::of(found, Owner::Account));
        }
        Ok(Self {
            tx,
            known,
            database_tokens: Vec::new(),
            management_tokens: Vec::new(),
            entries: Vec::new(),
        })
    }

    /// Whether this transaction revokes the token.
    pub(crate) fn revokes(&self, token: TokenRef) -> bool {
        self.known.get(&token).is_some_and(|known| known.is_revoked_here)
    }

    /// Revokes what is asked for, if it is there and not revoked, and the caller may.
    pub(crate) fn revoke(&mut self, ask: &Ask) -> Verdict {
        let Some(known) = self
            .known
            .get_mut(&ask.token)
            .filter(|known| known.owner == ask.owner)
        else {
            return Verdict::NotFound;
        };
        let subject = match known.owner {
            Owner::Cluster(_) => Subject::DatabaseToken,
            Owner::Account(_) => Subject::ManagementToken,
        };
        if let Err(reason) = ask.caller.check_maker(known.created_by, Verb::Delete, subject) {
            return Verdict::NotYours(reason);
        }
        match known.state.revoke(self.tx.now()) {
            Ok(revoked) => known.state = revoked,
            Err(before) => return Verdict::Before(before.at),
        }
        known.is_revoked_here = true;
        let (act, subject, change) = match ask.token {
            TokenRef::Database(id) => {
                self.database_tokens.push(id);
                (
                    Act::DatabaseTokenRevoke,
                    id.to_string(),
                    ChangeKind::DatabaseToken(id),
                )
            }
            TokenRef::Management(id) => {
                self.management_tokens.push(id);
                (
                    Act::ManagementTokenRevoke,
                    id.to_string(),
                    ChangeKind::ManagementToken(id),
                )
            }
            // Sessions end otherwise, and are never known here.
            TokenRef::Session(_) => return Verdict::NotFound,
        };
        self.entries.push(Entry {
            actor: ask.caller.actor(),
            account: ask.account,
            act,
            subject,
            details: vec![("description".to_owned(), known.description.to_string())],
            changes: vec![change],
        });
        Verdict::Now
    }

    /// Makes it durable, if there is something; returns the revision by which every token that was asked for is revoked.
    pub(crate) async fn commit(mut self, authority: &Authority) -> Result<Revision, Error> {
        let revision = self.tx.revision();
        if self.entries.is_empty() {
            self.tx.rollback().await?;
            return Ok(revision);
        }
        let now = self.tx.now();
        self.tx.revoke_database_tokens(&self.database_tokens, now).await?;
        self.tx
            .revoke_management_tokens(&self.management_tokens, now)
            .await?;
        authority.commit_all(self.tx, self.entries).await
    }

    pub(crate) fn transaction(&mut self) -> &mut Transaction {
        &mut self.tx
    }
}
