//! What stands behind the gateway: the embedded engine.

mod embedded;
mod errors;

pub(crate) use embedded::Embedded;
