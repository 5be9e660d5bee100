//! Points of the same table, tags and time are one point: the union of their fields, the last value of each.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat_batches, partition, take};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

/// Sorts a batch by its key columns; points of equal keys keep their order.
pub(crate) fn sort(batch: &RecordBatch, keys: &[usize]) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<ArrayRef> = keys.iter().map(|key| Arc::clone(batch.column(*key))).collect();
    let fields = columns
        .iter()
        .map(|column| SortField::new(column.data_type().clone()))
        .collect();
    let rows = RowConverter::new(fields)?.convert_columns(&columns)?;
    let mut order: Vec<u32> = (0..u32::try_from(batch.num_rows()).unwrap_or(u32::MAX)).collect();
    order.sort_unstable_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)).then(a.cmp(b)));
    take_rows(batch, &UInt32Array::from(order))
}

/// Makes one point of each run of equal keys in a batch that is sorted by them, oldest first within a run.
pub(crate) fn merge(batch: &RecordBatch, keys: &[usize]) -> Result<RecordBatch, ArrowError> {
    if batch.num_rows() < 2 || keys.is_empty() {
        return Ok(batch.clone());
    }
    let columns: Vec<ArrayRef> = keys.iter().map(|key| Arc::clone(batch.column(*key))).collect();
    let runs = partition(&columns)?.ranges();
    if runs.len() == batch.num_rows() {
        return Ok(batch.clone());
    }
    let last: UInt32Array = runs.iter().map(|run| (run.end - 1) as u32).collect();
    let columns = batch.columns().iter().enumerate().map(|(index, column)| {
        if keys.contains(&index) || column.null_count() == 0 {
            return take(column, &last, None);
        }
        // A run without any value takes its last row, which is null.
        let values: UInt32Array = runs
            .iter()
            .map(|run| {
                let with_value = run.clone().rev().find(|row| column.is_valid(*row));
                with_value.unwrap_or(run.end - 1) as u32
            })
            .collect();
        take(column, &values, None)
    });
    RecordBatch::try_new(batch.schema(), columns.collect::<Result<_, _>>()?)
}

/// Leaves out the values that no row uses, which would pile up from batch to batch.
fn with_small_dictionaries(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        dictionary @ DataType::Dictionary(_, values) => cast(&cast(column, values)?, dictionary),
        _ => Ok(Arc::clone(column)),
    });
    RecordBatch::try_new(batch.schema(), columns.collect::<Result<_, _>>()?)
}

fn take_rows(batch: &RecordBatch, rows: &UInt32Array) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| take(column, rows, None));
    RecordBatch::try_new(batch.schema(), columns.collect::<Result<_, _>>()?)
}

/// Merges a sorted stream batch by batch: what may go on in the next batch is held back.
#[derive(Debug)]
pub(crate) struct Merger {
    keys: Vec<usize>,
    held: Option<RecordBatch>,
}

impl Merger {
    pub(crate) fn new(keys: Vec<usize>) -> Self {
        Self { keys, held: None }
    }

    /// Takes the next batch in and gives out what is finished.
    pub(crate) fn push(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>, ArrowError> {
        let batch = match self.held.take() {
            Some(held) => concat_batches(&batch.schema(), [&held, &batch])?,
            None => batch,
        };
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        let merged = merge(&batch, &self.keys)?;
        let finished = merged.num_rows() - 1;
        self.held = Some(with_small_dictionaries(&merged.slice(finished, 1))?);
        Ok((finished > 0).then(|| merged.slice(0, finished)))
    }

    /// What is left at the end.
    pub(crate) fn finish(&mut self) -> Option<RecordBatch> {
        self.held.take()
    }
}
