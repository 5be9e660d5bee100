//! Management tokens: an extension (contract, X-API-14).

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod revoke_many;
