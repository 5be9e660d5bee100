//! The Management API v0: one endpoint, one file; each turns a request into a use case and its result into an answer.
//!
//! Nothing here decides who may do what, and nothing here knows SQL, the data plane or the engine. Documented shapes are
//! those of the contract (management-api); what Rescind adds stands under the same prefix and leaves them untouched.

mod accounts;
mod audit_events;
mod clusters;
mod databases;
mod errors;
mod extract;
mod invitations;
mod listings;
mod management_tokens;
mod nodes;
mod openapi;
mod pages;
mod receipts;
mod revocations;
mod router;
mod tables;
mod tokens;
mod users;

pub use errors::RefusalReason;
pub use openapi::openapi;
pub use router::{Setup, router};
