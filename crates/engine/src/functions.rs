//! SQL functions whose result may be far longer than their arguments. DataFusion does not count what functions
//! allocate, so that a single call could exhaust the machine; here each call is measured first.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::compute::kernels::length::length;
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// What one call, for a batch of rows, may produce at most, in bytes.
const MAX_BYTES: i64 = 64 << 20;
/// A character has at most so many bytes.
const CHARACTER_BYTES: i64 = 4;

/// A function of a text and a count.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Growing {
    inner: Arc<ScalarUDF>,
    /// Whether the count multiplies the text; otherwise it is the length of the result in characters.
    multiplies: bool,
}

/// `function` with a bound, if it needs one.
pub(crate) fn bounded(function: &Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    let multiplies = match function.name() {
        "repeat" => true,
        "lpad" | "rpad" => false,
        _ => return Arc::clone(function),
    };
    let inner = Arc::clone(function);
    Arc::new(ScalarUDF::new_from_impl(Growing { inner, multiplies }))
}

impl Growing {
    fn check(&self, args: &ScalarFunctionArgs) -> Result<()> {
        let [text, count, ..] = &args.args[..] else {
            return Ok(());
        };
        // A literal stands for all rows: one value times their number.
        let is_literal = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let all_literal = args.args.iter().all(is_literal);
        let rows = if all_literal { 1 } else { args.number_rows };
        let counts = cast(&count.to_array(rows)?, &DataType::Int64)?;
        let counts = counts.as_primitive::<Int64Type>();
        let lengths = match self.multiplies {
            true => Some(cast(
                &*length(&cast(&text.to_array(rows)?, &DataType::Utf8)?)?,
                &DataType::Int64,
            )?),
            false => None,
        };
        let lengths = lengths
            .as_ref()
            .map(|lengths| lengths.as_primitive::<Int64Type>());
        let mut bytes = 0_i64;
        for row in (0..counts.len()).filter(|row| counts.is_valid(*row)) {
            let unit = lengths.map_or(CHARACTER_BYTES, |lengths| lengths.value(row));
            bytes = bytes.saturating_add(counts.value(row).max(0).saturating_mul(unit));
        }
        if bytes > MAX_BYTES {
            return Err(resources_datafusion_err!(
                "{} would make {bytes} bytes at once, at most {MAX_BYTES} are allowed",
                self.name()
            ));
        }
        Ok(())
    }
}

impl ScalarUDFImpl for Growing {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.inner().return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.check(&args)?;
        self.inner.invoke_with_args(args)
    }
}
