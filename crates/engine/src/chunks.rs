//! Sealed points in memory: immutable, shared by the buffer and the queries that read them.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::TimestampNanosecondType;
use serde::{Deserialize, Serialize};

use crate::errors::Error;
use crate::rows::Rows;
use crate::schema::{ColumnId, TIME_ID};

/// The earliest and the latest of some times, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TimeRange {
    pub(crate) min: i64,
    pub(crate) max: i64,
}

impl TimeRange {
    pub(crate) fn of(times: &[i64]) -> Option<Self> {
        let min = times.iter().copied().min()?;
        let max = times.iter().copied().max()?;
        Some(Self { min, max })
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.min <= other.max && other.min <= self.max
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    pub(crate) fn intersection(self, other: Self) -> Option<Self> {
        let (min, max) = (self.min.max(other.min), self.max.min(other.max));
        (min <= max).then_some(Self { min, max })
    }

    pub(crate) fn merge(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.union(other)),
            (one, other) => one.or(other),
        }
    }
}

/// Some points of one table, in the order in which they were written.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    /// By column id; `None`, or beyond the end, where no point has a value.
    columns: Vec<Option<ArrayRef>>,
    pub(crate) rows: usize,
    pub(crate) times: TimeRange,
    /// Times among which points may repeat earlier ones, of this chunk or before it.
    pub(crate) late: Option<TimeRange>,
    pub(crate) bytes: usize,
}

impl Chunk {
    /// `None` without rows.
    pub(crate) fn seal(rows: Rows) -> Result<Option<Self>, Error> {
        let Some(times) = TimeRange::of(rows.times()) else {
            return Ok(None);
        };
        let (len, bytes) = (rows.len(), rows.bytes());
        Ok(Some(Self {
            columns: rows.seal()?,
            rows: len,
            times,
            late: None,
            bytes,
        }))
    }

    pub(crate) fn column(&self, id: ColumnId) -> Option<&ArrayRef> {
        self.columns.get(id)?.as_ref()
    }

    /// The time of each point.
    pub(crate) fn time_values(&self) -> &[i64] {
        self.column(TIME_ID).map_or(&[], |times| {
            times.as_primitive::<TimestampNanosecondType>().values()
        })
    }
}
