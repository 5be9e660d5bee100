//! Results as JSON lines that keep their types: first the columns, then one array per row (docs/API-DESIGN.md,
//! `typed_jsonl`). Other forms leave clients to guess whether `1` was a text.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, Float64Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;

use crate::schema::{ColumnKind, KIND_METADATA};

/// What a column's values are in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Nanoseconds since the Unix epoch.
    Timestamp,
    Tag,
    String,
    /// A number, or one of the texts `NaN`, `inf`, `-inf`.
    Float,
    Integer,
    Unsigned,
    Boolean,
    /// The value's text.
    Other,
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: Kind,
}

#[derive(Serialize)]
struct Header<'a> {
    columns: Vec<Column<'a>>,
}

/// Writes one value of a column.
type Write<'a> = Box<dyn Fn(usize, &mut Vec<u8>) -> Result<(), ArrowError> + 'a>;

impl Kind {
    fn of(field: &Field) -> Self {
        let kind = field.metadata().get(KIND_METADATA).map(String::as_str);
        match field.data_type() {
            DataType::Timestamp(..) => Self::Timestamp,
            DataType::Utf8 if kind == Some(ColumnKind::Tag.wire()) => Self::Tag,
            DataType::Utf8 => Self::String,
            data_type if data_type.is_floating() => Self::Float,
            data_type if data_type.is_signed_integer() => Self::Integer,
            data_type if data_type.is_unsigned_integer() => Self::Unsigned,
            DataType::Boolean => Self::Boolean,
            _ => Self::Other,
        }
    }
}

/// The first line.
pub(crate) fn header(schema: &Schema) -> Result<Vec<u8>, ArrowError> {
    let columns = schema.fields().iter().map(|field| Column {
        name: field.name(),
        kind: Kind::of(field),
    });
    let mut line = Vec::new();
    json(
        &mut line,
        &Header {
            columns: columns.collect(),
        },
    )?;
    line.push(b'\n');
    Ok(line)
}

/// A line for each row.
pub(crate) fn rows(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    let schema = batch.schema();
    let kinds: Vec<Kind> = schema.fields().iter().map(|field| Kind::of(field)).collect();
    let columns = kinds.iter().zip(batch.columns());
    let columns: Vec<ArrayRef> = columns
        .map(|(kind, column)| widened(*kind, column))
        .collect::<Result<_, _>>()?;
    let writers = kinds.iter().zip(&columns);
    let writers: Vec<Write<'_>> = writers
        .map(|(kind, column)| writer(*kind, column))
        .collect::<Result<_, _>>()?;
    // Those of a column without a type have no mask of their own.
    let nulls: Vec<_> = columns.iter().map(|column| column.logical_nulls()).collect();
    for row in 0..batch.num_rows() {
        out.push(b'[');
        for (index, (nulls, write)) in nulls.iter().zip(&writers).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                out.extend_from_slice(b"null");
            } else {
                write(row, out)?;
            }
        }
        out.extend_from_slice(b"]\n");
    }
    Ok(())
}

/// The column in the one type that its kind is written from.
fn widened(kind: Kind, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match (kind, column.data_type()) {
        // Through the text, so that 0.1 stays 0.1.
        (Kind::Float, DataType::Float16 | DataType::Float32) => {
            cast(&cast(column, &DataType::Utf8)?, &DataType::Float64)
        }
        (Kind::Integer, _) => cast(column, &DataType::Int64),
        (Kind::Unsigned, _) => cast(column, &DataType::UInt64),
        _ => Ok(ArrayRef::clone(column)),
    }
}

fn writer(kind: Kind, column: &ArrayRef) -> Result<Write<'_>, ArrowError> {
    Ok(match kind {
        Kind::Timestamp => timestamps(column)?,
        Kind::Tag | Kind::String => {
            let texts = column.as_string::<i32>();
            Box::new(|row, out| json(out, texts.value(row)))
        }
        Kind::Float => {
            let floats = column.as_primitive::<Float64Type>();
            Box::new(|row, out| float(out, floats.value(row)))
        }
        Kind::Integer => {
            let integers = column.as_primitive::<Int64Type>();
            Box::new(|row, out| json(out, &integers.value(row)))
        }
        Kind::Unsigned => {
            let integers = column.as_primitive::<UInt64Type>();
            Box::new(|row, out| json(out, &integers.value(row)))
        }
        Kind::Boolean => {
            let booleans = column.as_boolean();
            Box::new(|row, out| json(out, &booleans.value(row)))
        }
        Kind::Other => {
            let texts = ArrayFormatter::try_new(column, &FormatOptions::default())?;
            Box::new(move |row, out| json(out, &texts.value(row).try_to_string()?))
        }
    })
}

fn timestamps(column: &ArrayRef) -> Result<Write<'_>, ArrowError> {
    // Seconds of a far year are more nanoseconds than 64 bits hold.
    let nanos = |value: i64, unit: i128, out: &mut Vec<u8>| json(out, &(i128::from(value) * unit));
    Ok(match column.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let times = column.as_primitive::<TimestampNanosecondType>();
            Box::new(move |row, out| nanos(times.value(row), 1, out))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            Box::new(move |row, out| nanos(times.value(row), 1_000, out))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let times = column.as_primitive::<TimestampMillisecondType>();
            Box::new(move |row, out| nanos(times.value(row), 1_000_000, out))
        }
        DataType::Timestamp(TimeUnit::Second, _) => {
            let times = column.as_primitive::<TimestampSecondType>();
            Box::new(move |row, out| nanos(times.value(row), 1_000_000_000, out))
        }
        other => return Err(ArrowError::CastError(format!("{other} is no timestamp"))),
    })
}

fn float(out: &mut Vec<u8>, value: f64) -> Result<(), ArrowError> {
    let odd = match value {
        value if value.is_nan() => "NaN",
        f64::INFINITY => "inf",
        f64::NEG_INFINITY => "-inf",
        value => return json(out, &value),
    };
    json(out, odd)
}

fn json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), ArrowError> {
    serde_json::to_writer(out, value).map_err(|error| ArrowError::JsonError(error.to_string()))
}
