//! The columns of a table: fixed by the first write that names them, only ever added to.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

/// Key of the field metadata that tells a column's kind (contract, core-wire section 4).
pub(crate) const KIND_METADATA: &str = "iox::column::type";
/// The one column that every table has.
pub(crate) const TIME: &str = "time";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Part of what identifies a point.
    Tag,
    /// When the point was measured, in nanoseconds since the Unix epoch, UTC.
    Time,
    /// A 64-bit float field.
    Float,
    /// A signed 64-bit integer field.
    Integer,
    /// An unsigned 64-bit integer field.
    UInteger,
    /// A text field.
    String,
    /// A field of true and false.
    Boolean,
}

impl ColumnKind {
    /// The name that clients know it by.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Tag => "iox::column_type::tag",
            Self::Time => "iox::column_type::timestamp",
            Self::Float => "iox::column_type::field::float",
            Self::Integer => "iox::column_type::field::integer",
            Self::UInteger => "iox::column_type::field::uinteger",
            Self::String => "iox::column_type::field::string",
            Self::Boolean => "iox::column_type::field::boolean",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Tag => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Self::Time => DataType::Timestamp(TimeUnit::Nanosecond, None),
            Self::Float => DataType::Float64,
            Self::Integer => DataType::Int64,
            Self::UInteger => DataType::UInt64,
            Self::String => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub kind: ColumnKind,
}

impl Column {
    pub(crate) fn field(&self) -> Field {
        let nullable = self.kind != ColumnKind::Time;
        Field::new(&*self.name, self.kind.data_type(), nullable)
            .with_metadata([(KIND_METADATA.to_owned(), self.kind.wire().to_owned())].into())
    }
}

/// Where a column stands in its table's list; columns are never removed, so it stays.
pub(crate) type ColumnId = usize;
/// The id of `time`.
pub(crate) const TIME_ID: ColumnId = 0;

/// All columns of a table at one moment.
#[derive(Debug)]
pub(crate) struct TableSchema {
    columns: Vec<Column>,
    ids: HashMap<Arc<str>, ColumnId>,
    /// Alphabetical, as `SELECT *` shows it (contract, core-wire section 4).
    arrow: SchemaRef,
    /// The column of each field of `arrow`.
    order: Vec<ColumnId>,
}

impl TableSchema {
    /// A table that holds no point yet.
    pub(crate) fn empty() -> Self {
        Self::new(vec![Column {
            name: TIME.into(),
            kind: ColumnKind::Time,
        }])
    }

    /// `columns` start with `time`.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        let ids = columns
            .iter()
            .enumerate()
            .map(|(id, column)| (Arc::clone(&column.name), id))
            .collect();
        let mut order: Vec<ColumnId> = (0..columns.len()).collect();
        order.sort_by(|a, b| columns[*a].name.cmp(&columns[*b].name));
        let fields: Vec<Field> = order.iter().map(|id| columns[*id].field()).collect();
        Self {
            columns,
            ids,
            arrow: Arc::new(Schema::new(fields)),
            order,
        }
    }

    pub(crate) fn extended(&self, added: impl IntoIterator<Item = Column>) -> Self {
        Self::new(self.columns.iter().cloned().chain(added).collect())
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn id(&self, name: &str) -> Option<ColumnId> {
        self.ids.get(name).copied()
    }

    pub(crate) fn arrow(&self) -> &SchemaRef {
        &self.arrow
    }

    /// The column behind each field of [`Self::arrow`].
    pub(crate) fn order(&self) -> &[ColumnId] {
        &self.order
    }

    /// Fields of [`Self::arrow`] that identify a point: tags by name, then time. Every sorted file of the table is
    /// in this order, because a tag that came later is null throughout older files.
    pub(crate) fn key_fields(&self) -> Vec<usize> {
        let of_kind = |wanted: fn(ColumnKind) -> bool| {
            (0..self.order.len()).filter(move |field| wanted(self.columns[self.order[*field]].kind))
        };
        of_kind(|kind| kind == ColumnKind::Tag)
            .chain(of_kind(|kind| kind == ColumnKind::Time))
            .collect()
    }
}
