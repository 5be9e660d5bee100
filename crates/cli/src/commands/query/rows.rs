//! The rows of a query, read from JSON lines.
//!
//! Rows leave out what is null, so that the columns are the union of all rows' keys, each put where the row that has
//! it puts it. Numbers keep the digits that the server sent. A column whose every value is a time without a zone, the
//! form in which the server prints its times, holds times.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::TimeFormat;
use crate::output::tables::{Cell, Table};

/// The most bytes of rows that are kept: all of them are needed to know how wide the columns are.
const MAX_BYTES: u64 = 1 << 30;

/// All rows of a result.
pub(super) struct Rows {
    columns: Vec<Column>,
    rows: Vec<BTreeMap<usize, Box<RawValue>>>,
}

struct Column {
    name: String,
    is_time: bool,
}

/// One row's keys and values, in the order sent.
struct Row(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Row;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Row(entries))
            }
        }
        reader.deserialize_map(Entries)
    }
}

impl Rows {
    /// Reads rows to the end.
    pub(super) fn read(input: impl BufRead) -> io::Result<Self> {
        let mut input = input.take(MAX_BYTES);
        let mut names: Vec<String> = Vec::new();
        // Columns are found in any order and numbered as found; `order` is how they are shown.
        let mut order: Vec<usize> = Vec::new();
        let mut rows = Vec::new();
        let mut line = String::new();
        while input.read_line(&mut line)? > 0 {
            if !line.trim().is_empty() {
                let Row(entries) = serde_json::from_str(&line).map_err(|error| {
                    io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("row {}: {error}", rows.len() + 1),
                    )
                })?;
                rows.push(place(entries, &mut names, &mut order));
            }
            line.clear();
        }
        if input.limit() == 0 {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "the result is larger than 1 GiB: ask for fewer rows with LIMIT",
            ));
        }
        Ok(Self::arrange(names, &order, rows))
    }

    fn arrange(names: Vec<String>, order: &[usize], rows: Vec<BTreeMap<usize, Box<RawValue>>>) -> Self {
        let mut position = vec![0; names.len()];
        for (place, column) in order.iter().enumerate() {
            position[*column] = place;
        }
        let rows: Vec<BTreeMap<usize, Box<RawValue>>> = rows
            .into_iter()
            .map(|row| {
                row.into_iter()
                    .map(|(column, value)| (position[column], value))
                    .collect()
            })
            .collect();
        let column = |(place, column): (usize, &usize)| {
            let mut values = rows
                .iter()
                .filter_map(|row| row.get(&place))
                .filter(|value| value.get() != "null");
            Column {
                name: names[*column].clone(),
                is_time: values.all(|value| nanos(value).is_some()),
            }
        };
        Self {
            columns: order.iter().enumerate().map(column).collect(),
            rows,
        }
    }

    /// Rows and a footer that counts them (contract, influxctl section 1.1).
    pub(super) fn to_table(&self, times: TimeFormat) -> Table {
        let cell = |row: &BTreeMap<usize, Box<RawValue>>, place: usize| {
            row.get(&place)
                .map_or(Cell::Empty, |value| self.cell(place, value, times))
        };
        let width = self.columns.len().max(1);
        let rows: Vec<Vec<Cell>> = self
            .rows
            .iter()
            .map(|row| (0..width).map(|place| cell(row, place)).collect())
            .collect();
        let count = format!("{} ROWS", rows.len());
        let mut footer = vec![String::new(); width];
        match footer.as_mut_slice() {
            [first, second, ..] => (*first, *second) = ("TOTAL".to_owned(), count),
            [only] => *only = format!("TOTAL {count}"),
            [] => {}
        }
        let mut header: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        header.resize(width, String::new());
        Table {
            header,
            rows,
            footer: Some(footer),
        }
    }

    fn cell(&self, place: usize, value: &RawValue, times: TimeFormat) -> Cell {
        let is_time = self.columns.get(place).is_some_and(|column| column.is_time);
        if let (true, Some(nanos)) = (is_time, nanos(value)) {
            return match times {
                TimeFormat::Unixnano => Cell::number(nanos),
                TimeFormat::Rfc3339nano => Cell::text(rfc3339(nanos)),
            };
        }
        match value.get() {
            "null" => Cell::Empty,
            text @ ("true" | "false") => Cell::text(text),
            text if text.starts_with('"') => {
                serde_json::from_str::<String>(text).map_or_else(|_| Cell::text(text), Cell::text)
            }
            text if text.starts_with(['{', '[']) => Cell::text(text),
            number => Cell::number(plain(number)),
        }
    }

    /// An array of objects; times are nanoseconds since the epoch (contract, influxctl section 1.2).
    pub(super) fn to_json(&self) -> String {
        if self.rows.is_empty() {
            return "[]".to_owned();
        }
        let object = |row: &BTreeMap<usize, Box<RawValue>>| {
            let entries: Vec<String> = row
                .iter()
                .map(|(place, value)| self.entry(*place, value))
                .collect();
            format!("  {{\n{}\n  }}", entries.join(",\n"))
        };
        let objects: Vec<String> = self.rows.iter().map(object).collect();
        format!("[\n{}\n]", objects.join(",\n"))
    }

    fn entry(&self, place: usize, value: &RawValue) -> String {
        let column = &self.columns[place];
        let time = nanos(value)
            .filter(|_| column.is_time)
            .map(|nanos| nanos.to_string());
        let text = time.as_deref().unwrap_or_else(|| plain(value.get()));
        format!("    {}: {text}", serde_json::Value::from(column.name.as_str()))
    }
}

/// Numbers the row's columns. One not seen before goes between its neighbours in this row; where others are between
/// them too, by the alphabet, which is how `SELECT *` orders columns (contract, core-wire section 4).
fn place(
    entries: Vec<(String, Box<RawValue>)>,
    names: &mut Vec<String>,
    order: &mut Vec<usize>,
) -> BTreeMap<usize, Box<RawValue>> {
    let mut row = BTreeMap::new();
    let shown_at = |order: &[usize], column: usize| order.iter().position(|known| *known == column);
    let mut after = 0;
    for index in 0..entries.len() {
        let known = |name: &str| names.iter().position(|known| known == name);
        let name = &entries[index].0;
        let column = match known(name) {
            Some(column) => column,
            None => {
                let next = entries[index + 1..]
                    .iter()
                    .find_map(|(name, _)| shown_at(order, known(name)?));
                let before = next.unwrap_or(order.len()).max(after);
                let gap = (after..before).find(|place| names[order[*place]] > *name);
                order.insert(gap.unwrap_or(before), names.len());
                names.push(name.clone());
                names.len() - 1
            }
        };
        after = shown_at(order, column).map_or(after, |place| place + 1);
        row.insert(column, index);
    }
    let mut values: Vec<Option<Box<RawValue>>> = entries.into_iter().map(|(_, value)| Some(value)).collect();
    row.into_iter()
        .filter_map(|(column, index)| Some((column, values[index].take()?)))
        .collect()
}

/// `21.0` is shown as `21`, as in the documented sample; other text is left as it is.
fn plain(text: &str) -> &str {
    match text.strip_suffix(".0") {
        Some(whole)
            if whole
                .trim_start_matches('-')
                .bytes()
                .all(|byte| byte.is_ascii_digit()) =>
        {
            whole
        }
        _ => text,
    }
}

/// Nanoseconds since the epoch of a time as the server prints it: `2023-11-14T22:13:20.123`, without a zone.
fn nanos(value: &RawValue) -> Option<i128> {
    let text = value.get().strip_prefix('"')?.strip_suffix('"')?;
    let has_form = (19..=29).contains(&text.len())
        && text.as_bytes()[10] == b'T'
        && text.ends_with(|c: char| c.is_ascii_digit());
    if !has_form {
        return None;
    }
    let time: jiff::civil::DateTime = text.parse().ok()?;
    let moment = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
    Some(moment.as_nanosecond())
}

fn rfc3339(nanos: i128) -> String {
    jiff::Timestamp::from_nanosecond(nanos).map_or_else(|_| nanos.to_string(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Rows {
        Rows::read(text.as_bytes()).expect("rows")
    }

    #[test]
    fn columns_stand_where_their_rows_put_them() {
        let rows = rows("{\"a\":1,\"d\":4}\n{\"b\":2,\"d\":4}\n{\"a\":1,\"b\":2,\"c\":3}\n");
        let names: Vec<&str> = rows.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d"].as_slice());
    }

    #[test]
    fn only_times_are_times() {
        let text = concat!(
            r#"{"time":"2023-11-14T22:13:20.120","s":"2023-11-14T22:13:20","u":1,"z":"2023-11-14T22:13:20Z"}"#,
            "\n",
            r#"{"time":"2023-11-14T22:13:20","s":"x","f":21.0,"g":-0.5,"big":18446744073709551615,"b":true,"n":null}"#
        );
        let rows = rows(text);
        insta::assert_snapshot!(
            [
                rows.to_table(TimeFormat::Rfc3339nano).render(),
                rows.to_table(TimeFormat::Unixnano).render(),
                rows.to_json(),
            ]
            .join("\n")
        );
    }

    #[test]
    fn no_rows_and_one_column() {
        let none = rows("");
        let one = rows("{\"count(*)\":3}\n");
        let texts = [
            none.to_table(TimeFormat::default()).render(),
            none.to_json(),
            one.to_table(TimeFormat::default()).render(),
        ];
        insta::assert_snapshot!(texts.join("\n"));
    }

    #[test]
    fn half_a_row_is_no_row() {
        assert!(Rows::read("{\"a\":1}\n{\"a\":".as_bytes()).is_err());
    }
}
