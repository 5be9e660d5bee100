//! Sessions: how a user, once recognised, stays recognised.

use std::fmt;
use std::str::FromStr;

use crate::{AccountId, Client, Role, SecretKind, SessionId, Timestamp, UserId};

/// Where a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionKind {
    /// In a browser, as a cookie: after signing in with a password.
    Browser,
    /// In a program, as a bearer token: after its user approved the device (RFC 8628).
    Device,
}

impl SessionKind {
    /// The word in the catalog and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Device => "device",
        }
    }

    /// What carries a session of this kind.
    pub const fn secret_kind(self) -> SecretKind {
        match self {
            Self::Browser => SecretKind::Session,
            Self::Device => SecretKind::Access,
        }
    }
}

impl fmt::Display for SessionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SessionKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Browser, Self::Device]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} names no kind of session"))
    }
}

/// One session of a user, as its owner sees it.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// Where it lives.
    pub kind: SessionKind,
    /// Where it was begun from.
    pub client: Client,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends at the latest, however much it is used.
    pub expires_at: Timestamp,
    /// When it was last used, to a few seconds.
    pub last_used_at: Option<Timestamp>,
    /// When it was ended before its time, if it was.
    pub ended_at: Option<Timestamp>,
}

/// What a session may do, as enforcement sees it. There is none for a disabled user's sessions.
#[derive(Debug, Clone, Copy)]
pub struct SessionGrant {
    /// The session.
    pub session: SessionId,
    /// Where it lives.
    pub kind: SessionKind,
    /// Whose it is.
    pub user: UserId,
    /// The account of that user.
    pub account: AccountId,
    /// What that user may do.
    pub role: Role,
    /// From this moment on it is refused.
    pub expires_at: Timestamp,
}
