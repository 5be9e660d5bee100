//! Enforcement's view of a token, and the one decision that turns it into a [`Permit`].

use std::fmt;
use std::sync::Arc;

use crate::{
    AccountId, Action, ClusterId, DatabaseName, DatabaseTokenId, ManagementTokenId, Permissions, Timestamp,
};

/// What a database token may do, as enforcement sees it.
#[derive(Debug, Clone)]
pub struct DatabaseGrant {
    /// The token.
    pub token: DatabaseTokenId,
    /// The cluster whose databases its permissions name.
    pub cluster: ClusterId,
    /// Shared between tokens with equal sets.
    pub permissions: Arc<Permissions>,
    /// From this moment on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// What a management token may do, as enforcement sees it: everything on its account.
#[derive(Debug, Clone, Copy)]
pub struct ManagementGrant {
    /// The token.
    pub token: ManagementTokenId,
    /// The account that it administers.
    pub account: AccountId,
    /// From this moment on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// Ties admitted work to its token: cut when the token is revoked or loses rights (promise G2).
pub trait Tether: fmt::Debug + Send + Sync {
    /// Whether the work must stop. Asked last thing before an effect.
    fn is_cut(&self) -> bool;
}

/// What a client asks of the data plane.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What it wants to do.
    pub action: Action,
    /// To the database of this name.
    pub database: &'a DatabaseName,
}

/// The token is good, but not for this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token has no permission to {action} database {database:?}")]
pub struct Forbidden {
    /// What was asked.
    pub action: Action,
    /// Of which database.
    pub database: DatabaseName,
}

/// The proof that one request was admitted. Only [`decide`] makes one; the engine and the forwarding of requests
/// accept nothing else, so that an unchecked path does not compile.
#[derive(Debug, Clone)]
pub struct Permit {
    token: DatabaseTokenId,
    cluster: ClusterId,
    action: Action,
    database: DatabaseName,
    tether: Arc<dyn Tether>,
}

impl Permit {
    /// The token that was admitted.
    pub fn token(&self) -> DatabaseTokenId {
        self.token
    }

    /// The cluster that the token belongs to.
    pub fn cluster(&self) -> ClusterId {
        self.cluster
    }

    /// What was admitted.
    pub fn action(&self) -> Action {
        self.action
    }

    /// On which database.
    pub fn database(&self) -> &DatabaseName {
        &self.database
    }

    /// Whether the work that was admitted must stop. Check it last thing before an effect.
    pub fn is_cut(&self) -> bool {
        self.tether.is_cut()
    }
}

/// Decides whether `grant` covers `ask`. Expiry is the caller's to check first, because an expired token is not
/// authenticated at all (401) while this refusal is about rights (403).
///
/// # Errors
/// [`Forbidden`] when the grant does not cover the action on that database.
pub fn decide(grant: &DatabaseGrant, ask: Ask<'_>, tether: Arc<dyn Tether>) -> Result<Permit, Forbidden> {
    if !grant.permissions.allow(ask.action, ask.database) {
        return Err(Forbidden {
            action: ask.action,
            database: ask.database.clone(),
        });
    }
    Ok(Permit {
        token: grant.token,
        cluster: grant.cluster,
        action: ask.action,
        database: ask.database.clone(),
        tether,
    })
}
