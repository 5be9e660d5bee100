//! How long the texts of a column or constant are, in bytes, without making them.

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;

/// No number, time or interval is longer as text.
const OTHER_BYTES: u64 = 96;

/// The length of each row.
#[derive(Debug)]
pub(crate) enum Lengths {
    /// The same in each row.
    All(u64),
    /// One per row.
    Each(Vec<u64>),
}

impl Lengths {
    pub(crate) fn of(value: &ColumnarValue) -> Self {
        match value {
            ColumnarValue::Scalar(value) => Self::All(of_scalar(value)),
            ColumnarValue::Array(array) => Self::Each(of_array(array)),
        }
    }

    pub(crate) fn at(&self, row: usize) -> u64 {
        match self {
            Self::All(length) => *length,
            Self::Each(lengths) => lengths.get(row).copied().unwrap_or(0),
        }
    }
}

fn of_scalar(value: &ScalarValue) -> u64 {
    match value.try_as_str() {
        Some(text) => text.map_or(0, str::len) as u64,
        None if value.is_null() => 0,
        // Values with values in them are at least as large in memory as they are long.
        None => (value.size() as u64).max(OTHER_BYTES),
    }
}

fn of_array(array: &dyn Array) -> Vec<u64> {
    let length = |text: Option<&str>| text.map_or(0, str::len) as u64;
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().map(length).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(length).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(length).collect(),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let values = of_array(dictionary.values());
            let keys = dictionary.normalized_keys().into_iter().enumerate();
            let of_key = |(row, key): (usize, usize)| match array.is_null(row) {
                true => 0,
                false => values.get(key).copied().unwrap_or(0),
            };
            keys.map(of_key).collect()
        }
        data_type if data_type.is_nested() => vec![array.get_array_memory_size() as u64; array.len()],
        _ => vec![OTHER_BYTES; array.len()],
    }
}
