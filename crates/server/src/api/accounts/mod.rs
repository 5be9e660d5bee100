//! Accounts: an extension.

pub(crate) mod get;
pub(crate) mod list;
