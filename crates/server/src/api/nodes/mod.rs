//! Nodes: an extension.

pub(crate) mod list;
