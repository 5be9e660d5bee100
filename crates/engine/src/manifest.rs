//! The manifest: which files hold which points, and from which segment on the log is still needed. Replaced as a
//! whole, so that a crash finds the old one or the new one.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::errors::Error;
use crate::files::FileMeta;
use crate::log::sync_dir;
use crate::schema::Column;

const NAME: &str = "manifest.json";
const NEXT_NAME: &str = "manifest.json.next";
const VERSION: u32 = 1;

/// What is on disk besides the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    version: u32,
    /// Points of earlier segments are in files.
    pub(crate) first_segment: u64,
    /// No file has this number or a higher one.
    pub(crate) next_file: u64,
    pub(crate) tables: Vec<TableManifest>,
}

/// What is on disk of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableManifest {
    pub(crate) id: i64,
    pub(crate) database: i64,
    /// In the order of their ids.
    pub(crate) columns: Vec<Column>,
    /// Later ones win over earlier ones.
    pub(crate) files: Vec<FileMeta>,
}

impl Manifest {
    pub(crate) fn new(first_segment: u64, next_file: u64, tables: Vec<TableManifest>) -> Self {
        Self {
            version: VERSION,
            first_segment,
            next_file,
            tables,
        }
    }

    /// Reads the manifest of `dir`; an engine that never persisted has none.
    pub(crate) fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::new(0, 1, Vec::new()));
            }
            Err(error) => return Err(Error::io("read", path)(error)),
        };
        let damaged = |what: String| Error::Damaged {
            path: path.clone(),
            offset: 0,
            what,
        };
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if manifest.version != VERSION {
            return Err(damaged(format!(
                "its version is {}, this program reads {VERSION}",
                manifest.version
            )));
        }
        Ok(manifest)
    }

    /// Puts this manifest in the place of the one in `dir`, durably.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), Error> {
        let next = dir.join(NEXT_NAME);
        let text = serde_json::to_vec(self).map_err(Error::data("describe"))?;
        let mut file = File::create(&next).map_err(Error::io("create", &next))?;
        file.write_all(&text).map_err(Error::io("write", &next))?;
        file.sync_all().map_err(Error::io("sync", &next))?;
        fs::rename(&next, dir.join(NAME)).map_err(Error::io("rename", &next))?;
        sync_dir(dir)
    }
}
