//! Databases (contract, management-api section 4).

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod rename;
pub(crate) mod undelete;
pub(crate) mod update;
