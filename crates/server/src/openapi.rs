//! `rescind openapi`: the document that `/api/v0/openapi.json` serves, for people and generators.

use std::io::{ErrorKind, Write as _};

use crate::failure::Failure;

/// Prints it as JSON.
pub(crate) fn run() -> Result<(), Failure> {
    let cannot = |e| Failure::because("the OpenAPI document cannot be printed", e);
    let text = crate::api::openapi()
        .to_pretty_json()
        .map_err(|e| cannot(std::io::Error::from(e)))?;
    match writeln!(std::io::stdout().lock(), "{text}") {
        // Whoever read it has read enough, as `head` does.
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(cannot),
    }
}
