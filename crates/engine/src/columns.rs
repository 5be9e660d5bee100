//! Results in the types that clients know: text is `Utf8`, however the engine holds it.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;

/// Converts the batches of one result (contract, core-wire section 4).
#[derive(Debug)]
pub(crate) struct PlainColumns {
    schema: SchemaRef,
    is_plain: bool,
}

impl PlainColumns {
    pub(crate) fn new(schema: &SchemaRef) -> Self {
        let fields: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| match plain(field.data_type()) {
                Some(plain) => Arc::new(field.as_ref().clone().with_data_type(plain)),
                None => Arc::clone(field),
            })
            .collect();
        let is_plain = fields
            .iter()
            .zip(schema.fields())
            .all(|(plain, field)| Arc::ptr_eq(plain, field));
        Self {
            schema: Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())),
            is_plain,
        }
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(crate) fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.is_plain {
            return Ok(batch.clone());
        }
        let columns = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| {
                if column.data_type() == field.data_type() {
                    Ok(Arc::clone(column))
                } else {
                    cast(column, field.data_type())
                }
            });
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema(), columns.collect::<Result<_, _>>()?, &options)
    }
}

fn plain(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Dictionary(_, values) => Some(plain(values).unwrap_or_else(|| (**values).clone())),
        DataType::Utf8View | DataType::LargeUtf8 => Some(DataType::Utf8),
        _ => None,
    }
}
