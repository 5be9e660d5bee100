//! Invitations: one-time links by which a person becomes a user, or sets a first password.

use crate::{AccountId, Actor, Email, InvitationId, Role, Timestamp, UserId};

/// Where an invitation stands in its life. Expiry is no state: it follows from the clock ([`InvitationStatus`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// Its link works until it expires.
    Pending,
    /// Its link was used.
    Accepted {
        /// When.
        at: Timestamp,
        /// By whom.
        user: UserId,
    },
    /// It was withdrawn.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

impl InvitationState {
    /// What lists call it at `now`.
    pub fn status(self, expires_at: Timestamp, now: Timestamp) -> InvitationStatus {
        match self {
            Self::Accepted { .. } => InvitationStatus::Accepted,
            Self::Revoked { .. } => InvitationStatus::Revoked,
            Self::Pending if expires_at <= now => InvitationStatus::Expired,
            Self::Pending => InvitationStatus::Pending,
        }
    }

    /// Uses the link up.
    ///
    /// # Errors
    /// [`NotPending`] when it was used or withdrawn before.
    pub const fn accept(self, at: Timestamp, user: UserId) -> Result<Self, NotPending> {
        match self {
            Self::Pending => Ok(Self::Accepted { at, user }),
            Self::Accepted { .. } | Self::Revoked { .. } => Err(NotPending),
        }
    }

    /// Withdraws it.
    ///
    /// # Errors
    /// [`NotPending`] when it was used or withdrawn before.
    pub const fn revoke(self, at: Timestamp) -> Result<Self, NotPending> {
        match self {
            Self::Pending => Ok(Self::Revoked { at }),
            Self::Accepted { .. } | Self::Revoked { .. } => Err(NotPending),
        }
    }
}

/// Only a pending invitation can be accepted or withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the invitation is not pending any more")]
pub struct NotPending;

/// What an invitation is called in lists (contract, admin-ui section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InvitationStatus {
    /// Waits to be accepted.
    Pending,
    /// Was accepted.
    Accepted,
    /// Its time has passed.
    Expired,
    /// Was withdrawn.
    Revoked,
}

impl InvitationStatus {
    /// The word on the wire and on the page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// An invitation, as those who may see it see it.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The account it leads to.
    pub account: AccountId,
    /// Who is invited. The address of an existing user lets that user set a password.
    pub email: Email,
    /// Given name, may be empty until it is accepted.
    pub first_name: String,
    /// Family name, may be empty until it is accepted.
    pub last_name: String,
    /// What the user will be.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Actor,
    /// From when on its link does not work.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: InvitationState,
}
