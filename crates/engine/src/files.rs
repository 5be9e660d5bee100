//! Parquet files: points of one table, of one day or a few, sorted by tags and time, none twice.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use rescind_domain::TableId;
use serde::{Deserialize, Serialize};

use crate::chunks::TimeRange;
use crate::errors::Error;

/// Nanoseconds of a day, the unit of partitioning.
pub(crate) const DAY_NANOS: i64 = 86_400_000_000_000;
/// Points of a row group: small enough that pruning and memory profit.
const ROW_GROUP_ROWS: usize = 128 << 10;

/// What the manifest says of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileMeta {
    /// Unique within the engine, and its name on disk.
    pub(crate) number: u64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) times: TimeRange,
    /// Times among which points may repeat those of earlier files.
    pub(crate) late: Option<TimeRange>,
}

/// A file that queries may be reading.
#[derive(Debug)]
pub(crate) struct DataFile {
    pub(crate) meta: FileMeta,
    path: PathBuf,
    is_doomed: AtomicBool,
}

impl DataFile {
    pub(crate) fn new(dir: &Path, table: TableId, meta: FileMeta) -> Self {
        Self {
            path: dir.join(relative_path(table, meta.number)),
            meta,
            is_doomed: AtomicBool::new(false),
        }
    }

    /// Has the file removed from disk once the last query that reads it has ended.
    pub(crate) fn doom(&self) {
        self.is_doomed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DataFile {
    fn drop(&mut self) {
        if self.is_doomed.load(Ordering::Relaxed)
            && let Err(error) = fs::remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            // It is no longer in the manifest, so that the next start removes it.
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a data file");
        }
    }
}

/// Where a file stands below the directory of data files.
pub(crate) fn relative_path(table: TableId, number: u64) -> String {
    format!("{table}/{number:020}.parquet")
}

/// The day of a time, in days since the Unix epoch.
pub(crate) const fn day_of(time: i64) -> i64 {
    time.div_euclid(DAY_NANOS)
}

/// Points of a data page: a query for one series reads the pages that hold it, found by their statistics.
const PAGE_ROWS: usize = 4_096;

/// Writes one file, batch by batch.
pub(crate) struct FileWriter {
    writer: ArrowWriter<File>,
    path: PathBuf,
    rows: u64,
}

impl FileWriter {
    /// Starts file `number` of a table below `dir`.
    pub(crate) fn create(dir: &Path, table: TableId, number: u64, schema: SchemaRef) -> Result<Self, Error> {
        let path = dir.join(relative_path(table, number));
        if let Some(parent) = path.parent()
            && !parent.exists()
        {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
            crate::log::sync_dir(dir)?;
        }
        let file = File::create_new(&path).map_err(Error::io("create", &path))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_statistics_enabled(EnabledStatistics::Page)
            .build();
        let writer =
            ArrowWriter::try_new(file, schema, Some(properties)).map_err(Error::data("start writing"))?;
        Ok(Self {
            writer,
            path,
            rows: 0,
        })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(Error::data("write"))
    }

    /// Makes the file durable; returns how many points and bytes it has.
    pub(crate) fn finish(self) -> Result<(u64, u64), Error> {
        let Self { writer, path, rows } = self;
        let file = writer.into_inner().map_err(Error::data("finish"))?;
        file.sync_all().map_err(Error::io("sync", &path))?;
        let bytes = file.metadata().map_err(Error::io("read", &path))?.len();
        if let Some(parent) = path.parent() {
            crate::log::sync_dir(parent)?;
        }
        Ok((rows, bytes))
    }
}

/// Removes files that the manifest does not know: leftovers of an interrupted round.
pub(crate) fn remove_orphans(dir: &Path, known: &dyn Fn(&Path) -> bool) -> Result<(), Error> {
    for table in fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let table = table.map_err(Error::io("list", dir))?.path();
        if !table.is_dir() {
            continue;
        }
        for file in fs::read_dir(&table).map_err(Error::io("list", &table))? {
            let file = file.map_err(Error::io("list", &table))?.path();
            if !known(&file) {
                fs::remove_file(&file).map_err(Error::io("remove", &file))?;
            }
        }
    }
    Ok(())
}
