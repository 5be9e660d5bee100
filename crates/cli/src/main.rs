//! The `influxctl` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    influxctl::run(std::env::args_os())
}
