//! The audit log: an extension.

pub(crate) mod list;
