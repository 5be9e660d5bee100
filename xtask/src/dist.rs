//! `cargo xtask dist`.
use crate::failure::{Failure, Result};

pub(crate) fn run() -> Result {
    Err(Failure::new("not built yet"))
}
