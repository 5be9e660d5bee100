//! Typed ids: one type per kind, so that a token id cannot stand where an account id is wanted.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::Rng;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be {form}, such as {example}")]
pub struct IdError {
    /// What was wanted, as people call it: "token id".
    pub kind: &'static str,
    form: &'static str,
    example: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new random (version 4) id.
            pub fn mint(rng: &dyn Rng) -> Self {
                let mut bytes = [0; 16];
                rng.fill(&mut bytes);
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// The sixteen bytes, as the catalog stores them.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }

            /// The id that [`Self::to_bytes`] came from.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Accepts the hyphenated form only, in either case (contract, management-api section 1).
            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.len() != 36 {
                    return Err(not_a_uuid($kind));
                }
                Uuid::try_parse(text).map(Self).map_err(|_| not_a_uuid($kind))
            }
        }
    };
}

const fn not_a_uuid(kind: &'static str) -> IdError {
    IdError {
        kind,
        form: "a UUID",
        example: "11111111-1111-4111-8111-111111111111",
    }
}

uuid_id!(
    /// Names an account.
    AccountId,
    "account id"
);
uuid_id!(
    /// Names a cluster.
    ClusterId,
    "cluster id"
);
uuid_id!(
    /// Names a database token.
    DatabaseTokenId,
    "token id"
);
uuid_id!(
    /// Names a management token.
    ManagementTokenId,
    "token id"
);
uuid_id!(
    /// Names a user.
    UserId,
    "user id"
);
uuid_id!(
    /// Names a session of a user.
    SessionId,
    "session id"
);
uuid_id!(
    /// Names an invitation.
    InvitationId,
    "invitation id"
);
uuid_id!(
    /// Names a device request.
    DeviceRequestId,
    "device request id"
);
uuid_id!(
    /// Names a node: a process that admits requests.
    NodeId,
    "node id"
);
uuid_id!(
    /// Names one permission of one token; derived, never stored (contract, X-API-16).
    PermissionId,
    "permission id"
);

impl PermissionId {
    /// The same token, action and resource always give the same id (UUID version 5).
    pub fn derive(token: DatabaseTokenId, action: &str, resource: &str) -> Self {
        Self(Uuid::new_v5(&token.0, format!("{action}\n{resource}").as_bytes()))
    }
}

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The id with this number; `None` below 1.
            pub const fn new(number: i64) -> Option<Self> {
                if number >= 1 { Some(Self(number)) } else { None }
            }

            /// The number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let wrong = IdError { kind: $kind, form: "a whole number from 1", example: "12345" };
                text.parse().ok().and_then(Self::new).ok_or(wrong)
            }
        }
    };
}

integer_id!(
    /// Names a database; survives renames (contract, management-api section 4.5).
    DatabaseId,
    "database id"
);
integer_id!(
    /// Names a table; survives renames (contract, management-api section 5.3).
    TableId,
    "table id"
);
