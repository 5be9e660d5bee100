//! Tokens as administrators see them, and their life.

use crate::{
    AccountId, Actor, ClusterId, DatabaseTokenId, Description, ManagementTokenId, Permissions, SecretPrefix,
    Timestamp,
};

/// Where a token stands in its life. Expiry is no state: it follows from the clock ([`TokenStatus`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// Not revoked.
    Active,
    /// Revoked, for good.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

/// Revoking cannot be repeated: the first moment stays (contract, influxctl section 9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token was already revoked at {at}")]
pub struct AlreadyRevoked {
    /// When it was.
    pub at: Timestamp,
}

impl TokenState {
    /// Ends the token's life.
    ///
    /// # Errors
    /// [`AlreadyRevoked`] with the moment at which that happened.
    pub const fn revoke(self, at: Timestamp) -> Result<Self, AlreadyRevoked> {
        match self {
            Self::Active => Ok(Self::Revoked { at }),
            Self::Revoked { at } => Err(AlreadyRevoked { at }),
        }
    }

    /// When it was revoked, if it was.
    pub const fn revoked_at(self) -> Option<Timestamp> {
        match self {
            Self::Active => None,
            Self::Revoked { at } => Some(at),
        }
    }

    /// What lists call the token at `now`.
    pub fn status(self, expires_at: Option<Timestamp>, now: Timestamp) -> TokenStatus {
        match (self, expires_at) {
            (Self::Revoked { .. }, _) => TokenStatus::Revoked,
            (Self::Active, Some(end)) if end <= now => TokenStatus::Expired,
            (Self::Active, _) => TokenStatus::Active,
        }
    }
}

/// What a token is called in lists (contract, admin-ui section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenStatus {
    /// Works.
    Active,
    /// Its `expires_at` has passed.
    Expired,
    /// Was revoked, before or after it expired.
    Revoked,
}

impl TokenStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A database token.
#[derive(Debug, Clone)]
pub struct DatabaseToken {
    /// Its id.
    pub id: DatabaseTokenId,
    /// The account that owns its cluster.
    pub account: AccountId,
    /// The cluster whose databases it opens.
    pub cluster: ClusterId,
    /// What it is for.
    pub description: Description,
    /// What it may do.
    pub permissions: Permissions,
    /// How its secret starts.
    pub prefix: SecretPrefix,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Where it stands.
    pub state: TokenState,
    /// When it was last admitted, as far as flushed to the catalog.
    pub last_used_at: Option<Timestamp>,
}

/// A management token.
#[derive(Debug, Clone)]
pub struct ManagementToken {
    /// Its id.
    pub id: ManagementTokenId,
    /// The account that it administers.
    pub account: AccountId,
    /// What it is for.
    pub description: Description,
    /// How its secret starts.
    pub prefix: SecretPrefix,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Where it stands.
    pub state: TokenState,
    /// When it was last admitted, as far as flushed to the catalog.
    pub last_used_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: Timestamp = Timestamp::from_micros(1);
    const LATE: Timestamp = Timestamp::from_micros(2);

    #[test]
    fn revoking_happens_once() {
        let revoked = TokenState::Active.revoke(EARLY).expect("first");
        assert_eq!(revoked.revoke(LATE), Err(AlreadyRevoked { at: EARLY }));
    }

    #[test]
    fn a_token_expires_at_its_moment_not_after_it() {
        assert_eq!(TokenState::Active.status(Some(LATE), EARLY), TokenStatus::Active);
        assert_eq!(TokenState::Active.status(Some(LATE), LATE), TokenStatus::Expired);
        assert_eq!(
            TokenState::Revoked { at: EARLY }.status(Some(EARLY), LATE),
            TokenStatus::Revoked
        );
    }
}
