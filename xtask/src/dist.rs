//! `cargo xtask dist`: shell completions and manual pages of `influxctl`.
//!
//! They come from the command's own definition. Only this command needs that definition, so it is compiled in by the
//! feature `dist` alone; without it, xtask starts itself again with it, and stays quick to build for everything else.

use crate::failure::Result;

#[cfg(not(feature = "dist"))]
pub(crate) fn run() -> Result {
    use crate::programs::{self, cargo};
    programs::run(&mut cargo(&[
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--features",
        "dist",
        "--",
        "dist",
    ]))
}

#[cfg(feature = "dist")]
pub(crate) fn run() -> Result {
    use crate::failure::Failure;
    use crate::programs::root;

    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let dist = target.join("dist");
    write(&dist).map_err(|error| Failure::new(format!("cannot write {}: {error}", dist.display())))?;
    println!("{}", dist.display());
    Ok(())
}

/// Writes `completions/` and `man/` below `dist`.
#[cfg(feature = "dist")]
fn write(dist: &std::path::Path) -> std::io::Result<()> {
    use clap::ValueEnum;

    let (completions, pages) = (dist.join("completions"), dist.join("man"));
    std::fs::create_dir_all(&completions)?;
    std::fs::create_dir_all(&pages)?;
    for shell in clap_complete::Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut influxctl::command(), "influxctl", &completions)?;
    }
    clap_mangen::generate_to(influxctl::command(), &pages)
}

#[cfg(all(test, feature = "dist"))]
mod tests {
    #[test]
    fn every_shell_and_every_command_is_covered() {
        let dist = tempfile::tempdir().expect("a directory");
        super::write(dist.path()).expect("written");
        for (file, word) in [
            ("completions/influxctl.bash", "revoke"),
            ("completions/_influxctl", "revoke"),
            ("completions/influxctl.fish", "revoke"),
            ("man/influxctl.1", "influxctl"),
            ("man/influxctl-token-revoke.1", "force"),
        ] {
            let text = std::fs::read_to_string(dist.path().join(file)).expect(file);
            assert!(text.contains(word), "{file} does not mention {word}");
        }
    }
}
