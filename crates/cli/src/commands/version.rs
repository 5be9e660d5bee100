//! `version`.

use crate::exit::Failure;
use crate::output::print;

/// Prints version and platform.
pub(crate) fn run() -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    print(format!("influxctl {version} ({os}-{architecture}, {build})"))
}
