//! What a query's filters say about times and tags, read so that sources can be skipped and points picked fast.
//!
//! Only what is certain counts: DataFusion applies every filter once more above the scan.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use crate::chunks::TimeRange;
use crate::schema::TIME;

/// Points outside need not be read.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) times: TimeRange,
    /// Tags that must have this value.
    pub(crate) tags: Vec<(Arc<str>, Arc<str>)>,
}

impl Bounds {
    /// Everything from `horizon` on.
    pub(crate) fn from_horizon(horizon: Option<i64>) -> Self {
        Self {
            times: TimeRange {
                min: horizon.unwrap_or(i64::MIN),
                max: i64::MAX,
            },
            tags: Vec::new(),
        }
    }

    /// Everything within `times`.
    pub(crate) fn within(times: TimeRange) -> Self {
        Self {
            times,
            tags: Vec::new(),
        }
    }

    /// Narrows them to what `filter` lets pass.
    pub(crate) fn narrow(&mut self, filter: &Expr) {
        for conjunct in split_conjunction(filter) {
            match conjunct {
                Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (&**left, &**right) {
                    (Expr::Column(column), Expr::Literal(value, _)) => self.compare(&column.name, *op, value),
                    (Expr::Literal(value, _), Expr::Column(column)) => {
                        if let Some(op) = op.swap() {
                            self.compare(&column.name, op, value);
                        }
                    }
                    _ => {}
                },
                Expr::Between(between) if !between.negated => {
                    if let (Expr::Column(column), Expr::Literal(low, _), Expr::Literal(high, _)) =
                        (&*between.expr, &*between.low, &*between.high)
                    {
                        self.compare(&column.name, Operator::GtEq, low);
                        self.compare(&column.name, Operator::LtEq, high);
                    }
                }
                _ => {}
            }
        }
    }

    fn compare(&mut self, column: &str, op: Operator, value: &ScalarValue) {
        if let ScalarValue::TimestampNanosecond(Some(time), _) = value {
            if column == TIME {
                self.compare_time(op, *time);
            }
        } else if op == Operator::Eq
            && let Some(Some(text)) = value.try_as_str()
        {
            self.tags.push((column.into(), text.into()));
        }
    }

    fn compare_time(&mut self, op: Operator, time: i64) {
        let (min, max) = match op {
            Operator::Eq => (time, time),
            Operator::Gt => (time.saturating_add(1), i64::MAX),
            Operator::GtEq => (time, i64::MAX),
            Operator::Lt => (i64::MIN, time.saturating_sub(1)),
            Operator::LtEq => (i64::MIN, time),
            _ => return,
        };
        self.times.min = self.times.min.max(min);
        self.times.max = self.times.max.min(max);
    }
}
