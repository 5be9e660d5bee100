//! Results as bytes, in the forms that HTTP clients ask for (contract, core-wire section 5).

use std::str::FromStr;

use arrow::array::RecordBatch;
use arrow::csv;
use arrow::datatypes::SchemaRef;
use arrow::json::{ArrayWriter, LineDelimitedWriter};
use arrow::util::pretty::pretty_format_batches;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use parquet::arrow::ArrowWriter;

use crate::errors::QueryError;
use crate::queries::QueryResult;
use crate::typed;

/// A pretty table is laid out as a whole, so that it is bounded, in bytes of data.
const MAX_PRETTY_BYTES: usize = 32 << 20;
/// A Parquet result is sent in row groups of about this many bytes.
const ROW_GROUP_BYTES: usize = 8 << 20;

/// A form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON array of objects.
    Json,
    /// One JSON object per line.
    JsonLines,
    /// Comma-separated values under a header.
    Csv,
    /// An Apache Parquet file.
    Parquet,
    /// A table for people.
    Pretty,
    /// The types of the columns on the first line, then one JSON array per row.
    TypedJsonLines,
}

/// Why a text is not a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {0:?}, expected one of json, jsonl, csv, parquet, pretty, typed_jsonl")]
pub struct FormatError(pub String);

/// The bytes of a result. After an error nothing follows, and what came before is not complete.
pub type ByteStream = BoxStream<'static, Result<Bytes, QueryError>>;

impl Format {
    /// The media type that tells clients the form.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLines | Self::TypedJsonLines => "application/jsonl",
            Self::Csv => "text/csv",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Pretty => "text/plain; charset=utf-8",
        }
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        Ok(match text {
            "json" => Self::Json,
            "jsonl" | "json_lines" => Self::JsonLines,
            "csv" => Self::Csv,
            "parquet" => Self::Parquet,
            "pretty" => Self::Pretty,
            "typed_jsonl" => Self::TypedJsonLines,
            other => return Err(FormatError(other.to_owned())),
        })
    }
}

impl QueryResult {
    /// The result as bytes, made as batches come.
    pub fn encode(self, format: Format) -> ByteStream {
        let encoder = Encoder::new(format, self.schema().clone());
        let parts = stream::unfold(Some((self, encoder)), |state| async {
            let (mut result, mut encoder) = state?;
            let part = match result.next().await {
                Some(Ok(batch)) => encoder.push(&batch),
                Some(Err(error)) => Err(error),
                None => return Some((encoder.finish(), None)),
            };
            match part {
                Ok(part) => Some((Ok(part), Some((result, encoder)))),
                Err(error) => Some((Err(error), None)),
            }
        });
        let is_empty = |part: &Result<Bytes, QueryError>| part.as_ref().is_ok_and(Bytes::is_empty);
        parts
            .filter(move |part| std::future::ready(!is_empty(part)))
            .boxed()
    }
}

enum Encoder {
    Json(ArrayWriter<Vec<u8>>),
    JsonLines(LineDelimitedWriter<Vec<u8>>),
    /// Whether the header has been sent.
    Csv(bool),
    Parquet(SchemaRef, Option<Box<ArrowWriter<Vec<u8>>>>),
    Pretty(Vec<RecordBatch>, usize),
    /// The schema until the first line has been sent.
    TypedJsonLines(Option<SchemaRef>),
}

impl Encoder {
    fn new(format: Format, schema: SchemaRef) -> Self {
        match format {
            Format::Json => Self::Json(ArrayWriter::new(Vec::new())),
            Format::JsonLines => Self::JsonLines(LineDelimitedWriter::new(Vec::new())),
            Format::Csv => Self::Csv(false),
            Format::Parquet => Self::Parquet(schema, None),
            Format::Pretty => Self::Pretty(Vec::new(), 0),
            Format::TypedJsonLines => Self::TypedJsonLines(Some(schema)),
        }
    }

    fn push(&mut self, batch: &RecordBatch) -> Result<Bytes, QueryError> {
        match self {
            Self::Json(writer) => {
                writer.write(batch).map_err(internal)?;
                Ok(std::mem::take(writer.get_mut()).into())
            }
            Self::JsonLines(writer) => {
                writer.write(batch).map_err(internal)?;
                Ok(std::mem::take(writer.get_mut()).into())
            }
            Self::Csv(has_header) => {
                let mut bytes = Vec::new();
                let mut writer = csv::WriterBuilder::new()
                    .with_header(!*has_header)
                    .build(&mut bytes);
                writer.write(batch).map_err(internal)?;
                drop(writer);
                *has_header = true;
                Ok(bytes.into())
            }
            Self::Parquet(schema, writer) => {
                let writer = match writer {
                    Some(writer) => writer,
                    None => {
                        let new = ArrowWriter::try_new(Vec::new(), schema.clone(), None).map_err(internal)?;
                        writer.insert(Box::new(new))
                    }
                };
                writer.write(batch).map_err(internal)?;
                if writer.in_progress_size() > ROW_GROUP_BYTES {
                    writer.flush().map_err(internal)?;
                }
                Ok(std::mem::take(writer.inner_mut()).into())
            }
            Self::Pretty(batches, bytes) => {
                *bytes += batch.get_array_memory_size();
                if *bytes > MAX_PRETTY_BYTES {
                    return Err(QueryError::OutOfMemory(
                        "the result is too large for a pretty table; ask for another format".to_owned(),
                    ));
                }
                batches.push(batch.clone());
                Ok(Bytes::new())
            }
            Self::TypedJsonLines(schema) => {
                let mut lines = first_line(schema.take())?;
                typed::rows(batch, &mut lines).map_err(internal)?;
                Ok(lines.into())
            }
        }
    }

    fn finish(self) -> Result<Bytes, QueryError> {
        match self {
            Self::Json(mut writer) => {
                writer.finish().map_err(internal)?;
                Ok(writer.into_inner().into())
            }
            Self::JsonLines(_) | Self::Csv(_) | Self::Parquet(_, None) => Ok(Bytes::new()),
            Self::Parquet(_, Some(writer)) => Ok(writer.into_inner().map_err(internal)?.into()),
            Self::Pretty(batches, _) => {
                let table = pretty_format_batches(&batches).map_err(internal)?;
                Ok(table.to_string().into())
            }
            Self::TypedJsonLines(schema) => Ok(first_line(schema)?.into()),
        }
    }
}

fn first_line(schema: Option<SchemaRef>) -> Result<Vec<u8>, QueryError> {
    let line = schema.map(|schema| typed::header(&schema)).transpose();
    Ok(line.map_err(internal)?.unwrap_or_default())
}

fn internal(error: impl std::error::Error) -> QueryError {
    QueryError::Internal(error.to_string())
}
