//! What is said: the JSON bodies, query parameters and headers of Management API v0, and their conversions to and
//! from the domain.
//!
//! This crate knows no HTTP library, no status code, no route, no clock and no storage. Bodies with a documented form
//! follow the contract (management-api) to the letter; what Rescind adds has types of its own. Requests refuse unknown
//! fields and `null`; answers are read leniently, so that an older client understands a newer server.

mod accounts;
mod audit_events;
mod clusters;
mod databases;
mod errors;
mod fields;
mod headers;
mod invitations;
mod management_tokens;
mod moments;
mod nodes;
mod oauth;
mod pages;
mod partitions;
mod preferences;
mod receipts;
mod revocations;
mod secrets;
mod tables;
mod tokens;
mod usage;
mod users;
mod verdicts;

pub use accounts::Account;
pub use audit_events::AuditEvent;
pub use clusters::Cluster;
pub use databases::{
    CreateDatabase, Database, DatabaseDetails, DatabasePatch, IdentifiedDatabase, NewDatabase, ObjectStatus,
    RenameDatabase, UpdateDatabase,
};
pub use errors::ErrorBody;
pub use fields::{FieldError, PathForm, decode};
pub use headers::{RESCIND_MAIL, RESCIND_TOTAL_COUNT};
pub use invitations::{CreateInvitation, CreatedInvitation, Invitation, NewInvitation};
pub use management_tokens::{
    CreateManagementToken, CreatedManagementToken, ManagementToken, NewManagementToken,
};
pub use moments::Moment;
pub use nodes::{Lease, Node, NodeState};
pub use oauth::{
    AccessToken, AccessTokenRequest, AuthorizationServer, DEFAULT_POLL_SECONDS, DEVICE_CODE_GRANT,
    DeviceAuthorization, DeviceAuthorizationRequest, INFLUXCTL_CLIENT, OAuthError, OAuthErrorCode,
    RevocationRequest, SLOW_DOWN_SECONDS,
};
pub use pages::{
    AuditEventQuery, DatabaseListQuery, DatabaseTokenListQuery, MAX_LIMIT, ManagementTokenListQuery, Page,
    PageQuery, SortOrder, StatusFilter, TableListQuery, TokenStatusFilter, link_next, next_of_link,
};
pub use partitions::{Bucket, TemplatePart};
pub use preferences::{PREFER, PREFERENCE_APPLIED, WaitPreference};
pub use receipts::{
    NodeReceipt, RESCIND_EFFECTIVE_MS, RESCIND_NODE_STATES, RESCIND_NODES, RESCIND_REVISION,
    RESCIND_SETTLED_WITHIN_MS, Receipt, ReceiptHeaders, ReceiptState,
};
pub use revocations::{
    RevokeDatabaseTokens, RevokeTokens, RevokedToken, RevokedTokens, TokenFilter, TokensToRevoke,
};
pub use secrets::SecretText;
pub use tables::{CreateTable, IdentifiedTable, NewTable, RenameTable, Table, TableColumn, TableDetails};
pub use tokens::{
    CreateDatabaseToken, CreatedDatabaseToken, DatabaseToken, DatabaseTokenPatch, ExpirationType,
    NewDatabaseToken, Permission, UpdateDatabaseToken,
};
pub use usage::{LastClient, TokenUsage, UsageHour};
pub use users::{UpdateUser, User, UserPatch};
