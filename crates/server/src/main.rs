//! The `rescind` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    rescind_server::run()
}
