//! Management tokens: create, read, revoke. They belong to an account and do everything on it.

use std::sync::Arc;

use rescind_catalog::{ChangeKind, Entry, Paged, TokenQuery};
use rescind_domain::{
    AccountId, Act, Actor, Description, ManagementToken, ManagementTokenId, Receipt, Secret, SecretKind,
    Subject, Timestamp, TokenState, Verb,
};

use crate::asks::Ask;
use crate::tokens::check_expiry;
use crate::{Authority, Caller, Created, Error};

/// What a new management token shall be.
#[derive(Debug, Clone)]
pub struct CreateManagementToken {
    /// What it is for; a generated text when absent (contract, X-CLI-1).
    pub description: Option<Description>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

const WHAT: &str = "management token";

impl Authority {
    /// Makes a management token. When this returns, every node honours it (promise G4).
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty description or an expiry that is not in the future, and what every act may
    /// return.
    pub async fn create_management_token(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        request: CreateManagementToken,
    ) -> Result<Created<ManagementToken>, Error> {
        caller.check(account, Verb::Create, Subject::ManagementToken)?;
        let now = self.clock().now();
        check_expiry(request.expires_at, now)?;
        let description = describe(request.description, now)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let (token, secret) =
                this.new_management_token(account, actor, description, request.expires_at, now);
            let mut tx = this.begin(standing).await?;
            tx.insert_management_token(&token, &secret.hash()).await?;
            let revision = this.commit(tx, created_entry(&token)).await?;
            let receipt = this.fence(revision, wait).await?;
            Ok(Created {
                item: token,
                secret,
                receipt,
            })
        })
        .await
    }

    /// One management token, revoked or not.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every read may return.
    pub async fn management_token(
        &self,
        caller: &Caller,
        account: AccountId,
        id: ManagementTokenId,
    ) -> Result<ManagementToken, Error> {
        caller.check(account, Verb::Read, Subject::ManagementToken)?;
        self.catalog
            .management_token(account, id)
            .await?
            .ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// One page of an account's management tokens.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn management_tokens(
        &self,
        caller: &Caller,
        account: AccountId,
        query: &TokenQuery,
    ) -> Result<Paged<ManagementToken>, Error> {
        caller.check(account, Verb::Read, Subject::ManagementToken)?;
        Ok(self.catalog.management_tokens(account, query).await?)
    }

    /// Revokes a management token, for good; the caller's own as well. When this returns, every node refuses it
    /// (promise G1). What it made stays. Revoking it again changes nothing and waits again.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every act may return.
    pub async fn revoke_management_token(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        id: ManagementTokenId,
    ) -> Result<Receipt, Error> {
        caller.check(account, Verb::Delete, Subject::ManagementToken)?;
        self.revoke(Ask::management_token(caller, account, id)).await
    }

    pub(crate) fn new_management_token(
        &self,
        account: AccountId,
        actor: Actor,
        description: Description,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> (ManagementToken, Secret) {
        let secret = Secret::mint(SecretKind::Management, self.rng());
        let token = ManagementToken {
            id: ManagementTokenId::mint(self.rng()),
            account,
            description,
            prefix: secret.prefix(),
            created_at: now,
            created_by: actor,
            expires_at,
            state: TokenState::Active,
            last_used_at: None,
        };
        (token, secret)
    }
}

/// The audit entry of a management token's creation.
pub(crate) fn created_entry(token: &ManagementToken) -> Entry {
    Entry {
        actor: token.created_by,
        account: token.account,
        act: Act::ManagementTokenCreate,
        subject: token.id.to_string(),
        details: vec![
            ("description".to_owned(), token.description.to_string()),
            (
                "expires_at".to_owned(),
                token.expires_at.map_or_else(String::new, |at| at.to_string()),
            ),
        ],
        changes: vec![ChangeKind::ManagementToken(token.id)],
    }
}

fn describe(given: Option<Description>, now: Timestamp) -> Result<Description, Error> {
    match given {
        Some(description) if description.as_str().trim().is_empty() => Err(Error::invalid(
            "description",
            "must not be empty; leave it out for a generated one",
        )),
        Some(description) => Ok(description),
        None => format!("Created {}", now.to_rfc3339(0))
            .parse()
            .map_err(|e| Error::invalid("description", e)),
    }
}
