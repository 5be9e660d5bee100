//! Database tokens: create, read, update, revoke.

use std::sync::Arc;

use rescind_catalog::{ChangeKind, Entry, Paged, TokenQuery};
use rescind_domain::{
    Act, DatabaseName, DatabaseToken, DatabaseTokenId, Description, Permissions, Receipt, Secret, SecretKind,
    Subject, Timestamp, TokenState, Verb,
};

use crate::asks::Ask;
use crate::grants::TokenRef;
use crate::{Authority, Caller, Created, Error, Place};

/// What a new database token shall be.
#[derive(Debug, Clone)]
pub struct CreateDatabaseToken {
    /// What it is for.
    pub description: Description,
    /// What it may do. The databases need not exist: permissions go by name.
    pub permissions: Permissions,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// What shall change about a database token. Its expiry cannot.
#[derive(Debug, Clone, Default)]
pub struct UpdateDatabaseToken {
    /// The new description, if any.
    pub description: Option<Description>,
    /// The permissions that replace the former ones, if any.
    pub permissions: Option<Permissions>,
    /// What the caller last saw: when the token is not so any more, nothing is done.
    pub if_unchanged: Option<(Description, Permissions)>,
}

const WHAT: &str = "database token";

impl Authority {
    /// Makes a database token. When this returns, every node honours it (promise G4).
    ///
    /// # Errors
    /// [`Error::Invalid`] for an expiry that is not in the future, and what every act may return.
    pub async fn create_database_token(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        request: CreateDatabaseToken,
    ) -> Result<Created<DatabaseToken>, Error> {
        self.check(caller, place, Verb::Create, Subject::DatabaseToken)?;
        let now = self.clock().now();
        check_expiry(request.expires_at, now)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let secret = Secret::mint(SecretKind::Database, this.rng());
            let token = DatabaseToken {
                id: DatabaseTokenId::mint(this.rng()),
                account: place.account,
                cluster: place.cluster,
                description: request.description,
                permissions: request.permissions,
                prefix: secret.prefix(),
                created_at: now,
                created_by: actor,
                expires_at: request.expires_at,
                state: TokenState::Active,
                last_used_at: None,
            };
            let mut tx = this.begin(standing).await?;
            tx.insert_database_token(&token, &secret.hash()).await?;
            let details = vec![
                ("description".to_owned(), token.description.to_string()),
                ("permissions".to_owned(), in_words(&token.permissions)),
                (
                    "expires_at".to_owned(),
                    token.expires_at.map_or_else(String::new, |at| at.to_string()),
                ),
            ];
            let entry = Entry {
                actor,
                account: place.account,
                act: Act::DatabaseTokenCreate,
                subject: token.id.to_string(),
                details,
                changes: vec![ChangeKind::DatabaseToken(token.id)],
            };
            let revision = this.commit(tx, entry).await?;
            let receipt = this.fence(revision, wait).await?;
            Ok(Created {
                item: token,
                secret,
                receipt,
            })
        })
        .await
    }

    /// One database token, revoked or not.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every read may return.
    pub async fn database_token(
        &self,
        caller: &Caller,
        place: Place,
        id: DatabaseTokenId,
    ) -> Result<DatabaseToken, Error> {
        self.check(caller, place, Verb::Read, Subject::DatabaseToken)?;
        self.catalog
            .database_token(place.cluster, id)
            .await?
            .ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// One page of a cluster's database tokens; with `database` those only that open it, by name or by `*`.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn database_tokens(
        &self,
        caller: &Caller,
        place: Place,
        database: Option<&DatabaseName>,
        query: &TokenQuery,
    ) -> Result<Paged<DatabaseToken>, Error> {
        self.check(caller, place, Verb::Read, Subject::DatabaseToken)?;
        Ok(self
            .catalog
            .database_tokens(place.cluster, database, query)
            .await?)
    }

    /// Changes a database token. When this returns, every node acts by it, and work that ran under permissions taken
    /// away is cut.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the token is revoked, [`Error::Changed`] when somebody else was faster and the request
    /// asks, [`Error::Invalid`] when nothing shall change.
    pub async fn update_database_token(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        id: DatabaseTokenId,
        request: UpdateDatabaseToken,
    ) -> Result<(DatabaseToken, Receipt), Error> {
        self.check_or_own(caller, place, Verb::Update, Subject::DatabaseToken)?;
        let caller = *caller;
        if request.description.is_none() && request.permissions.is_none() {
            return Err(Error::invalid("body", "give a description, permissions, or both"));
        }
        let (actor, standing) = (caller.actor(), caller.standing());
        self.act(move |this| async move {
            let wait = caller.wait();
            let mut tx = this.begin(standing).await?;
            let mut token = tx
                .database_token(place.cluster, id)
                .await?
                .ok_or_else(|| Error::not_found(WHAT, id))?;
            caller.check_maker(token.created_by, Verb::Update, Subject::DatabaseToken)?;
            if let Some(at) = token.state.revoked_at() {
                return Err(Error::Conflict(format!(
                    "the token was revoked at {at} and cannot be changed"
                )));
            }
            if let Some((description, permissions)) = &request.if_unchanged
                && (token.description != *description || token.permissions != *permissions)
            {
                return Err(Error::Changed(Box::new(token)));
            }
            let mut details = Vec::new();
            if let Some(description) = request.description {
                details.push(("description".to_owned(), description.to_string()));
                token.description = description;
            }
            if let Some(permissions) = request.permissions {
                details.push(("permissions".to_owned(), in_words(&permissions)));
                token.permissions = permissions;
            }
            tx.update_database_token(&token).await?;
            let entry = Entry {
                actor,
                account: place.account,
                act: Act::DatabaseTokenUpdate,
                subject: id.to_string(),
                details,
                changes: vec![ChangeKind::DatabaseToken(id)],
            };
            let revision = this.commit(tx, entry).await?;
            Ok((
                token,
                this.fence_off(TokenRef::Database(id), revision, wait).await?,
            ))
        })
        .await
    }

    /// Revokes a database token, for good. When this returns, every node refuses it (promise G1) and what it had
    /// running is cut (promise G2). Revoking it again changes nothing and waits again.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every act may return.
    pub async fn revoke_database_token(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        id: DatabaseTokenId,
    ) -> Result<Receipt, Error> {
        self.check_or_own(caller, place, Verb::Delete, Subject::DatabaseToken)?;
        self.revoke(Ask::database_token(caller, place, id)).await
    }
}

/// An expiry in the past would make a token that never works.
pub(crate) fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
    match expires_at {
        Some(end) if end <= now => Err(Error::invalid(
            "expiresAt",
            format!("must lie in the future, {end} is past (it is now {now})"),
        )),
        _ => Ok(()),
    }
}

/// `read mydb, write *`, for the audit log.
fn in_words(permissions: &Permissions) -> String {
    let words: Vec<String> = permissions
        .iter()
        .map(|p| format!("{} {}", p.action, p.resource))
        .collect();
    words.join(", ")
}
