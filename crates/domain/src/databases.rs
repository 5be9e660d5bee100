//! Databases: their limits, their life, and the view of one that the data plane works with.

use std::collections::BTreeMap;

use crate::{
    AccountId, ClusterId, DatabaseId, DatabaseName, PartitionTemplate, RetentionPeriod, TableId, TableName,
    Timestamp,
};

macro_rules! limit {
    ($(#[$doc:meta])* $name:ident, default $default:literal, max $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i32);

        impl $name {
            /// The highest value.
            pub const MAX: i32 = $max;

            /// The limit of this value; `None` outside 1 to [`Self::MAX`].
            pub const fn new(value: i32) -> Option<Self> {
                if value >= 1 && value <= Self::MAX { Some(Self(value)) } else { None }
            }

            /// The value.
            pub const fn get(self) -> i32 {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }
    };
}

limit!(
    /// The most tables a database may have.
    MaxTables, default 500, max 100_000
);
limit!(
    /// The most columns a table may have, tags and `time` included. The default follows the documentation's text, not its
    /// schema (contract, X-API-5).
    MaxColumns, default 250, max 1_000
);

/// What bounds a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DatabaseLimits {
    /// Tables at most.
    pub max_tables: MaxTables,
    /// Columns of a table at most; applies to tables made after a change (contract, management-api section 4.3).
    pub max_columns: MaxColumns,
    /// How long points are kept.
    pub retention: RetentionPeriod,
}

/// Where a database stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseState {
    /// Serves reads and writes.
    Active,
    /// Deleted, and restorable until the recovery window ends.
    Deleted {
        /// When it was deleted.
        at: Timestamp,
    },
}

/// What is undeleted must have been deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not deleted")]
pub struct NotDeleted;

/// What is undeleted must have been deleted recently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was deleted at {at}, and can be restored for 7 days only")]
pub struct RecoveryLapsed {
    /// When it was deleted.
    pub at: Timestamp,
}

impl DatabaseState {
    /// How long after its deletion a database or a table can be restored, in microseconds: 7 days (contract,
    /// influxctl section 7.5).
    pub const RECOVERY_MICROS: i64 = 7 * 86_400 * 1_000_000;

    /// How long after its deletion its data may be removed from disk, in microseconds: an hour after the last moment to
    /// restore it, so that a restoration that began in time has long ended.
    pub const KEPT_MICROS: i64 = Self::RECOVERY_MICROS + 3_600 * 1_000_000;

    /// Whether what was deleted at `at` can still be restored at `now`.
    ///
    /// # Errors
    /// [`RecoveryLapsed`] after the window.
    pub fn check_recoverable(at: Timestamp, now: Timestamp) -> Result<(), RecoveryLapsed> {
        if now < at.plus_micros(Self::RECOVERY_MICROS) {
            Ok(())
        } else {
            Err(RecoveryLapsed { at })
        }
    }

    /// When it was deleted, if it is.
    pub const fn deleted_at(self) -> Option<Timestamp> {
        match self {
            Self::Active => None,
            Self::Deleted { at } => Some(at),
        }
    }
}

/// A database.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its id; survives renames.
    pub id: DatabaseId,
    /// The account that owns its cluster.
    pub account: AccountId,
    /// The cluster that owns it.
    pub cluster: ClusterId,
    /// What requests call it.
    pub name: DatabaseName,
    /// What bounds it.
    pub limits: DatabaseLimits,
    /// How its tables are partitioned unless they say otherwise; `None` is by day.
    pub partition_template: Option<PartitionTemplate>,
    /// Where it stands.
    pub state: DatabaseState,
    /// When it was created.
    pub created_at: Timestamp,
}

/// An active database as a request finds it: one immutable picture, replaced as a whole by changes.
#[derive(Debug, Clone)]
pub struct DatabaseView {
    /// Its id.
    pub id: DatabaseId,
    /// What the request called it.
    pub name: DatabaseName,
    /// What bounds it.
    pub limits: DatabaseLimits,
    /// Active tables by every name that reaches them: after a rename the old name still does (contract,
    /// management-api section 5.3).
    pub tables: BTreeMap<TableName, TableView>,
}

/// An active table as a request finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableView {
    /// Its id.
    pub id: TableId,
    /// The most columns it may have, set when it was created.
    pub max_columns: MaxColumns,
    /// Whether this name is its own, not one it had before a rename.
    pub is_current_name: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recovery_window_is_seven_days() {
        let deleted = Timestamp::from_micros(0);
        let last = Timestamp::from_micros(DatabaseState::RECOVERY_MICROS - 1);
        assert_eq!(DatabaseState::check_recoverable(deleted, last), Ok(()));
        assert_eq!(
            DatabaseState::check_recoverable(deleted, last.plus_micros(1)),
            Err(RecoveryLapsed { at: deleted })
        );
    }
}
