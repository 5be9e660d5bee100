//! The one package that the tests take from npm: axe-core, which audits pages for accessibility.
//!
//! It is data to us, a script that the tests inject into pages; nothing of it is built, installed or shipped.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};
use crate::programs::{root, run};

/// Where the tests look for the script's path.
pub(crate) const AXE_VARIABLE: &str = "RESCIND_AXE";

const NAME: &str = "axe-core";
const VERSION: &str = "4.14.1";
/// Of the archive as published, in hexadecimal: whatever registry npm is set up for must serve these bytes.
const SHA512: &str = "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b2\
                      14d36db85a2826965edfb3a0b9d546b5";

/// Whether the script is in the build directory already, so that npm is not needed.
pub(crate) fn has_axe() -> bool {
    script().is_file()
}

/// The path of the script, fetched and checked if it is not there.
pub(crate) fn axe() -> Result<PathBuf> {
    let script = script();
    if !script.is_file() {
        fetch()?;
    }
    if script.is_file() {
        return Ok(script);
    }
    Err(Failure::new(format!(
        "{NAME} {VERSION} was unpacked, but there is no {}",
        script.display()
    )))
}

fn fetch() -> Result {
    let place = place();
    let archive = place.join(format!("{NAME}-{VERSION}.tgz"));
    fs::create_dir_all(&place).map_err(|error| cannot("make", &place, &error))?;
    run(Command::new("npm")
        .args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
        .arg(&place)
        .arg(format!("{NAME}@{VERSION}"))
        .current_dir(&place)
        .stdout(Stdio::null()))?;
    check(&archive, SHA512)?;
    // Unpacked aside and then moved, so that an interrupted run leaves no half of it.
    let aside = make_aside(&place)?;
    run(Command::new("tar")
        .args(["--extract", "--gzip", "--file"])
        .arg(&archive)
        .arg("--directory")
        .arg(&aside))?;
    let unpacked = aside.join("package");
    let home = home();
    fs::rename(&unpacked, &home).map_err(|error| cannot("move into place", &unpacked, &error))?;
    fs::remove_dir_all(&aside).map_err(|error| cannot("remove", &aside, &error))
}

/// Removes an archive that is not the one that we know, and says so.
fn check(archive: &Path, expected: &str) -> Result {
    let output = Command::new("sha512sum")
        .arg(archive)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| cannot("sum", archive, &error))?;
    let found = String::from_utf8_lossy(&output.stdout);
    // A file name with a backslash makes the line begin with one.
    let found = found
        .trim_start_matches('\\')
        .split(' ')
        .next()
        .unwrap_or_default();
    if found == expected {
        return Ok(());
    }
    let failure = Failure::new(format!(
        "{} is not what was expected: its SHA-512 is {found}, not {expected}",
        archive.display()
    ));
    fs::remove_file(archive).map_err(|error| cannot("remove", archive, &error))?;
    Err(failure)
}

fn make_aside(place: &Path) -> Result<PathBuf> {
    let aside = place.join(format!(".{NAME}-{}", std::process::id()));
    fs::create_dir_all(&aside).map_err(|error| cannot("make", &aside, &error))?;
    Ok(aside)
}

fn script() -> PathBuf {
    home().join("axe.min.js")
}

fn home() -> PathBuf {
    place().join(format!("{NAME}-{VERSION}"))
}

/// In the build directory, which is not under version control and survives between runs.
fn place() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("npm")
}

fn cannot(act: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {act} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd4741\
                         7a81a538327af927da3e";

    #[test]
    fn an_archive_with_other_bytes_is_refused_and_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let archive = directory.path().join("a.tgz");
        fs::write(&archive, "").expect("written");
        check(&archive, EMPTY).expect("the sum of nothing");
        assert!(archive.exists());

        fs::write(&archive, "x").expect("written");
        let failure = check(&archive, EMPTY).expect_err("other bytes");
        assert!(
            failure.to_string().contains("is not what was expected"),
            "{failure}"
        );
        assert!(!archive.exists());
    }

    #[test]
    fn the_sum_in_the_source_is_a_whole_one() {
        assert_eq!(SHA512.len(), 128);
        assert!(SHA512.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
