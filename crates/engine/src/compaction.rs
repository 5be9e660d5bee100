//! Fewer and larger files: small ones of the same day are merged, and those whose points repeat.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chunks::TimeRange;
use crate::engine::Inner;
use crate::errors::Error;
use crate::files::{DataFile, FileMeta, FileWriter, day_of};
use crate::scans::TableScan;
use crate::tables::{Snapshot, Table};

/// Files of at least this many bytes are left alone, unless their points repeat.
const LARGE_BYTES: u64 = 32 << 20;
/// A merged file has at most about this many bytes.
const MAX_BYTES: u64 = 256 << 20;
/// So many small files in a row are worth merging.
const MIN_RUN: usize = 4;

impl Inner {
    /// Blocks; must not be called on a thread that runs futures.
    pub(crate) fn compact_now(&self) -> Result<(), Error> {
        for table in self.tables.all() {
            for run in runs(&table.files()) {
                self.compact_run(&table, &run)?;
            }
        }
        Ok(())
    }

    fn compact_run(&self, table: &Arc<Table>, run: &[Arc<DataFile>]) -> Result<(), Error> {
        let mut round = self.maintenance.round.lock();
        let files = table.files();
        let is_there = |file: &Arc<DataFile>| files.iter().any(|other| Arc::ptr_eq(other, file));
        if !run.iter().all(is_there) {
            return Ok(());
        }
        let number = round.take_number();
        let merged = self.write_merged(table, run, &files, number)?;
        let becomes = |other: &Table| {
            let files = other.files();
            if other.id == table.id {
                replaced(files, run, &merged)
            } else {
                files
            }
        };
        // After an error the new manifest may be in place all the same: the merged file stays until a start.
        self.write_manifest(&round, becomes)?;
        self.tables.replace(table, |files| replaced(files, run, &merged));
        run.iter().for_each(|file| file.doom());
        Ok(())
    }

    fn write_merged(
        &self,
        table: &Table,
        run: &[Arc<DataFile>],
        all: &[Arc<DataFile>],
        number: u64,
    ) -> Result<Arc<DataFile>, Error> {
        let schema = table.schema();
        let data = self.settings.data_dir();
        let scan = TableScan {
            table: table.id,
            snapshot: Snapshot {
                schema: Arc::clone(&schema),
                files: run.to_vec(),
                chunks: Vec::new(),
            },
            horizon: None,
        };
        let mut writer = FileWriter::create(&data, table.id, number, Arc::clone(schema.arrow()))?;
        self.queries.for_each_batch(&scan, |batch| writer.write(&batch))?;
        let (rows, bytes) = writer.finish()?;
        let position = all
            .iter()
            .position(|file| Arc::ptr_eq(file, &run[0]))
            .unwrap_or(0);
        let repeats_earlier =
            |late: &TimeRange| all[..position].iter().any(|file| file.meta.times.overlaps(*late));
        let times = run.iter().map(|file| file.meta.times);
        let meta = FileMeta {
            number,
            rows,
            bytes,
            times: times.reduce(TimeRange::union).unwrap_or(run[0].meta.times),
            late: run
                .iter()
                .filter_map(|file| file.meta.late)
                .filter(repeats_earlier)
                .reduce(TimeRange::union),
        };
        Ok(Arc::new(DataFile::new(&data, table.id, meta)))
    }
}

/// `files` with `merged` in the place of the last of `run`, and without the others of it.
fn replaced(files: Vec<Arc<DataFile>>, run: &[Arc<DataFile>], merged: &Arc<DataFile>) -> Vec<Arc<DataFile>> {
    let last = &run[run.len() - 1];
    let is_in_run = |file: &Arc<DataFile>| run.iter().any(|other| Arc::ptr_eq(other, file));
    files
        .into_iter()
        .filter_map(|file| {
            if Arc::ptr_eq(&file, last) {
                Some(Arc::clone(merged))
            } else {
                (!is_in_run(&file)).then_some(file)
            }
        })
        .collect()
}

/// Files worth merging, each run in order. No other file that stands between them holds points of their times, so
/// that which value is the last stays as it is.
fn runs(files: &[Arc<DataFile>]) -> Vec<Vec<Arc<DataFile>>> {
    let mut by_day: BTreeMap<i64, Vec<(usize, Arc<DataFile>)>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        let day = day_of(file.meta.times.min);
        by_day.entry(day).or_default().push((index, Arc::clone(file)));
    }
    let mut runs = Vec::new();
    for of_day in by_day.into_values() {
        let mut run: Vec<(usize, Arc<DataFile>)> = Vec::new();
        for (index, file) in of_day {
            if !may_follow(files, &run, index, &file) {
                finish(&mut runs, &mut run);
            }
            run.push((index, file));
        }
        finish(&mut runs, &mut run);
    }
    runs
}

fn may_follow(
    files: &[Arc<DataFile>],
    run: &[(usize, Arc<DataFile>)],
    index: usize,
    file: &DataFile,
) -> bool {
    let Some((last, _)) = run.last() else {
        return true;
    };
    let times = run
        .iter()
        .map(|(_, file)| file.meta.times)
        .fold(file.meta.times, TimeRange::union);
    let bytes: u64 = run.iter().map(|(_, file)| file.meta.bytes).sum();
    let is_free = files[last + 1..index]
        .iter()
        .all(|between| !between.meta.times.overlaps(times));
    let repeats = |(_, earlier): &(usize, Arc<DataFile>)| {
        file.meta
            .late
            .is_some_and(|late| earlier.meta.times.overlaps(late))
    };
    let is_small = file.meta.bytes < LARGE_BYTES && run.iter().all(|(_, file)| file.meta.bytes < LARGE_BYTES);
    is_free && bytes + file.meta.bytes <= MAX_BYTES && (is_small || run.iter().any(repeats))
}

fn finish(runs: &mut Vec<Vec<Arc<DataFile>>>, run: &mut Vec<(usize, Arc<DataFile>)>) {
    let run: Vec<Arc<DataFile>> = run.drain(..).map(|(_, file)| file).collect();
    let repeats = run.iter().enumerate().any(|(index, file)| {
        let late = file.meta.late;
        late.is_some_and(|late| {
            run[..index]
                .iter()
                .any(|earlier| earlier.meta.times.overlaps(late))
        })
    });
    if run.len() >= MIN_RUN || repeats {
        runs.push(run);
    }
}
