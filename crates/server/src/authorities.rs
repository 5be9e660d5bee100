//! Opens the authority on a catalog, the same way for every command.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rescind_authority::{Authority, Catalog, Location, NodeSettings, SessionLimits, Settings};
use rescind_domain::{Clock, Stopwatch};

use crate::ambient::SystemRng;
use crate::failure::Failure;
use crate::locks::Lock;

/// Opens the catalog at `location`.
pub(crate) async fn open_catalog(location: &Location) -> Result<Catalog, Failure> {
    Catalog::open(location)
        .await
        .map_err(|e| Failure::because(format!("{location} cannot be opened"), e))
}

/// The authority, and its catalog, which whoever opened it closes at the end.
pub(crate) struct Opened {
    /// Every use case.
    pub(crate) authority: Arc<Authority>,
    /// What it remembers.
    pub(crate) catalog: Catalog,
    /// Keeps other processes from acting on the same catalog.
    pub(crate) lock: Option<Lock>,
}

/// Opens the authority on the catalog at `location`.
pub(crate) async fn open(
    location: &Location,
    node: NodeSettings,
    (clock, stopwatch): (Arc<dyn Clock>, Arc<dyn Stopwatch>),
    session_limits: SessionLimits,
) -> Result<Opened, Failure> {
    let lock = lock(location)?;
    let catalog = open_catalog(location).await?;
    let settings = Settings {
        node,
        clock,
        stopwatch,
        rng: Arc::new(SystemRng),
        session_limits,
    };
    let authority = Authority::open(catalog.clone(), settings).await?;
    Ok(Opened {
        authority,
        catalog,
        lock,
    })
}

/// A revocation is applied by the process that makes it: on SQLite there must be no other, not even one with another
/// data directory (promise G1).
fn lock(location: &Location) -> Result<Option<Lock>, Failure> {
    let Location::Sqlite(path) = location else {
        return Ok(None);
    };
    let name = lock_name(path).map_err(|e| Failure::because(format!("{location} cannot be opened"), e))?;
    match Lock::take(&name)? {
        Some(lock) => Ok(Some(lock)),
        None => Err(Failure::new(format!(
            "{location} is in use by another running rescind process; stop it first"
        ))),
    }
}

/// Beside the file itself, whichever way the path leads there.
fn lock_name(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let real = match absolute.canonicalize() {
        Ok(real) => real,
        Err(_) => {
            let parent = absolute.parent().unwrap_or(Path::new("/")).canonicalize()?;
            parent.join(absolute.file_name().unwrap_or_default())
        }
    };
    let mut name = real.into_os_string();
    name.push("-lock");
    Ok(name.into())
}
