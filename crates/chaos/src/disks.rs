//! A small disk of its own for the catalog, which can be filled and freed again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the catalog is kept: a small file system in memory where this process may mount one, a directory where not.
pub(crate) struct Disk {
    place: PathBuf,
    is_mounted: bool,
}

/// Enough for the catalog of a run and its log; small enough to be filled at once.
const SIZE: &str = "size=320m,mode=755";

impl Disk {
    /// Mounts a disk at this directory; says why not where it cannot.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub(crate) fn mount(place: &Path) -> io::Result<(Self, Option<String>)> {
        fs::create_dir_all(place)?;
        let tried = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "rescind-chaos"])
            .arg(place)
            .output();
        let reason = match tried {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Some(error.to_string()),
        };
        let disk = Self {
            place: place.to_owned(),
            is_mounted: reason.is_none(),
        };
        Ok((disk, reason))
    }

    /// Whether it is a disk of its own.
    pub(crate) const fn can_fill(&self) -> bool {
        self.is_mounted
    }

    /// Writes until nothing more fits. Does nothing to a disk that others use too.
    ///
    /// # Errors
    /// Writing failed for another reason than that.
    pub(crate) fn fill(&self) -> io::Result<()> {
        if !self.is_mounted {
            return Ok(());
        }
        let mut ballast = File::create(self.ballast())?;
        for size in [1 << 20, 4 << 10, 1] {
            let block = vec![0; size];
            loop {
                match ballast.write_all(&block) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Makes room again.
    pub(crate) fn free(&self) {
        // Where there is no ballast there is room.
        let _ = fs::remove_file(self.ballast());
    }

    fn ballast(&self) -> PathBuf {
        self.place.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            // Lazily: whoever still has a file open must not keep it.
            let _ = Command::new("umount").arg("-l").arg(&self.place).status();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_takes_nothing_until_it_is_freed() {
        let parent = tempfile::tempdir().expect("a directory");
        let (disk, reason) = Disk::mount(&parent.path().join("disk")).expect("a place");
        if let Some(reason) = reason {
            eprintln!("not tried: {reason}");
            return;
        }
        disk.fill().expect("filled");
        let more = disk.place.join("more");
        assert!(fs::write(&more, [1; 4096]).is_err());
        disk.free();
        fs::write(&more, [1; 4096]).expect("there is room");
    }
}
