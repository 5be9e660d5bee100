//! The operator `||` and the syntax `overlay(… placing …)` as functions that are measured like the others.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::kernels::concat_elements::concat_elements_utf8;
use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use crate::functions::{TextLimit, rows};
use crate::lengths::Lengths;

/// Plans what has a syntax of its own.
#[derive(Debug)]
pub(crate) struct MeasuredSyntax {
    concatenation: Arc<ScalarUDF>,
    overlay: Option<Arc<ScalarUDF>>,
}

impl MeasuredSyntax {
    /// `functions` are measured.
    pub(crate) fn new(functions: &[Arc<ScalarUDF>]) -> Self {
        let overlay = functions.iter().find(|function| function.name() == "overlay");
        Self {
            concatenation: Arc::new(ScalarUDF::new_from_impl(Concatenation {
                signature: Signature::user_defined(Volatility::Immutable),
            })),
            overlay: overlay.cloned(),
        }
    }
}

impl ExprPlanner for MeasuredSyntax {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::StringConcat {
            return Ok(PlannerResult::Original(expr));
        }
        // A chain is one call, however long.
        let mut args = match expr.left {
            Expr::ScalarFunction(left) if left.func == self.concatenation => left.args,
            left => vec![left],
        };
        args.push(expr.right);
        let function = ScalarFunction::new_udf(Arc::clone(&self.concatenation), args);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(function)))
    }

    fn plan_overlay(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let Some(overlay) = &self.overlay else {
            return Ok(PlannerResult::Original(args));
        };
        let function = ScalarFunction::new_udf(Arc::clone(overlay), args);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(function)))
    }
}

/// `a || b || c`: nothing when one of them is nothing, unlike `concat`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Concatenation {
    signature: Signature,
}

impl ScalarUDFImpl for Concatenation {
    fn name(&self) -> &str {
        "||"
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        let args: Vec<String> = args.iter().map(Expr::to_string).collect();
        Ok(args.join(" || "))
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let args: Vec<String> = args.iter().map(|arg| arg.schema_name().to_string()).collect();
        Ok(args.join(" || "))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let is_text = |data_type: &DataType| match data_type {
            DataType::Dictionary(_, values) => values.is_string(),
            data_type => data_type.is_string() || data_type.is_null(),
        };
        match types.iter().any(is_text) {
            true => Ok(vec![DataType::Utf8; types.len()]),
            false => plan_err!("|| joins texts: cast one of its sides to VARCHAR"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = rows(&args);
        let lengths: Vec<Lengths> = args.args.iter().map(Lengths::of).collect();
        let all = (0..rows).flat_map(|row| lengths.iter().map(move |lengths| lengths.at(row)));
        TextLimit::check(&args, self.name(), all.fold(0, u64::saturating_add))?;
        let mut parts = args.args.iter();
        let Some(first) = parts.next() else {
            return plan_err!("|| has two sides");
        };
        parts.try_fold(first.clone(), |left, right| joined(&left, right, rows))
    }
}

fn joined(left: &ColumnarValue, right: &ColumnarValue, rows: usize) -> Result<ColumnarValue> {
    if let (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) = (left, right) {
        let text = |value: &'_ ScalarValue| value.try_as_str().flatten().map(str::to_owned);
        let joined = text(left).zip(text(right)).map(|(left, right)| left + &right);
        return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(joined)));
    }
    let (left, right) = (left.to_array(rows)?, right.to_array(rows)?);
    let joined = concat_elements_utf8(left.as_string::<i32>(), right.as_string::<i32>())?;
    Ok(ColumnarValue::Array(Arc::new(joined)))
}
