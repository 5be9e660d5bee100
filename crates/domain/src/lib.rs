//! What is true: ids, names, secrets, permissions, grants, and the one decision that admits a request.
//!
//! This crate knows no I/O, no async runtime, no serialisation format, no HTTP status and no SQL. It takes
//! time from a [`Clock`] and randomness from an [`Rng`], so that everything above can be replayed.

mod accounts;
mod ambient;
mod audit;
mod databases;
mod durations;
mod grants;
mod ids;
mod names;
mod partitions;
mod permissions;
mod policy;
mod revisions;
mod secrets;
mod tables;
mod timestamps;
mod tokens;
mod users;

pub use accounts::{Account, Cluster, ClusterState};
pub use ambient::{Clock, Rng};
pub use audit::{Act, Actor, AuditEvent, AuditHash};
pub use databases::{
    Database, DatabaseLimits, DatabaseState, DatabaseView, MaxColumns, MaxTables, NotDeleted, RecoveryLapsed,
    TableView,
};
pub use durations::{DurationError, RetentionPeriod};
pub use grants::{Ask, DatabaseGrant, Forbidden, ManagementGrant, Permit, Tether, decide};
pub use ids::{
    AccountId, ClusterId, DatabaseId, DatabaseTokenId, IdError, ManagementTokenId, NodeId, PermissionId,
    TableId, UserId,
};
pub use names::{DatabaseName, Description, NameError, TableName};
pub use partitions::{PartitionTemplate, TemplateError, TemplatePart};
pub use permissions::{Action, Permission, PermissionError, Permissions, Resource};
pub use policy::{Deed, Role, Subject, Verb, may, policy_table};
pub use revisions::{NodeReceipt, Receipt, Revision};
pub use secrets::{Presented, Secret, SecretError, SecretHash, SecretPrefix, TokenKind, redact};
pub use tables::{Table, TableState};
pub use timestamps::{Timestamp, TimestampError};
pub use tokens::{AlreadyRevoked, DatabaseToken, ManagementToken, TokenState, TokenStatus};
pub use users::{Email, EmailError, User, UserState};
