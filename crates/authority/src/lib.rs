//! What may be done: every use case of administration, and admission to the data plane.
//!
//! This crate knows no HTTP, no gRPC, no JSON and no SQL. It does not know what an upstream computes with the requests
//! it admits, nor which face a caller came through: a face authenticates a [`Caller`] here and calls a use case with a
//! typed request.

mod accounts;
mod acts;
mod admission;
mod asks;
mod attempts;
mod authority;
mod callers;
mod clocks;
mod closures;
mod databases;
mod devices;
mod directory;
mod endings;
mod errors;
mod failures;
mod fences;
mod founding;
mod grants;
mod invitations;
mod leases;
mod ledger;
mod loading;
mod management_tokens;
mod node;
mod nodes;
mod passwords;
mod receipts;
mod revocations;
mod sessions;
#[cfg(test)]
mod simulation;
mod tables;
mod terms;
mod tethers;
mod timers;
mod token_index;
mod tokens;
mod turns;
mod usage;
mod users;
mod waits;
mod watches;

pub use admission::Admission;
#[cfg(debug_assertions)]
pub use authority::Sabotage;
pub use authority::{Authority, NodeSettings, Settings};
pub use callers::{Caller, Place};
pub use closures::Closure;
pub use databases::{CreateDatabase, UpdateDatabase};
pub use devices::{AskDevice, DeviceStarted, RedeemError};
pub use errors::{Error, Refusal};
pub use failures::FailedAttempts;
pub use founding::Founding;
pub use invitations::{Acceptance, Invite};
pub use management_tokens::CreateManagementToken;
pub use nodes::{LeaseStatus, NodeCondition, NodeHealth, NodeStatus, Nodes};
pub use rescind_catalog::{
    AuditFault, AuditQuery, AuditVerdict, Catalog, Cursor, DatabaseFilter, DatabaseQuery, DatabaseSort,
    Error as CatalogError, Location, LocationError, Page, Paged, TableQuery, TokenQuery, TokenSort,
};
pub use revocations::{MOST_REVOKED, REVOKED_TOGETHER, RevokeOutcome, Revoked};
pub use sessions::{SessionLimits, SignInError, SignedIn};
pub use tables::{CreateTable, TableOf};
pub use token_index::{Creators, Found, TokenColumn, TokenSearch};
pub use tokens::{CreateDatabaseToken, UpdateDatabaseToken};
pub use users::{AddUser, UpdateUser};

/// Something with a secret, which is shown this once.
pub struct Created<T> {
    /// What was made.
    pub item: T,
    /// Its secret.
    pub secret: rescind_domain::Secret,
    /// From when on every node honours it, if that is known.
    pub receipt: rescind_domain::Receipt,
}
