//! Database tokens (contract, management-api section 6).

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod revoke_many;
pub(crate) mod update;
pub(crate) mod usage;
