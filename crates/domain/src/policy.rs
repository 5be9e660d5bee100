//! Who may administer what: the policy as data.
//!
//! The table is what is enforced and what is printed; there is no second copy of it in code.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

/// Who asks, as the policy sees it (contract, admin-ui section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A user who may do everything on the account.
    Admin,
    /// A user who works with databases.
    Member,
    /// A user who may look at everything and change nothing.
    Auditor,
}

impl Role {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of the three roles.
impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Admin, Self::Member, Self::Auditor]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("role must be admin, member or auditor, not {text:?}"))
    }
}

/// What is administered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The account itself.
    Account,
    /// A cluster.
    Cluster,
    /// A database.
    Database,
    /// A table.
    Table,
    /// A database token.
    DatabaseToken,
    /// A management token.
    ManagementToken,
    /// A user.
    User,
    /// An invitation.
    Invitation,
    /// An audit event.
    AuditEvent,
    /// A node.
    Node,
}

/// What is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Read one or list them.
    Read,
    /// Make one.
    Create,
    /// Change one, rename and undelete included.
    Update,
    /// Delete or revoke one.
    Delete,
}

/// One thing that may be allowed: a verb on a kind of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deed {
    /// What is done.
    pub verb: Verb,
    /// To what.
    pub subject: Subject,
}

/// How far a role may go with a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// Not at all.
    None,
    /// With what it made itself.
    Own,
    /// With everything on its account.
    All,
}

/// As people say it: "revoke management tokens".
impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match (self.verb, self.subject) {
            (Verb::Read, _) => "see",
            (Verb::Create, Subject::Invitation) => "send",
            (Verb::Create, _) => "create",
            (Verb::Update, _) => "change",
            (Verb::Delete, Subject::DatabaseToken | Subject::ManagementToken) => "revoke",
            (Verb::Delete, Subject::Invitation) => "withdraw",
            (Verb::Delete, _) => "delete",
        };
        let subject = match self.subject {
            Subject::Account => "the account",
            Subject::Cluster => "clusters",
            Subject::Database => "databases",
            Subject::Table => "tables",
            Subject::DatabaseToken => "database tokens",
            Subject::ManagementToken => "management tokens",
            Subject::User => "users",
            Subject::Invitation => "invitations",
            Subject::AuditEvent => "the audit log",
            Subject::Node => "nodes",
        };
        write!(f, "{verb} {subject}")
    }
}

type Row = (Subject, Verb, [Extent; 3]);

const YES: Extent = Extent::All;
const OWN: Extent = Extent::Own;
const NO: Extent = Extent::None;

/// Columns: Admin, Member, Auditor. Management tokens do everything that Admin does, whatever the groups of whoever
/// made them (contract, management-api section 7). Users of any role see and end their own sessions. What is not listed
/// is refused.
const TABLE: &[Row] = &[
    (Subject::Account, Verb::Read, [YES, YES, YES]),
    (Subject::Cluster, Verb::Read, [YES, YES, YES]),
    (Subject::Database, Verb::Read, [YES, YES, YES]),
    (Subject::Database, Verb::Create, [YES, NO, NO]),
    (Subject::Database, Verb::Update, [YES, NO, NO]),
    (Subject::Database, Verb::Delete, [YES, NO, NO]),
    (Subject::Table, Verb::Read, [YES, YES, YES]),
    (Subject::Table, Verb::Create, [YES, NO, NO]),
    (Subject::Table, Verb::Update, [YES, NO, NO]),
    (Subject::Table, Verb::Delete, [YES, NO, NO]),
    (Subject::DatabaseToken, Verb::Read, [YES, YES, YES]),
    (Subject::DatabaseToken, Verb::Create, [YES, YES, NO]),
    (Subject::DatabaseToken, Verb::Update, [YES, OWN, NO]),
    (Subject::DatabaseToken, Verb::Delete, [YES, OWN, NO]),
    (Subject::ManagementToken, Verb::Read, [YES, NO, YES]),
    (Subject::ManagementToken, Verb::Create, [YES, NO, NO]),
    (Subject::ManagementToken, Verb::Delete, [YES, NO, NO]),
    (Subject::User, Verb::Read, [YES, NO, YES]),
    (Subject::User, Verb::Create, [YES, NO, NO]),
    (Subject::User, Verb::Update, [YES, NO, NO]),
    (Subject::User, Verb::Delete, [YES, NO, NO]),
    (Subject::Invitation, Verb::Read, [YES, NO, YES]),
    (Subject::Invitation, Verb::Create, [YES, NO, NO]),
    (Subject::Invitation, Verb::Delete, [YES, NO, NO]),
    (Subject::AuditEvent, Verb::Read, [YES, NO, YES]),
    (Subject::Node, Verb::Read, [YES, YES, YES]),
];

/// How far `role` may do `deed` on its own account.
pub fn extent(role: Role, deed: Deed) -> Extent {
    TABLE
        .iter()
        .find(|(subject, verb, _)| (*subject, *verb) == (deed.subject, deed.verb))
        .map_or(Extent::None, |(_, _, extents)| extents[role as usize])
}

/// The whole policy as text, for the golden file that a non-programmer can read.
pub fn policy_table() -> String {
    let mut text = format!(
        "{:<16} {:<7} {:<6} {:<7} {:<7}\n",
        "subject", "verb", "admin", "member", "auditor"
    );
    for (subject, verb, [admin, member, auditor]) in TABLE {
        let word = |extent: &Extent| match extent {
            Extent::All => "yes",
            Extent::Own => "own",
            Extent::None => "-",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<16} {:<7} {:<6} {:<7} {}",
            format!("{subject:?}"),
            format!("{verb:?}"),
            word(admin),
            word(member),
            word(auditor)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_what_the_golden_file_says() {
        insta::assert_snapshot!(policy_table());
    }

    #[test]
    fn what_is_not_listed_is_refused() {
        let deed = Deed {
            verb: Verb::Delete,
            subject: Subject::AuditEvent,
        };
        assert_eq!(extent(Role::Admin, deed), Extent::None);
    }
}
