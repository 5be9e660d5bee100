//! The Debian packages that the tests need: programs that are no part of the workspace.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};
use crate::npm;
use crate::programs::{on_path, run};

struct Package {
    name: &'static str,
    why: &'static str,
    present: fn() -> bool,
}

const PACKAGES: [Package; 6] = [
    Package {
        name: "curl",
        why: "the tests send the documented curl lines",
        present: || on_path("curl"),
    },
    Package {
        name: "python3-venv",
        why: "the tests run a stranger's client in a virtual environment",
        present: can_make_environments,
    },
    Package {
        name: "postgresql",
        why: "the tests start a throwaway server as the second catalog",
        present: || has_postgresql(Path::new("/usr/lib/postgresql")),
    },
    Package {
        name: "chromium",
        why: "the tests walk through the Admin UI in a browser",
        present: || on_path("chromium"),
    },
    Package {
        name: "chromium-driver",
        why: "the tests drive that browser",
        present: || on_path("chromedriver"),
    },
    Package {
        name: "npm",
        why: "the audit for accessibility is a package of npm",
        present: || npm::has_axe() || on_path("npm"),
    },
];

/// Installs what is missing when run as root; says what is missing otherwise.
pub(crate) fn ensure() -> Result {
    let missing: Vec<&Package> = PACKAGES.iter().filter(|package| !(package.present)()).collect();
    if missing.is_empty() {
        let names: Vec<&str> = PACKAGES.iter().map(|package| package.name).collect();
        println!("present: {}", names.join(", "));
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    for package in &missing {
        println!("missing: {} ({})", package.name, package.why);
    }
    if !is_root() || !on_path("apt-get") {
        return Err(Failure::new(format!(
            "install what is missing first: sudo apt-get update && sudo apt-get install {}",
            names.join(" ")
        )));
    }
    run(apt_get().arg("update"))?;
    run(apt_get()
        .args(["install", "--yes", "--no-install-recommends"])
        .args(&names))?;
    match missing.iter().find(|package| !(package.present)()) {
        None => Ok(()),
        Some(package) => Err(Failure::new(format!(
            "{} was installed, but what the tests need of it is still missing",
            package.name
        ))),
    }
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// `python3 -m venv` needs `ensurepip`, which Debian ships apart from `python3`.
fn can_make_environments() -> bool {
    Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn has_postgresql(root: &Path) -> bool {
    fs::read_dir(root).is_ok_and(|versions| {
        versions
            .flatten()
            .any(|version| version.path().join("bin/initdb").is_file())
    })
}

/// Whether we may install: the owner of our own process, without unsafe code or another crate.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgresql_counts_only_with_its_server_programs() {
        let root = tempfile::tempdir().expect("a directory");
        let client = root.path().join("15/bin");
        fs::create_dir_all(&client).expect("made");
        fs::write(client.join("psql"), "").expect("written");
        assert!(!has_postgresql(root.path()), "a client alone is not enough");
        fs::write(client.join("initdb"), "").expect("written");
        assert!(has_postgresql(root.path()));
        assert!(!has_postgresql(&root.path().join("none")));
    }
}
