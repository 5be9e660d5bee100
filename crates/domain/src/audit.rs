//! The audit log: who did what, chained by hashes so that a missing or altered event shows.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{AccountId, DatabaseTokenId, ManagementTokenId, Revision, Timestamp, UserId};

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// Rescind itself, at first start and for housekeeping.
    System,
    /// Someone with access to the data directory, through the `rescind` command.
    Operator,
    /// A management token.
    ManagementToken(ManagementTokenId),
    /// A database token, whose write made a table.
    DatabaseToken(DatabaseTokenId),
    /// A user.
    User(UserId),
}

/// `kind` or `kind:id`, as stored.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Operator => f.write_str("operator"),
            Self::ManagementToken(id) => write!(f, "management_token:{id}"),
            Self::DatabaseToken(id) => write!(f, "database_token:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = |_| format!("{text:?} names no actor");
        match text.split_once(':') {
            None if text == "system" => Ok(Self::System),
            None if text == "operator" => Ok(Self::Operator),
            Some(("management_token", id)) => id.parse().map(Self::ManagementToken).map_err(unknown),
            Some(("database_token", id)) => id.parse().map(Self::DatabaseToken).map_err(unknown),
            Some(("user", id)) => id.parse().map(Self::User).map_err(unknown),
            _ => Err(format!("{text:?} names no actor")),
        }
    }
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Act {
            $($(#[$doc])* $name,)*
        }

        impl Act {
            /// Every act there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word on the wire and in the catalog.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

acts! {
    /// An account was created.
    AccountCreate = "account.create",
    /// A cluster was created.
    ClusterCreate = "cluster.create",
    /// A database was created.
    DatabaseCreate = "database.create",
    /// A database's limits were changed.
    DatabaseUpdate = "database.update",
    /// A database was renamed.
    DatabaseRename = "database.rename",
    /// A database was deleted.
    DatabaseDelete = "database.delete",
    /// A deleted database was restored.
    DatabaseUndelete = "database.undelete",
    /// A deleted database's data was removed from disk.
    DatabasePurge = "database.purge",
    /// A table was created, by an administrator or by the first write to it.
    TableCreate = "table.create",
    /// A table was renamed.
    TableRename = "table.rename",
    /// A table was deleted.
    TableDelete = "table.delete",
    /// A deleted table was restored.
    TableUndelete = "table.undelete",
    /// A deleted table's data was removed from disk.
    TablePurge = "table.purge",
    /// A database token was created.
    DatabaseTokenCreate = "database_token.create",
    /// A database token's description or permissions were changed.
    DatabaseTokenUpdate = "database_token.update",
    /// A database token was revoked.
    DatabaseTokenRevoke = "database_token.revoke",
    /// What became of a revocation of database tokens on every node.
    DatabaseTokenReceipt = "database_token.receipt",
    /// A management token was created.
    ManagementTokenCreate = "management_token.create",
    /// A management token was revoked.
    ManagementTokenRevoke = "management_token.revoke",
    /// What became of a revocation of management tokens on every node.
    ManagementTokenReceipt = "management_token.receipt",
    /// A user was created.
    UserCreate = "user.create",
    /// A user's password was set.
    UserPassword = "user.password",
    /// A user's names or role were changed.
    UserUpdate = "user.update",
    /// A user was disabled.
    UserDisable = "user.disable",
    /// A disabled user was enabled again.
    UserEnable = "user.enable",
    /// A user was deleted.
    UserDelete = "user.delete",
    /// What became, on every node, of shutting a user out.
    UserReceipt = "user.receipt",
    /// A person was invited.
    InvitationCreate = "invitation.create",
    /// An invitation was accepted.
    InvitationAccept = "invitation.accept",
    /// An invitation was withdrawn.
    InvitationRevoke = "invitation.revoke",
    /// A user signed in.
    SessionCreate = "session.create",
    /// A session was ended before its time.
    SessionEnd = "session.end",
    /// An attempt to sign in failed.
    SignInFailure = "sign_in.failure",
    /// A user let a device act in its name.
    DeviceApprove = "device.approve",
    /// A user refused a device.
    DeviceDeny = "device.deny",
}

impl std::str::FromStr for Act {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|act| act.as_str() == text)
            .ok_or_else(|| format!("{text:?} names no act"))
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// SHA-256 over an event and the hash before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuditHash([u8; 32]);

impl AuditHash {
    /// What stands before the first event.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash as the catalog stored it.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash of `event`, which follows the event of this hash. Every field is preceded by its length, so that no
    /// two events read the same.
    pub fn then(self, event: &AuditEvent) -> Self {
        let mut digest = Sha256::new();
        digest.update(self.0);
        digest.update(event.sequence.to_be_bytes());
        digest.update(event.at.micros().to_be_bytes());
        digest.update(event.revision.map_or(0, Revision::get).to_be_bytes());
        digest.update(event.account.to_bytes());
        let texts = [
            event.actor.to_string(),
            event.act.to_string(),
            event.subject.clone(),
        ];
        let details = event
            .details
            .iter()
            .flat_map(|(key, value)| [key.clone(), value.clone()]);
        for text in texts.into_iter().chain(details) {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
        Self(digest.finalize().into())
    }
}

/// In hexadecimal.
impl fmt::Display for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One administrative act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its place in the log, from 1, without gaps.
    pub sequence: i64,
    /// When it was done.
    pub at: Timestamp,
    /// The revision it took, if it changed what anyone may do.
    pub revision: Option<Revision>,
    /// Who did it.
    pub actor: Actor,
    /// On which account.
    pub account: AccountId,
    /// What was done.
    pub act: Act,
    /// The id of what it was done to.
    pub subject: String,
    /// Further facts, by name, in the order given; never a secret.
    pub details: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> AuditEvent {
        AuditEvent {
            sequence: 1,
            at: Timestamp::from_micros(7),
            revision: Some(Revision::new(3)),
            actor: Actor::System,
            account: AccountId::from_bytes([1; 16]),
            act: Act::DatabaseTokenRevoke,
            subject: "x".to_owned(),
            details: vec![("a".to_owned(), "bc".to_owned())],
        }
    }

    #[test]
    fn every_altered_field_shows() {
        let original = AuditHash::GENESIS.then(&event());
        let alter: [fn(&mut AuditEvent); 8] = [
            |e| e.sequence = 2,
            |e| e.at = Timestamp::from_micros(8),
            |e| e.revision = None,
            |e| e.actor = Actor::Operator,
            |e| e.account = AccountId::from_bytes([2; 16]),
            |e| e.act = Act::DatabaseTokenCreate,
            |e| e.subject = "y".to_owned(),
            |e| e.details = vec![("ab".to_owned(), "c".to_owned())],
        ];
        for change in alter {
            let mut altered = event();
            change(&mut altered);
            assert_ne!(AuditHash::GENESIS.then(&altered), original);
        }
        assert_ne!(original.then(&event()), original);
    }

    #[test]
    fn words_are_read_back() {
        for act in Act::ALL {
            assert_eq!(act.as_str().parse(), Ok(*act));
        }
        for actor in [
            Actor::System,
            Actor::Operator,
            Actor::User(UserId::from_bytes([3; 16])),
        ] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
    }
}
