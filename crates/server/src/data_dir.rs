//! The data directory: private to its owner, and used by one process at a time.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::locks::Lock;

/// A data directory that this process alone uses, until it is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: Lock,
}

impl DataDir {
    /// Makes the directory if need be (mode 0700) and takes it.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        make(path).map_err(|e| {
            Failure::because(format!("the data directory {} cannot be made", path.display()), e)
        })?;
        Self::take(path)?.ok_or_else(|| {
            let directory = path.display();
            Failure::new(format!(
                "the data directory {directory} is in use by another running rescind process"
            ))
        })
    }

    /// Takes a directory that a server has started on before.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        Self::take(path)?.ok_or_else(|| {
            let directory = path.display();
            Failure::new(format!(
                "the data directory {directory} is in use by a running rescind serve; stop it first"
            ))
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the embedded database keeps its points.
    pub(crate) fn engine(&self) -> PathBuf {
        self.path.join("engine")
    }

    fn take(path: &Path) -> Result<Option<Self>, Failure> {
        let lock = Lock::take(&path.join("lock"))?;
        Ok(lock.map(|lock| Self {
            path: path.to_owned(),
            _lock: lock,
        }))
    }
}

/// Makes the directory and those above it, durably: their names must survive power loss as well as what is in them.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|ancestor| !ancestor.exists())
        .collect();
    DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
    missing
        .iter()
        .filter_map(|made| made.parent())
        .try_for_each(|parent| File::open(parent)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn only_one_may_hold_it_and_nobody_else_may_look() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("a/b");
        let first = DataDir::create(&path).expect("free");
        let mode = path.metadata().expect("it exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let refusal = DataDir::create(&path).expect_err("taken").to_string();
        assert!(refusal.contains("in use") && refusal.contains("a/b"), "{refusal}");
        drop(first);
        DataDir::create(&path).expect("free again");
    }
}
