//! From line protocol to columns: parses, checks every rule of a line, and sorts points by table.
//!
//! The rules are those of the contract, data-plane sections 3 and 4, and core-wire section 6.

use std::hash::BuildHasher;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hashbrown::{DefaultHashBuilder, HashMap};
use influxdb_line_protocol::{Error as LibraryError, FieldValue as ParsedValue, parse_lines};
use rescind_domain::{DatabaseView, MaxColumns, TableId, TableName};

use crate::errors::LineErrors;
use crate::lines::{Line, Lines};
use crate::plain::PlainLine;
use crate::precision::Precision;
use crate::rows::{FieldValue, Rows};
use crate::schema::{Column, ColumnId, ColumnKind, TableSchema};

/// The longest tag key, tag value or field key, in bytes.
const MAX_NAME_BYTES: usize = 64 << 10;
/// The longest text field value, in bytes.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// Stands for a column id that is not to be set.
const SKIPPED: ColumnId = ColumnId::MAX;

/// What lines are checked against.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) view: Arc<DatabaseView>,
    pub(crate) precision: Precision,
    /// For lines without a time.
    pub(crate) now: i64,
    /// Points before it are refused.
    pub(crate) horizon: Option<i64>,
    pub(crate) max_line_bytes: usize,
    pub(crate) hasher: DefaultHashBuilder,
}

/// Finds the schema of a table as it is now.
pub(crate) trait Schemas {
    /// `None`: the table holds no points yet.
    fn schema(&self, table: TableId) -> Option<Arc<TableSchema>>;
}

/// The points of a write, and what was wrong with the rest.
#[derive(Debug)]
pub(crate) struct Points {
    pub(crate) tables: Vec<TablePoints>,
    pub(crate) errors: LineErrors,
    /// How many lines were accepted.
    pub(crate) lines: usize,
    /// How many of the rejected lines are older than the retention period.
    pub(crate) too_old: usize,
    /// The accepted lines as they came.
    pub(crate) accepted: Bytes,
}

/// The points of one table.
#[derive(Debug)]
pub(crate) struct TablePoints {
    pub(crate) name: TableName,
    /// Every name that the points used; a renamed table has several.
    pub(crate) names: Vec<TableName>,
    /// `None` when the database has no such table yet.
    pub(crate) id: Option<TableId>,
    pub(crate) max_columns: MaxColumns,
    /// The schema that the points were checked against.
    pub(crate) base: Arc<TableSchema>,
    /// Columns that they add to it.
    pub(crate) added: Vec<Column>,
    pub(crate) rows: Rows,
    columns: Columns,
}

/// Look-up of columns by name, fast when lines name the same columns in the same order.
#[derive(Debug, Default)]
struct Columns {
    names: Vec<Arc<str>>,
    kinds: Vec<ColumnKind>,
    hashes: Vec<u64>,
    /// The line that named the column last.
    seen: Vec<usize>,
    added: HashMap<Arc<str>, ColumnId>,
    /// Ids in the order of the line before.
    hints: Vec<ColumnId>,
}

/// Parses `body`.
pub(crate) fn parse<'a>(body: &'a Bytes, rules: &'a Rules, schemas: &'a dyn Schemas) -> Points {
    let mut parser = Parser {
        rules,
        plain: PlainLine::default(),
        schemas,
        tables: Vec::new(),
        by_name: HashMap::new(),
        last: 0,
        ids: Vec::new(),
        line_number: 0,
        too_old: 0,
    };
    let mut errors = LineErrors::default();
    let mut lines = 0;
    // Where the accepted lines were copied up to, once one was rejected.
    let mut kept: Option<BytesMut> = None;
    let text = std::str::from_utf8(body).ok();
    for line in Lines::new(body) {
        parser.line_number += 1;
        match parser.read(line, text) {
            Ok(false) => {}
            Ok(true) => {
                lines += 1;
                if let Some(kept) = &mut kept {
                    kept.extend_from_slice(line.bytes);
                    kept.extend_from_slice(b"\n");
                }
            }
            Err(message) => {
                errors.reject(parser.line_number, line.bytes, message);
                kept.get_or_insert_with(|| BytesMut::from(&body[..line.offset]));
            }
        }
    }
    let Parser {
        mut tables, too_old, ..
    } = parser;
    tables.retain(|table| table.rows.len() > 0);
    Points {
        tables,
        errors,
        lines,
        too_old,
        accepted: kept.map_or_else(|| body.clone(), BytesMut::freeze),
    }
}

/// The parts of a line, unescaped.
struct Parts<'a> {
    table: &'a str,
    tags: &'a [(&'a str, &'a str)],
    fields: &'a [(&'a str, FieldValue<'a>)],
    timestamp: Option<i64>,
}

struct Parser<'a> {
    rules: &'a Rules,
    plain: PlainLine<'a>,
    schemas: &'a dyn Schemas,
    tables: Vec<TablePoints>,
    by_name: HashMap<TableName, usize>,
    /// The table of the line before.
    last: usize,
    /// Columns of the line at hand: tags, then fields.
    ids: Vec<ColumnId>,
    line_number: usize,
    too_old: usize,
}

impl<'a> Parser<'a> {
    /// Takes one line in: `false` when there is nothing in it.
    fn read(&mut self, line: Line<'a>, text: Option<&'a str>) -> Result<bool, String> {
        let trimmed = line.bytes.trim_ascii_start();
        if trimmed.is_empty() || trimmed.starts_with(b"#") {
            return Ok(false);
        }
        if line.bytes.len() > self.rules.max_line_bytes {
            return Err(format!(
                "the line is longer than {} bytes",
                self.rules.max_line_bytes
            ));
        }
        // Slicing the checked body is cheaper than checking each line; both ends are ASCII.
        let checked = text.and_then(|text| text.get(line.offset..line.offset + line.bytes.len()));
        let line = match checked {
            Some(line) => line,
            None => std::str::from_utf8(line.bytes)
                .map_err(|error| format!("invalid UTF-8 at byte {} of the line", error.valid_up_to()))?,
        };
        let mut plain = std::mem::take(&mut self.plain);
        let accepted = if plain.read(line) {
            let parts = Parts {
                table: plain.table,
                tags: &plain.tags,
                fields: &plain.fields,
                timestamp: plain.timestamp,
            };
            self.accept(&parts).map(|()| true)
        } else {
            self.read_any(line)
        };
        self.plain = plain;
        accepted
    }

    /// The library's way, for lines that are not plain.
    fn read_any(&mut self, line: &str) -> Result<bool, String> {
        let parsed = match parse_lines(line).next() {
            None => return Ok(false),
            Some(parsed) => parsed.map_err(|error| in_words(&error))?,
        };
        let tags = parsed.series.tag_set.as_deref().unwrap_or_default();
        let tags: Vec<_> = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let fields = parsed.field_set.iter();
        let fields: Vec<_> = fields
            .map(|(key, value)| (key.as_str(), field_value(value)))
            .collect();
        let parts = Parts {
            table: &parsed.series.measurement,
            tags: &tags,
            fields: &fields,
            timestamp: parsed.timestamp,
        };
        self.accept(&parts).map(|()| true)
    }

    fn accept(&mut self, line: &Parts<'_>) -> Result<(), String> {
        let time = self.time(line.timestamp)?;
        let index = self.table(line.table)?;
        let hasher = &self.rules.hasher;
        let table = &mut self.tables[index];
        let known = table.added.len();
        self.ids.clear();
        if let Err(message) = table.resolve(line, self.line_number, &mut self.ids, hasher) {
            table.forget_added(known);
            return Err(message);
        }
        table.rows.start(time);
        for ((_, value), id) in line.tags.iter().zip(&self.ids) {
            if *id != SKIPPED {
                table.rows.set_tag(*id, table.columns.hashes[*id], value, hasher);
            }
        }
        for ((_, value), id) in line.fields.iter().zip(&self.ids[line.tags.len()..]) {
            table.rows.set_field(*id, *value);
        }
        std::mem::swap(&mut table.columns.hints, &mut self.ids);
        Ok(())
    }

    fn time(&mut self, timestamp: Option<i64>) -> Result<i64, String> {
        let time = match timestamp {
            Some(timestamp) => self.rules.precision.nanos(timestamp).ok_or_else(|| {
                format!(
                    "timestamp {timestamp} {} is out of range",
                    self.rules.precision.unit()
                )
            })?,
            None => self.rules.now,
        };
        match self.rules.horizon {
            Some(horizon) if time < horizon => {
                self.too_old += 1;
                let retention = self.rules.view.limits.retention;
                Err(format!(
                    "the point is older than the retention period of {retention}"
                ))
            }
            _ => Ok(time),
        }
    }

    fn table(&mut self, name: &str) -> Result<usize, String> {
        if let Some(last) = self.tables.get(self.last)
            && last.name.as_str() == name
        {
            return Ok(self.last);
        }
        self.last = match self.by_name.get(name) {
            Some(index) => *index,
            None => self.add_table(name)?,
        };
        Ok(self.last)
    }

    fn add_table(&mut self, name: &str) -> Result<usize, String> {
        let name = TableName::written(name).map_err(|error| error.to_string())?;
        let view = self.rules.view.tables.get(&name);
        let id = view.map(|view| view.id);
        // Two names may reach one table; its points are kept together.
        let same = id.and_then(|id| self.tables.iter().position(|table| table.id == Some(id)));
        let index = same.unwrap_or(self.tables.len());
        if same.is_none() {
            let base = id
                .and_then(|id| self.schemas.schema(id))
                .unwrap_or_else(|| Arc::new(TableSchema::empty()));
            let max_columns = view.map_or(self.rules.view.limits.max_columns, |view| view.max_columns);
            self.tables.push(TablePoints {
                name: name.clone(),
                names: Vec::new(),
                id,
                max_columns,
                columns: Columns::new(&base, &self.rules.hasher),
                base,
                added: Vec::new(),
                rows: Rows::default(),
            });
        }
        self.tables[index].names.push(name.clone());
        self.by_name.insert(name, index);
        Ok(index)
    }
}

impl TablePoints {
    /// Finds or adds the columns of a line, and checks them, before any value is taken in.
    fn resolve(
        &mut self,
        line: &Parts<'_>,
        line_number: usize,
        ids: &mut Vec<ColumnId>,
        hasher: &DefaultHashBuilder,
    ) -> Result<(), String> {
        for (key, value) in line.tags {
            let id = self.column(key, ColumnKind::Tag, ids.len(), hasher)?;
            if value.is_empty() {
                return Err(format!("tag '{key}' has no value"));
            }
            if value.len() > MAX_NAME_BYTES {
                return Err(format!(
                    "the value of tag '{key}' is longer than {MAX_NAME_BYTES} bytes"
                ));
            }
            if self.columns.seen[id] == line_number {
                // A tag given twice: the later value counts, as a later point's would.
                ids.iter_mut()
                    .filter(|earlier| **earlier == id)
                    .for_each(|earlier| *earlier = SKIPPED);
            }
            self.columns.seen[id] = line_number;
            ids.push(id);
        }
        for (key, value) in line.fields {
            let id = self.column(key, value.kind(), ids.len(), hasher)?;
            if self.columns.seen[id] == line_number {
                return Err(format!("field '{key}' is given twice"));
            }
            self.columns.seen[id] = line_number;
            match value {
                FieldValue::Float(number) if !number.is_finite() => {
                    return Err(format!("field '{key}' is not a finite number"));
                }
                FieldValue::Text(text) if text.len() > MAX_TEXT_BYTES => {
                    return Err(format!("field '{key}' is longer than {MAX_TEXT_BYTES} bytes"));
                }
                _ => ids.push(id),
            }
        }
        Ok(())
    }

    fn column(
        &mut self,
        name: &str,
        kind: ColumnKind,
        position: usize,
        hasher: &DefaultHashBuilder,
    ) -> Result<ColumnId, String> {
        let hinted = self.columns.hints.get(position).copied();
        let hinted = hinted.filter(|id| self.columns.names.get(*id).is_some_and(|known| **known == *name));
        let id = hinted
            .or_else(|| self.base.id(name))
            .or_else(|| self.columns.added.get(name).copied());
        let Some(id) = id else {
            return self.add_column(name, kind, hasher);
        };
        match self.columns.kinds[id] {
            known if known == kind => Ok(id),
            ColumnKind::Time => {
                Err("'time' is the point's timestamp; it cannot name a tag or a field".to_owned())
            }
            known => Err(format!(
                "invalid column type for column '{name}', expected {}, got {}",
                known.wire(),
                kind.wire()
            )),
        }
    }

    fn add_column(
        &mut self,
        name: &str,
        kind: ColumnKind,
        hasher: &DefaultHashBuilder,
    ) -> Result<ColumnId, String> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(format!(
                "a tag or field key must have 1 to {MAX_NAME_BYTES} bytes, this one has {}",
                name.len()
            ));
        }
        let id = self.columns.names.len();
        let max = self.max_columns.get();
        if id >= usize::try_from(max).unwrap_or(usize::MAX) {
            return Err(format!(
                "column '{name}' would be one more than the limit of {max} columns of table '{}'",
                self.name
            ));
        }
        let name: Arc<str> = name.into();
        self.columns.push(Arc::clone(&name), kind, hasher);
        self.columns.added.insert(Arc::clone(&name), id);
        self.added.push(Column { name, kind });
        Ok(id)
    }

    /// A rejected line must leave no column behind.
    fn forget_added(&mut self, known: usize) {
        for column in self.added.drain(known..) {
            self.columns.added.remove(&column.name);
        }
        self.columns.truncate(self.base.len() + known);
    }
}

impl Columns {
    fn new(base: &TableSchema, hasher: &DefaultHashBuilder) -> Self {
        let mut columns = Self::default();
        for column in base.columns() {
            columns.push(Arc::clone(&column.name), column.kind, hasher);
        }
        columns
    }

    fn push(&mut self, name: Arc<str>, kind: ColumnKind, hasher: &DefaultHashBuilder) {
        self.hashes.push(hasher.hash_one(&*name));
        self.names.push(name);
        self.kinds.push(kind);
        self.seen.push(0);
    }

    fn truncate(&mut self, len: usize) {
        self.hashes.truncate(len);
        self.names.truncate(len);
        self.kinds.truncate(len);
        self.seen.truncate(len);
    }
}

fn field_value<'a>(value: &'a ParsedValue<'_>) -> FieldValue<'a> {
    match value {
        ParsedValue::I64(value) => FieldValue::Integer(*value),
        ParsedValue::U64(value) => FieldValue::UInteger(*value),
        ParsedValue::F64(value) => FieldValue::Float(*value),
        ParsedValue::String(value) => FieldValue::Text(value),
        ParsedValue::Boolean(value) => FieldValue::Boolean(*value),
    }
}

/// What is wrong with a line, where the library names the part of its grammar only.
fn in_words(error: &LibraryError) -> String {
    match error {
        LibraryError::GenericParsingError { .. } => {
            "a line needs a table, at least one field and spaces between its \
                                                     parts: table[,tag=value...] field=value[,...] [time]"
                .to_owned()
        }
        error => error.to_string(),
    }
}
