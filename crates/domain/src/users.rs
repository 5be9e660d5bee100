//! The people of an account.

use std::fmt;
use std::str::FromStr;

use crate::{AccountId, Role, Timestamp, UserId};

/// An e-mail address: how a user signs in. Compared without regard to case, kept as typed.
#[derive(Debug, Clone)]
pub struct Email(String);

/// Why a text is not an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address such as ada@example.com, at most 254 characters")]
pub struct EmailError;

impl Email {
    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In lower case: what makes an address unique.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Email {
    type Err = EmailError;

    /// Only what every address has in common is checked (RFC 5321 section 4.5.3.1 bounds the length): whether it
    /// works, only a message to it can tell.
    fn from_str(text: &str) -> Result<Self, EmailError> {
        let bounded = (3..=254).contains(&text.len());
        let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        match text.rsplit_once('@') {
            Some((local, host)) if bounded && plain && !local.is_empty() && !host.is_empty() => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(EmailError),
        }
    }
}

/// Whether a user may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    /// May act by its role.
    Enabled,
    /// Is refused everywhere.
    Disabled {
        /// Since when.
        at: Timestamp,
    },
}

/// A person of an account.
#[derive(Debug, Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The account it belongs to.
    pub account: AccountId,
    /// How it signs in.
    pub email: Email,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it may act at all.
    pub state: UserState,
    /// When it joined.
    pub created_at: Timestamp,
}
