//! What goes to stdout: tables, JSON and bare lines.

pub(crate) mod json;
pub(crate) mod tables;

use std::io::{self, ErrorKind, Write};

use clap::ValueEnum;

use crate::exit::Failure;

/// How results are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
}

/// Prints `text` as it is, with a line end.
pub(crate) fn print(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(text.as_ref().as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::Failed(format!("cannot write to stdout: {error}")),
    })
}
