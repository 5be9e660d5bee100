//! Points on their way from text to Arrow: columns that still grow.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, PrimitiveArray,
    StringArray, TimestampNanosecondArray, UInt64Array,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::errors::Error;
use crate::schema::{ColumnId, ColumnKind, TIME_ID};

/// Points of one table, column by column; the ids of its columns are those of the table's schema.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    times: Vec<i64>,
    /// A hash of the tags of each row: equal tags give equal hashes within one engine.
    series: Vec<u64>,
    columns: Vec<Values>,
}

/// The values of one column. They may lag behind the rows; what is missing at the end is null.
#[derive(Debug, Default)]
enum Values {
    #[default]
    Absent,
    Tag(TagValues),
    Float(Plain<f64>),
    Integer(Plain<i64>),
    UInteger(Plain<u64>),
    Boolean(Plain<bool>),
    Text(TextValues),
}

/// A value of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FieldValue<'a> {
    Float(f64),
    Integer(i64),
    UInteger(u64),
    Boolean(bool),
    Text(&'a str),
}

#[derive(Debug)]
struct Plain<T> {
    values: Vec<T>,
    valid: Vec<bool>,
}

#[derive(Debug, Default)]
struct TextValues {
    ends: Vec<i32>,
    bytes: Vec<u8>,
    valid: Vec<bool>,
}

/// Codes into a dictionary of distinct values; -1 is null.
#[derive(Debug, Default)]
struct TagValues {
    codes: Vec<i32>,
    ends: Vec<i32>,
    bytes: Vec<u8>,
    hashes: Vec<u64>,
    lookup: HashTable<u32>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn times(&self) -> &[i64] {
        &self.times
    }

    pub(crate) fn series(&self) -> &[u64] {
        &self.series
    }

    /// About how much memory they hold.
    pub(crate) fn bytes(&self) -> usize {
        self.times.len() * 16 + self.columns.iter().map(Values::bytes).sum::<usize>()
    }

    /// Starts the next row; what is set until the next start belongs to it.
    pub(crate) fn start(&mut self, time: i64) {
        self.times.push(time);
        self.series.push(0);
    }

    /// Sets a tag of the row that was started last. `column_hash` is the hash of the column's name.
    pub(crate) fn set_tag(
        &mut self,
        id: ColumnId,
        column_hash: u64,
        value: &str,
        hasher: &DefaultHashBuilder,
    ) {
        let row = self.times.len() - 1;
        let hash = hasher.hash_one(value);
        let Values::Tag(tag) = self.column(id, ColumnKind::Tag) else {
            return;
        };
        tag.pad(row);
        let code = tag.intern(hash, value.as_bytes());
        tag.codes.push(code);
        self.series[row] = self.series[row].wrapping_add(mix(hash ^ column_hash));
    }

    /// Sets a field of the row that was started last.
    pub(crate) fn set_field(&mut self, id: ColumnId, value: FieldValue<'_>) {
        let row = self.times.len() - 1;
        match (value, self.column(id, value.kind())) {
            (FieldValue::Float(value), Values::Float(plain)) => plain.push(row, value),
            (FieldValue::Integer(value), Values::Integer(plain)) => plain.push(row, value),
            (FieldValue::UInteger(value), Values::UInteger(plain)) => plain.push(row, value),
            (FieldValue::Boolean(value), Values::Boolean(plain)) => plain.push(row, value),
            (FieldValue::Text(value), Values::Text(text)) => text.push(row, value.as_bytes()),
            // The caller checked the kind against the schema.
            _ => {}
        }
    }

    fn column(&mut self, id: ColumnId, kind: ColumnKind) -> &mut Values {
        if self.columns.len() <= id {
            self.columns.resize_with(id + 1, Values::default);
        }
        let values = &mut self.columns[id];
        if matches!(values, Values::Absent) {
            *values = Values::of(kind);
        }
        values
    }

    /// Adds the rows of `other` behind these.
    pub(crate) fn append(&mut self, other: &Self) {
        let start = self.len();
        self.times.extend_from_slice(&other.times);
        self.series.extend_from_slice(&other.series);
        if self.columns.len() < other.columns.len() {
            self.columns.resize_with(other.columns.len(), Values::default);
        }
        for (mine, theirs) in self.columns.iter_mut().zip(&other.columns) {
            mine.append(start, theirs);
        }
    }

    /// The columns as Arrow arrays by column id; `None` where no row has a value.
    pub(crate) fn seal(mut self) -> Result<Vec<Option<ArrayRef>>, Error> {
        let rows = self.len();
        let mut arrays = Vec::with_capacity(self.columns.len().max(1));
        for values in self.columns.drain(..) {
            arrays.push(values.seal(rows).map_err(Error::data("build"))?);
        }
        if arrays.is_empty() {
            arrays.push(None);
        }
        arrays[TIME_ID] = Some(Arc::new(TimestampNanosecondArray::new(self.times.into(), None)));
        Ok(arrays)
    }

    /// The same rows once more.
    pub(crate) fn copied(&self) -> Self {
        let mut copy = Self::default();
        copy.append(self);
        copy
    }
}

/// Spreads a hash, so that sums of several stay apart.
const fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ (hash >> 29)
}

impl FieldValue<'_> {
    pub(crate) const fn kind(&self) -> ColumnKind {
        match self {
            Self::Float(_) => ColumnKind::Float,
            Self::Integer(_) => ColumnKind::Integer,
            Self::UInteger(_) => ColumnKind::UInteger,
            Self::Boolean(_) => ColumnKind::Boolean,
            Self::Text(_) => ColumnKind::String,
        }
    }
}

impl Values {
    fn of(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Tag => Self::Tag(TagValues::default()),
            ColumnKind::Time => Self::Absent,
            ColumnKind::Float => Self::Float(Plain::default()),
            ColumnKind::Integer => Self::Integer(Plain::default()),
            ColumnKind::UInteger => Self::UInteger(Plain::default()),
            ColumnKind::String => Self::Text(TextValues::default()),
            ColumnKind::Boolean => Self::Boolean(Plain::default()),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Tag(tag) => tag.codes.len() * 4 + tag.bytes.len() + tag.hashes.len() * 16,
            Self::Float(plain) => plain.values.len() * 9,
            Self::Integer(plain) => plain.values.len() * 9,
            Self::UInteger(plain) => plain.values.len() * 9,
            Self::Boolean(plain) => plain.values.len() * 2,
            Self::Text(text) => text.valid.len() * 5 + text.bytes.len(),
        }
    }

    fn append(&mut self, start: usize, other: &Self) {
        if matches!(self, Self::Absent) {
            *self = match other {
                Self::Absent => return,
                Self::Tag(_) => Self::of(ColumnKind::Tag),
                Self::Float(_) => Self::of(ColumnKind::Float),
                Self::Integer(_) => Self::of(ColumnKind::Integer),
                Self::UInteger(_) => Self::of(ColumnKind::UInteger),
                Self::Boolean(_) => Self::of(ColumnKind::Boolean),
                Self::Text(_) => Self::of(ColumnKind::String),
            };
        }
        match (self, other) {
            (Self::Tag(mine), Self::Tag(theirs)) => mine.append(start, theirs),
            (Self::Float(mine), Self::Float(theirs)) => mine.append(start, theirs),
            (Self::Integer(mine), Self::Integer(theirs)) => mine.append(start, theirs),
            (Self::UInteger(mine), Self::UInteger(theirs)) => mine.append(start, theirs),
            (Self::Boolean(mine), Self::Boolean(theirs)) => mine.append(start, theirs),
            (Self::Text(mine), Self::Text(theirs)) => mine.append(start, theirs),
            // Column kinds never change, so only absent ones are left.
            _ => {}
        }
    }

    fn seal(self, rows: usize) -> Result<Option<ArrayRef>, arrow::error::ArrowError> {
        Ok(Some(match self {
            Self::Absent => return Ok(None),
            Self::Tag(tag) => Arc::new(tag.seal(rows)?),
            Self::Float(plain) => Arc::new(plain.seal(rows, |v, n| Float64Array::new(v.into(), n))),
            Self::Integer(plain) => Arc::new(plain.seal(rows, |v, n| Int64Array::new(v.into(), n))),
            Self::UInteger(plain) => Arc::new(plain.seal(rows, |v, n| UInt64Array::new(v.into(), n))),
            Self::Boolean(plain) => Arc::new(plain.seal(rows, |v, n| BooleanArray::new(v.into(), n))),
            Self::Text(text) => Arc::new(text.seal(rows)?),
        }))
    }
}

impl<T> Default for Plain<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            valid: Vec::new(),
        }
    }
}

impl<T: Copy + Default> Plain<T> {
    fn push(&mut self, row: usize, value: T) {
        self.pad(row);
        self.values.push(value);
        self.valid.push(true);
    }

    fn pad(&mut self, rows: usize) {
        if self.values.len() < rows {
            self.values.resize(rows, T::default());
            self.valid.resize(rows, false);
        }
    }

    fn append(&mut self, start: usize, other: &Self) {
        self.pad(start);
        self.values.extend_from_slice(&other.values);
        self.valid.extend_from_slice(&other.valid);
    }

    fn seal<A>(mut self, rows: usize, build: impl FnOnce(Vec<T>, Option<NullBuffer>) -> A) -> A {
        self.pad(rows);
        let nulls = nulls(self.valid);
        build(self.values, nulls)
    }
}

impl TextValues {
    fn push(&mut self, row: usize, value: &[u8]) {
        self.pad(row);
        self.bytes.extend_from_slice(value);
        self.ends.push(end(&self.bytes));
        self.valid.push(true);
    }

    fn pad(&mut self, rows: usize) {
        if self.valid.len() < rows {
            self.ends.resize(rows, end(&self.bytes));
            self.valid.resize(rows, false);
        }
    }

    fn append(&mut self, start: usize, other: &Self) {
        self.pad(start);
        let offset = end(&self.bytes);
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| offset + end));
        self.valid.extend_from_slice(&other.valid);
    }

    fn seal(mut self, rows: usize) -> Result<StringArray, arrow::error::ArrowError> {
        self.pad(rows);
        let nulls = nulls(self.valid);
        StringArray::try_new(offsets(self.ends), Buffer::from_vec(self.bytes), nulls)
    }
}

impl TagValues {
    fn pad(&mut self, rows: usize) {
        if self.codes.len() < rows {
            self.codes.resize(rows, -1);
        }
    }

    fn value(ends: &[i32], bytes: &[u8], code: usize) -> std::ops::Range<usize> {
        let start = if code == 0 { 0 } else { ends[code - 1] as usize };
        debug_assert!(ends[code] as usize <= bytes.len());
        start..ends[code] as usize
    }

    fn intern(&mut self, hash: u64, value: &[u8]) -> i32 {
        let Self {
            ends,
            bytes,
            hashes,
            lookup,
            ..
        } = self;
        let is_same = |code: &u32| {
            let code = *code as usize;
            hashes[code] == hash && bytes[Self::value(ends, bytes, code)] == *value
        };
        if let Some(code) = lookup.find(hash, is_same) {
            return *code as i32;
        }
        let code = ends.len();
        bytes.extend_from_slice(value);
        ends.push(end(bytes));
        hashes.push(hash);
        lookup.insert_unique(hash, code as u32, |code| hashes[*code as usize]);
        code as i32
    }

    fn append(&mut self, start: usize, other: &Self) {
        self.pad(start);
        let codes: Vec<i32> = (0..other.ends.len())
            .map(|code| {
                self.intern(
                    other.hashes[code],
                    &other.bytes[Self::value(&other.ends, &other.bytes, code)],
                )
            })
            .collect();
        let recode = |code: &i32| usize::try_from(*code).map_or(-1, |code| codes[code]);
        self.codes.extend(other.codes.iter().map(recode));
    }

    fn seal(mut self, rows: usize) -> Result<DictionaryArray<Int32Type>, arrow::error::ArrowError> {
        self.pad(rows);
        let nulls = if self.codes.contains(&-1) {
            let valid: Vec<bool> = self.codes.iter().map(|code| *code >= 0).collect();
            self.codes.iter_mut().for_each(|code| *code = (*code).max(0));
            nulls(valid)
        } else {
            None
        };
        let keys: Int32Array = PrimitiveArray::new(self.codes.into(), nulls);
        let values = StringArray::try_new(offsets(self.ends), Buffer::from_vec(self.bytes), None)?;
        DictionaryArray::try_new(keys, Arc::new(values))
    }
}

fn nulls(valid: Vec<bool>) -> Option<NullBuffer> {
    if valid.iter().all(|valid| *valid) {
        None
    } else {
        Some(NullBuffer::from(valid))
    }
}

fn offsets(mut ends: Vec<i32>) -> OffsetBuffer<i32> {
    ends.insert(0, 0);
    OffsetBuffer::new(ScalarBuffer::from(ends))
}

fn end(bytes: &[u8]) -> i32 {
    // A write is at most 1 GiB (settings.rs) and a tail far less, so that this never saturates.
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}
