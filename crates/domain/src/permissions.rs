//! What a database token may do: a set of (action, resource) pairs.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{DatabaseName, NameError};

/// What is done to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Query its data.
    Read,
    /// Write data to it.
    Write,
}

impl Action {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an action is done to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Every database of the cluster, those created later included (contract, data-plane section 9).
    AllDatabases,
    /// The database that has this name at the time of the request, if any.
    Database(DatabaseName),
}

impl Resource {
    /// The word on the wire: `*` or the name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::AllDatabases => "*",
            Self::Database(name) => name.as_str(),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a permission cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    /// Not a known action.
    #[error("action must be \"read\" or \"write\", not {0:?}")]
    Action(String),
    /// Neither `*` nor a database name.
    #[error("resource must be \"*\" or a database name: {0}")]
    Resource(NameError),
    /// More than [`Permissions::MAX`].
    #[error("a token can hold at most {max} permissions, this one has {0}; use \"*\" or several tokens", max = Permissions::MAX)]
    TooMany(usize),
}

impl FromStr for Action {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            other => Err(PermissionError::Action(other.to_owned())),
        }
    }
}

impl FromStr for Resource {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        match text {
            "*" => Ok(Self::AllDatabases),
            name => name
                .parse()
                .map(Self::Database)
                .map_err(PermissionError::Resource),
        }
    }
}

/// One thing a token may do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// What may be done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
}

impl Permission {
    fn allows(&self, action: Action, name: &DatabaseName) -> bool {
        self.action == action
            && match &self.resource {
                Resource::AllDatabases => true,
                Resource::Database(own) => own == name,
            }
    }
}

/// All that a token may do. Order and repetition carry no meaning; an empty set is legal (contract, API-014). Clones
/// share it: of a million tokens most have one of a few sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Permissions(Arc<BTreeSet<Permission>>);

impl Permissions {
    /// The most permissions one token can hold: bounds what a node keeps in memory for it.
    pub const MAX: usize = 1_000;

    /// The set of these permissions.
    ///
    /// # Errors
    /// [`PermissionError::TooMany`] above [`Self::MAX`] distinct ones.
    pub fn new(permissions: impl IntoIterator<Item = Permission>) -> Result<Self, PermissionError> {
        let set: BTreeSet<_> = permissions.into_iter().collect();
        if set.len() > Self::MAX {
            Err(PermissionError::TooMany(set.len()))
        } else {
            Ok(Self(Arc::new(set)))
        }
    }

    /// Whether `action` on the database called `name` is among them.
    pub fn allow(&self, action: Action, name: &DatabaseName) -> bool {
        // Most sets are small: looking at each beats a search that would have to make a permission to compare with.
        if self.0.len() <= 16 {
            return self.0.iter().any(|permission| permission.allows(action, name));
        }
        let holds = |resource| self.0.contains(&Permission { action, resource });
        holds(Resource::AllDatabases) || holds(Resource::Database(name.clone()))
    }

    /// Whether `permission` is among them or follows from one that is.
    pub fn covers(&self, permission: &Permission) -> bool {
        let all = Permission {
            action: permission.action,
            resource: Resource::AllDatabases,
        };
        self.0.contains(permission) || self.0.contains(&all)
    }

    /// In a stable order: by action, `*` first, then by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Permission> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the token may do nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn permission() -> impl Strategy<Value = Permission> {
        let action = prop_oneof![Just(Action::Read), Just(Action::Write)];
        // Both kinds of look-up must be met: in small sets and in large ones.
        let name = prop_oneof![1 => Just("*".to_owned()), 8 => "[a-d]", 30 => "[a-e][a-h]"];
        let resource = name.prop_map(|text| text.parse().expect("valid"));
        (action, resource).prop_map(|(action, resource)| Permission { action, resource })
    }

    proptest! {
        #[test]
        fn a_permission_allows_what_it_names_and_nothing_else(
            set in prop::collection::vec(permission(), 0..40), name in "[a-e][a-h]?", write: bool,
        ) {
            let action = if write { Action::Write } else { Action::Read };
            let name: DatabaseName = name.parse().expect("valid");
            let expected = set.iter().any(|p| p.action == action && [name.as_str(), "*"].contains(&p.resource.as_str()));
            prop_assert_eq!(Permissions::new(set).expect("few").allow(action, &name), expected);
        }

        #[test]
        fn words_survive_the_wire(permission in permission()) {
            prop_assert_eq!(permission.action.as_str().parse(), Ok(permission.action));
            prop_assert_eq!(permission.resource.as_str().parse(), Ok(permission.resource));
        }
    }

    #[test]
    fn a_token_is_bounded() {
        let many = (0..=Permissions::MAX).map(|n| Permission {
            action: Action::Read,
            resource: Resource::Database(format!("db{n}").parse().expect("valid")),
        });
        insta::assert_snapshot!(Permissions::new(many).expect_err("too many"), @"a token can hold at most 1000 permissions, this one has 1001; use \"*\" or several tokens");
    }
}
