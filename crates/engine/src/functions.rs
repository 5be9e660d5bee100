//! SQL functions whose result may be far longer than their arguments, or whose work far more. DataFusion does not
//! count what functions allocate, so that a single call could exhaust the machine; here each call is measured first.

use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use crate::lengths::Lengths;

/// What all calls of a query may produce for a batch of rows, in bytes.
const BYTES: u64 = 64 << 20;
/// What one call may produce for a batch even if there are many.
const MIN_BYTES: u64 = 512 << 10;
/// Rows of a batch; a constant may be repeated for each.
const ROWS: u64 = 8_192;
/// What a call without columns may produce even if there are many.
const MIN_CONSTANT_BYTES: u64 = 1 << 10;
/// Steps of one call for a batch.
const STEPS: u64 = 1 << 30;
/// Regular expressions that are compiled for one batch.
const PATTERNS: usize = 16;
/// A character has at most so many bytes.
const CHARACTER_BYTES: u64 = 4;
/// What a conversion of a time makes of each byte of its format, and around it.
const FORMAT_BYTES: u64 = 20;

/// How long the result of a function may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
    /// The arguments, one after the other.
    Sum,
    /// The same with the first between them.
    Separated,
    /// Each character may become another.
    Mapped,
    /// The first, as often as the second says.
    Repeated,
    /// As many characters as the second says.
    Padded,
    /// The third in place of each second in the first.
    Replaced,
    /// The third, which may repeat parts of the first, in place of each match of a pattern.
    PatternReplaced,
    /// The first for each group of a pattern.
    Matched,
    /// No text, but a pattern.
    Pattern,
    /// The second, filled in.
    Formatted,
    /// No text, but each byte of the first is compared with each of the second.
    Compared,
}

/// A function that is measured.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Measured {
    inner: Arc<ScalarUDF>,
    growth: Growth,
}

/// `function` with a bound, if it needs one.
pub(crate) fn bounded(function: &Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    let growth = match function.name() {
        "concat" | "overlay" => Growth::Sum,
        "concat_ws" => Growth::Separated,
        "upper" | "lower" | "initcap" | "translate" | "reverse" => Growth::Mapped,
        "repeat" => Growth::Repeated,
        "lpad" | "rpad" => Growth::Padded,
        "replace" => Growth::Replaced,
        "regexp_replace" => Growth::PatternReplaced,
        "regexp_match" => Growth::Matched,
        "regexp_like" | "regexp_count" | "regexp_instr" => Growth::Pattern,
        "to_char" => Growth::Formatted,
        "levenshtein" => Growth::Compared,
        _ => return Arc::clone(function),
    };
    let inner = Arc::clone(function);
    Arc::new(ScalarUDF::new_from_impl(Measured { inner, growth }))
}

/// What one call of the query may produce for a batch, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct TextLimit(u64);

impl TextLimit {
    /// The limit of each of so many calls.
    pub(crate) fn among(calls: u64) -> Self {
        Self((BYTES / calls.max(1)).max(MIN_BYTES))
    }

    /// Refuses a call that would make more.
    pub(crate) fn check(args: &ScalarFunctionArgs, function: &str, bytes: u64) -> Result<()> {
        let limit = args.config_options.extensions.get::<Self>();
        let Self(limit) = limit.cloned().unwrap_or_else(|| Self::among(1));
        let limit = match is_constant(args) {
            true => (limit / ROWS).max(MIN_CONSTANT_BYTES),
            false => limit,
        };
        refuse_beyond(limit, bytes, function, "bytes of text")
    }
}

impl ConfigExtension for TextLimit {
    const PREFIX: &'static str = "rescind";
}

impl ExtensionOptions for TextLimit {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _: &str) -> Result<()> {
        plan_err!("{key} cannot be set")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

/// A call was refused for what it would make.
#[derive(Debug, thiserror::Error)]
#[error("{function} would make {amount} {unit} at once, at most {limit} are allowed here")]
pub(crate) struct TooMuch {
    function: String,
    amount: u64,
    unit: &'static str,
    limit: u64,
}

fn refuse_beyond(limit: u64, amount: u64, function: &str, unit: &'static str) -> Result<()> {
    if amount <= limit {
        return Ok(());
    }
    Err(DataFusionError::External(Box::new(TooMuch {
        function: function.to_owned(),
        amount,
        unit,
        limit,
    })))
}

fn is_constant(args: &ScalarFunctionArgs) -> bool {
    args.args
        .iter()
        .all(|value| matches!(value, ColumnarValue::Scalar(_)))
}

/// A constant stands for all rows: one value times their number, unless the result is a constant as well.
pub(crate) fn rows(args: &ScalarFunctionArgs) -> usize {
    if is_constant(args) { 1 } else { args.number_rows }
}

impl Growth {
    fn check(self, function: &str, args: &ScalarFunctionArgs) -> Result<()> {
        let rows = rows(args);
        let lengths: Vec<Lengths> = args.args.iter().map(Lengths::of).collect();
        let of = |index: usize, row: usize| lengths.get(index).map_or(0, |lengths: &Lengths| lengths.at(row));
        let all = |row: usize| {
            let lengths = lengths.iter().map(|lengths| lengths.at(row));
            lengths.fold(0_u64, u64::saturating_add)
        };
        let counts = self.counts(args)?;
        let groups = self.groups(args)?;
        let mut total = 0_u64;
        for row in 0..rows {
            let amount = match self {
                Self::Sum => all(row),
                Self::Separated => {
                    let separators = of(0, row).saturating_mul(lengths.len() as u64);
                    all(row).saturating_add(separators)
                }
                Self::Mapped => of(0, row).saturating_mul(CHARACTER_BYTES),
                Self::Repeated => of(0, row).saturating_mul(counts.at(row)),
                Self::Padded => counts.at(row).saturating_mul(CHARACTER_BYTES),
                Self::Replaced => {
                    let found = of(0, row) / of(1, row).max(1) + 1;
                    of(0, row).saturating_add(found.saturating_mul(of(2, row)))
                }
                Self::PatternReplaced => (of(0, row) + 1).saturating_mul(of(2, row) + 1),
                Self::Matched => of(0, row).saturating_mul(groups),
                Self::Pattern => 0,
                Self::Formatted => (of(1, row) + 1).saturating_mul(FORMAT_BYTES),
                Self::Compared => of(0, row).saturating_mul(of(1, row)),
            };
            total = total.saturating_add(amount);
        }
        match self {
            Self::Compared => refuse_beyond(STEPS, total, function, "comparisons"),
            _ => TextLimit::check(args, function, total),
        }
    }

    fn counts(self, args: &ScalarFunctionArgs) -> Result<Lengths> {
        let (Self::Repeated | Self::Padded, Some(count)) = (self, args.args.get(1)) else {
            return Ok(Lengths::All(0));
        };
        let whole = |count: i64| u64::try_from(count).unwrap_or(0);
        Ok(match count {
            ColumnarValue::Scalar(count) => match count.cast_to(&DataType::Int64)? {
                ScalarValue::Int64(Some(count)) => Lengths::All(whole(count)),
                _ => Lengths::All(0),
            },
            ColumnarValue::Array(counts) => {
                let counts = cast(counts, &DataType::Int64)?;
                let counts = counts.as_primitive::<Int64Type>().iter();
                Lengths::Each(counts.map(|count| count.map_or(0, whole)).collect())
            }
        })
    }

    /// How many groups a pattern has at most. Patterns are compiled, which takes far more memory than their text.
    fn groups(self, args: &ScalarFunctionArgs) -> Result<u64> {
        let (Self::PatternReplaced | Self::Matched | Self::Pattern, Some(pattern)) = (self, args.args.get(1))
        else {
            return Ok(0);
        };
        let groups = |pattern: &str| pattern.matches('(').count() as u64 + 1;
        match pattern {
            ColumnarValue::Scalar(pattern) => Ok(pattern.try_as_str().flatten().map_or(1, groups)),
            ColumnarValue::Array(patterns) => {
                let patterns = cast(patterns, &DataType::Utf8)?;
                let mut distinct = HashSet::new();
                for pattern in patterns.as_string::<i32>().iter().flatten() {
                    distinct.insert(pattern);
                    if distinct.len() > PATTERNS {
                        return plan_err!(
                            "a query may use at most {PATTERNS} patterns from a column at once"
                        );
                    }
                }
                Ok(distinct.into_iter().map(groups).max().unwrap_or(1))
            }
        }
    }
}

impl ScalarUDFImpl for Measured {
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
        self.growth.check(self.name(), &args)?;
        self.inner.invoke_with_args(args)
    }
}
