//! Users: an extension. Those who are new come by an invitation.

pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod update;
