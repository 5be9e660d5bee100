//! Picks points of a chunk as a record batch: the wanted columns of the rows within bounds.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array, new_null_array,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter;
use arrow::datatypes::{Int32Type, SchemaRef};
use arrow::error::ArrowError;

use crate::bounds::Bounds;
use crate::chunks::Chunk;
use crate::schema::{ColumnId, ColumnKind, TableSchema};

/// What is wanted of chunks.
#[derive(Debug)]
pub(crate) struct Pick<'a> {
    table: &'a TableSchema,
    /// The columns in the order wanted.
    ids: Vec<ColumnId>,
    schema: SchemaRef,
    bounds: &'a Bounds,
}

impl<'a> Pick<'a> {
    /// Picks `fields`, positions in the table's Arrow schema; `schema` is theirs, with one more field for the order
    /// of the points where [`Self::ordered`] is asked.
    pub(crate) fn new(
        table: &'a TableSchema,
        fields: &[usize],
        schema: SchemaRef,
        bounds: &'a Bounds,
    ) -> Self {
        Self {
            ids: fields.iter().map(|field| table.order()[*field]).collect(),
            table,
            schema,
            bounds,
        }
    }

    /// The points within bounds, if there are any.
    pub(crate) fn of(&self, chunk: &Chunk) -> Result<Option<RecordBatch>, ArrowError> {
        self.build(chunk, None)
    }

    /// The same with a last column that counts up from `first` in the order of writing.
    pub(crate) fn ordered(&self, chunk: &Chunk, first: u64) -> Result<Option<RecordBatch>, ArrowError> {
        self.build(chunk, Some(first))
    }

    fn build(&self, chunk: &Chunk, first: Option<u64>) -> Result<Option<RecordBatch>, ArrowError> {
        let Some(selection) = self.select(chunk) else {
            return Ok(None);
        };
        let rows = match &selection {
            Selection::All => chunk.rows,
            Selection::Some(mask) => mask.true_count(),
        };
        if rows == 0 {
            return Ok(None);
        }
        let pick = |column: &ArrayRef| match &selection {
            Selection::All => Ok(Arc::clone(column)),
            Selection::Some(mask) => filter(column, mask),
        };
        let mut columns = Vec::with_capacity(self.ids.len() + 1);
        for (position, id) in self.ids.iter().enumerate() {
            columns.push(match chunk.column(*id) {
                Some(column) => pick(column)?,
                None => new_null_array(self.schema.field(position).data_type(), rows),
            });
        }
        if let Some(first) = first {
            columns.push(Arc::new(UInt64Array::from_iter_values(
                first..first + rows as u64,
            )));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map(Some)
    }

    /// `None` when no row can match.
    fn select(&self, chunk: &Chunk) -> Option<Selection> {
        let bounds = self.bounds.times;
        if !chunk.times.overlaps(bounds) {
            return None;
        }
        let mut mask: Option<BooleanBuffer> = None;
        if chunk.times.min < bounds.min || chunk.times.max > bounds.max {
            let times = chunk.time_values();
            mask = Some(BooleanBuffer::collect_bool(times.len(), |row| {
                times[row] >= bounds.min && times[row] <= bounds.max
            }));
        }
        for (name, value) in &self.bounds.tags {
            let Some(id) = self.table.id(name) else { continue };
            if self.table.columns()[id].kind != ColumnKind::Tag {
                continue;
            }
            let matches = tag_mask(chunk.column(id)?, value)?;
            mask = Some(match mask {
                Some(mask) => &mask & &matches,
                None => matches,
            });
        }
        Some(mask.map_or(Selection::All, |mask| {
            Selection::Some(BooleanArray::new(mask, None))
        }))
    }
}

enum Selection {
    All,
    Some(BooleanArray),
}

/// The rows whose tag has this value, found by its code; `None` when the dictionary lacks it.
fn tag_mask(column: &ArrayRef, value: &str) -> Option<BooleanBuffer> {
    let tags = column.as_dictionary::<Int32Type>();
    let values = tags.values().as_string::<i32>();
    let code = i32::try_from(values.iter().position(|known| known == Some(value))?).ok()?;
    let keys = tags.keys();
    let codes = keys.values();
    let mask = BooleanBuffer::collect_bool(codes.len(), |row| codes[row] == code);
    Some(match keys.nulls() {
        Some(nulls) => &mask & nulls.inner(),
        None => mask,
    })
}
