//! From buffer to Parquet: one round takes everything written so far, and then lets go of the log that held it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::TimestampNanosecondType;

use crate::bounds::Bounds;
use crate::chunks::{Chunk, TimeRange};
use crate::committer::{CommitError, Effect};
use crate::duplicates::{merge, sort};
use crate::engine::{Engine, Inner};
use crate::errors::Error;
use crate::files::{DAY_NANOS, DataFile, FileMeta, FileWriter, day_of};
use crate::log;
use crate::maintenance::Round;
use crate::manifest::{Manifest, TableManifest};
use crate::picks::Pick;
use crate::schema::{TIME, TableSchema};
use crate::tables::Table;

/// The files that a round made, by table.
type NewFiles = Vec<(Arc<Table>, Vec<Arc<DataFile>>)>;

/// A round makes at most this many files of one table, however many days its points are of.
const MAX_PARTS: usize = 16;

impl Engine {
    /// Moves everything that is buffered to Parquet. Writes and queries go on meanwhile.
    ///
    /// # Errors
    /// After any error the points are still in the buffer and in the log.
    pub async fn persist(&self) -> Result<(), Error> {
        let inner = Arc::clone(self.inner());
        blocking(move || inner.persist_now()).await
    }

    /// Merges small files and files whose points repeat.
    ///
    /// # Errors
    /// After any error the files are as they were.
    pub async fn compact(&self) -> Result<(), Error> {
        let inner = Arc::clone(self.inner());
        blocking(move || inner.compact_now()).await
    }
}

pub(crate) async fn blocking(work: impl FnOnce() -> Result<(), Error> + Send + 'static) -> Result<(), Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::Stopped(error.to_string())))
}

impl Inner {
    /// Blocks; must not be called on a thread that runs futures.
    pub(crate) fn persist_now(&self) -> Result<(), Error> {
        let mut round = self.maintenance.round.lock();
        if self.tables.buffered.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let frozen = self.committer.commit(None, Effect::Freeze).blocking_recv();
        let first_segment = match frozen {
            Ok(Ok(number)) => number,
            Ok(Err(CommitError::Failed(why))) => return Err(Error::Stopped(why)),
            Ok(Err(CommitError::Cut | CommitError::TooLarge { .. })) | Err(_) => {
                return Err(Error::Stopped("the log is closed".to_owned()));
            }
        };
        let written = self.write_files(&mut round)?;
        let added = |table: &Table| {
            let of_table = written.iter().find(|(written, _)| written.id == table.id);
            of_table.map_or_else(Vec::new, |(_, files)| files.clone())
        };
        let old_segment = std::mem::replace(&mut round.first_segment, first_segment);
        if let Err(error) = self.write_manifest(&round, |table| [table.files(), added(table)].concat()) {
            // The new manifest may be in place all the same, so that its files stay. If it is not, the next start
            // removes them.
            round.first_segment = old_segment;
            return Err(error);
        }
        for (table, files) in written {
            self.tables.adopt(&table, files);
        }
        self.remove_segments(first_segment)
    }

    /// Writes files for everything set aside.
    fn write_files(&self, round: &mut Round) -> Result<NewFiles, Error> {
        let mut written = NewFiles::new();
        for table in self.tables.all() {
            match self.write_frozen(&table, round) {
                Ok(files) if files.is_empty() => {}
                Ok(files) => written.push((table, files)),
                Err(error) => {
                    written
                        .iter()
                        .flat_map(|(_, files)| files)
                        .for_each(|file| file.doom());
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    /// Writes what is true once the current round ends: `files` tells which files a table then has.
    pub(crate) fn write_manifest(
        &self,
        round: &Round,
        files: impl Fn(&Table) -> Vec<Arc<DataFile>>,
    ) -> Result<(), Error> {
        let tables = self.tables.all();
        let describe = |table: &Arc<Table>| TableManifest {
            id: table.id.get(),
            database: table.database.get(),
            files: files(table).iter().map(|file| file.meta.clone()).collect(),
            columns: table.schema().columns().to_vec(),
        };
        let tables = tables.iter().map(describe).collect();
        Manifest::new(round.first_segment, round.next_file, tables).write(&self.settings.dir)
    }

    fn remove_segments(&self, first: u64) -> Result<(), Error> {
        let dir = self.settings.log_dir();
        for number in log::segments(&dir)?.into_iter().filter(|number| *number < first) {
            log::remove(&dir, number)?;
        }
        Ok(())
    }

    fn write_frozen(&self, table: &Table, round: &mut Round) -> Result<Vec<Arc<DataFile>>, Error> {
        let (schema, chunks) = table.frozen();
        let earlier = table.files();
        let mut files = Vec::new();
        for part in parts(&chunks) {
            let number = round.take_number();
            let late = chunks
                .iter()
                .filter_map(|chunk| chunk.late?.intersection(part))
                .filter(|late| earlier.iter().any(|file| file.meta.times.overlaps(*late)))
                .reduce(TimeRange::union);
            files.extend(self.write_part(table, &schema, &chunks, part, number, late)?);
        }
        Ok(files)
    }

    fn write_part(
        &self,
        table: &Table,
        schema: &TableSchema,
        chunks: &[Arc<Chunk>],
        part: TimeRange,
        number: u64,
        late: Option<TimeRange>,
    ) -> Result<Option<Arc<DataFile>>, Error> {
        let bounds = Bounds::within(part);
        let fields: Vec<usize> = (0..schema.len()).collect();
        let pick = Pick::new(schema, &fields, Arc::clone(schema.arrow()), &bounds);
        let mut batches = Vec::new();
        for chunk in chunks {
            batches.extend(pick.of(chunk).map_err(Error::data("pick"))?);
        }
        if batches.is_empty() {
            return Ok(None);
        }
        let batch = concat_batches(schema.arrow(), &batches).map_err(Error::data("gather"))?;
        drop(batches);
        let keys = schema.key_fields();
        let sorted = sort(&batch, &keys).map_err(Error::data("sort"))?;
        drop(batch);
        let merged = merge(&sorted, &keys).map_err(Error::data("merge"))?;
        // Exact, because queries for the newest time are answered from it.
        let times = times_of(&merged).unwrap_or(part);
        let data = self.settings.data_dir();
        let mut writer = FileWriter::create(&data, table.id, number, Arc::clone(schema.arrow()))?;
        writer.write(&merged)?;
        let (rows, bytes) = writer.finish()?;
        let meta = FileMeta {
            number,
            rows,
            bytes,
            times,
            late,
        };
        Ok(Some(Arc::new(DataFile::new(&data, table.id, meta))))
    }
}

fn times_of(batch: &RecordBatch) -> Option<TimeRange> {
    let times = batch.column_by_name(TIME)?;
    TimeRange::of(times.as_primitive::<TimestampNanosecondType>().values())
}

impl Round {
    /// The number of the next file.
    pub(crate) fn take_number(&mut self) -> u64 {
        let number = self.next_file;
        self.next_file += 1;
        number
    }
}

/// Cuts the times of chunks at midnights UTC, in one part per day or, when they are of many days, in a few longer
/// parts.
fn parts(chunks: &[Arc<Chunk>]) -> Vec<TimeRange> {
    let mut days = BTreeSet::new();
    for chunk in chunks {
        let (first, last) = (day_of(chunk.times.min), day_of(chunk.times.max));
        days.extend([first, last]);
        if last - first > 1 {
            days.extend(chunk.time_values().iter().map(|time| day_of(*time)));
        }
    }
    let days: Vec<i64> = days.into_iter().collect();
    let per_part = days.len().div_ceil(MAX_PARTS).max(1);
    let part = |days: &[i64]| TimeRange {
        min: days[0].saturating_mul(DAY_NANOS),
        max: days[days.len() - 1]
            .saturating_add(1)
            .saturating_mul(DAY_NANOS)
            .saturating_sub(1),
    };
    days.chunks(per_part).map(part).collect()
}
