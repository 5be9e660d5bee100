//! Tables: made by a write or by an administrator.

use crate::{DatabaseId, MaxColumns, PartitionTemplate, TableId, TableName, Timestamp};

/// Where a table stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableState {
    /// Serves reads and writes.
    Active,
    /// Deleted, and restorable within the window of [`crate::DatabaseState::check_recoverable`].
    Deleted {
        /// When it was deleted.
        at: Timestamp,
    },
}

impl TableState {
    /// When it was deleted, if it is.
    pub const fn deleted_at(self) -> Option<Timestamp> {
        match self {
            Self::Active => None,
            Self::Deleted { at } => Some(at),
        }
    }
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its id; survives renames.
    pub id: TableId,
    /// The database that holds it.
    pub database: DatabaseId,
    /// What requests call it.
    pub name: TableName,
    /// The most columns it may have, fixed when it was created.
    pub max_columns: MaxColumns,
    /// How it is partitioned; `None` is as its database says.
    pub partition_template: Option<PartitionTemplate>,
    /// Where it stands.
    pub state: TableState,
    /// When it was created.
    pub created_at: Timestamp,
}
