//! Where the programs under test are.

use std::env;
use std::path::PathBuf;

/// The path of one of the workspace's own programs, built in the same profile as the running test.
///
/// # Panics
/// When it has not been built: `cargo test -p one-crate` does not build the programs of other crates.
pub fn binary(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a running program has a path");
    // A test or bench runs as <target>/<profile>/deps/<name>-<hash>; programs lie one directory up.
    let found = test
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is not built: run `cargo build --workspace --bins` or `cargo xtask test` first")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "cargo xtask test")]
    fn a_missing_program_says_what_to_run() {
        binary("no-such-program");
    }

    #[test]
    fn finds_what_lies_beside_the_test() {
        let test = env::current_exe().expect("a path");
        let name = test.file_name().and_then(|name| name.to_str()).expect("a name");
        assert_eq!(binary(name), test);
    }
}
