//! Locks that keep a second process out. The operating system gives them back when their holder ends, however it ends.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::failure::Failure;

/// A lock held, until it is dropped. What is in its file means nothing.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

impl Lock {
    /// Takes the lock of this file, which is made if need be; `None` while another process has it.
    pub(crate) fn take(path: &Path) -> Result<Option<Self>, Failure> {
        let cannot =
            |what, e| Failure::because(format!("the lock file {} cannot be {what}", path.display()), e);
        let options = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path);
        let file = options.map_err(|e| cannot("opened", e))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(cannot("locked", e.into())),
        }
    }
}
