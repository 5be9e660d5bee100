//! What is true: ids, names, secrets, permissions, grants, and the one decision that admits a request.
//!
//! This crate knows no I/O, no async runtime, no serialisation format, no HTTP status and no SQL. It takes
//! time from a [`Clock`] and randomness from an [`Rng`], so that everything above can be replayed.

mod accounts;
mod ambient;
mod audit;
mod chains;
mod clients;
mod databases;
mod devices;
mod durations;
mod grants;
mod ids;
mod invitations;
mod names;
mod partitions;
mod permissions;
mod policy;
mod revisions;
mod secrets;
mod sessions;
mod tables;
mod timestamps;
mod tokens;
mod usage;
mod users;

pub use accounts::{Account, Cluster, ClusterState};
pub use ambient::{Clock, Rng, Stopwatch};
pub use audit::{Act, Actor, AuditEvent, AuditHash};
pub use chains::Chain;
pub use clients::{Agent, Client};
pub use databases::{
    Database, DatabaseLimits, DatabaseState, DatabaseView, MaxColumns, MaxTables, NotDeleted, RecoveryLapsed,
    TableView,
};
pub use devices::{DeviceRequest, DeviceState, UserCode, UserCodeError};
pub use durations::{DurationError, RetentionPeriod};
pub use grants::{Ask, DatabaseGrant, Forbidden, ManagementGrant, Permit, Tether, decide};
pub use ids::{
    AccountId, ClusterId, DatabaseId, DatabaseTokenId, DeviceRequestId, IdError, InvitationId,
    ManagementTokenId, NodeId, PermissionId, SessionId, TableId, UserId,
};
pub use invitations::{Invitation, InvitationState, InvitationStatus, NotPending};
pub use names::{DatabaseName, Description, NameError, TableName};
pub use partitions::{PartitionTemplate, TemplateError, TemplatePart};
pub use permissions::{Action, Permission, PermissionError, Permissions, Resource};
pub use policy::{Deed, Extent, Role, Subject, Verb, extent, policy_table};
pub use revisions::{NodeReceipt, NodeState, Receipt, Revision};
pub use secrets::{Presented, Secret, SecretError, SecretHash, SecretKind, SecretPrefix, redact};
pub use sessions::{Session, SessionGrant, SessionKind};
pub use tables::{Table, TableState};
pub use timestamps::{Timestamp, TimestampError};
pub use tokens::{AlreadyRevoked, DatabaseToken, ManagementToken, TokenState, TokenStatus};
pub use usage::{Hour, LastClient, Usage};
pub use users::{Email, EmailError, User, UserState};
