//! Clusters: an extension (contract, influxctl section 6.1).

pub(crate) mod get;
pub(crate) mod list;
