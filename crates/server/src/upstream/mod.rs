//! What stands behind the gateway: the embedded engine.

mod embedded;
mod errors;
#[cfg(debug_assertions)]
mod lingering;

pub(crate) use embedded::Embedded;
#[cfg(debug_assertions)]
pub(crate) use lingering::Lingering;
