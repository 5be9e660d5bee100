//! The rows of a query, read from typed JSON lines: the first names the columns and their types, each other is a row.
//!
//! What a value is, its column's type says and never its text. Numbers keep the digits that the server sent.

use std::io::{self, BufRead};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::TimeFormat;
use crate::output::tables::{Cell, Table, printable};

/// The most bytes of rows that are kept: all of them are needed to know how wide the columns are.
const MAX_BYTES: u64 = 1 << 30;

/// All rows of a result.
pub(super) struct Rows {
    columns: Vec<Column>,
    /// Each as long as the columns.
    rows: Vec<Vec<Box<RawValue>>>,
}

/// Why an answer is no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowsError {
    /// The first line does not name columns: whoever answers does not know the format.
    #[error("its rows do not start with the names and types of their columns")]
    NoColumns,
    /// A row that is none, or has more or fewer values than there are columns.
    #[error("row {row}: {reason}")]
    BadRow { row: usize, reason: String },
    /// More than [`MAX_BYTES`].
    #[error("the result is larger than 1 GiB: ask for fewer rows with LIMIT")]
    TooLarge,
    /// The connection ended.
    #[error(transparent)]
    Broken(#[from] io::Error),
}

/// The first line.
#[derive(Deserialize)]
struct Head {
    columns: Vec<Column>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Nanoseconds since the epoch.
    Timestamp,
    Float,
    Integer,
    Unsigned,
    /// Whatever is shown as the text that it is: tags, strings, booleans, and what a later server adds.
    #[serde(other)]
    Text,
}

impl Rows {
    /// Reads rows to the end.
    pub(super) fn read(input: impl BufRead) -> Result<Self, RowsError> {
        let mut input = input.take(MAX_BYTES);
        let mut line = String::new();
        input.read_line(&mut line)?;
        let head = serde_json::from_str(&line);
        let Head { columns } = head.map_err(|_| RowsError::NoColumns)?;
        let mut rows: Vec<Vec<Box<RawValue>>> = Vec::new();
        loop {
            line.clear();
            if input.read_line(&mut line)? == 0 {
                break;
            }
            let row = rows.len() + 1;
            let values: Vec<Box<RawValue>> =
                serde_json::from_str(&line).map_err(|error| RowsError::BadRow {
                    row,
                    reason: error.to_string(),
                })?;
            if values.len() != columns.len() {
                let reason = format!("{} values for {} columns", values.len(), columns.len());
                return Err(RowsError::BadRow { row, reason });
            }
            rows.push(values);
        }
        if input.limit() == 0 {
            return Err(RowsError::TooLarge);
        }
        Ok(Self { columns, rows })
    }

    /// The columns' names, the rows, and a footer that counts them (contract, influxctl section 1.1).
    pub(super) fn to_table(&self, times: TimeFormat) -> Table {
        let row = |values: &Vec<Box<RawValue>>| -> Vec<Cell> {
            let pairs = self.columns.iter().zip(values);
            pairs
                .map(|(column, value)| column.cell(value.get(), times))
                .collect()
        };
        let count = format!("{} ROWS", self.rows.len());
        let mut footer = vec![String::new(); self.columns.len()];
        match footer.as_mut_slice() {
            [first, second, ..] => (*first, *second) = ("TOTAL".to_owned(), count),
            [only] => *only = format!("TOTAL {count}"),
            [] => {}
        }
        Table {
            header: self
                .columns
                .iter()
                .map(|column| printable(&column.name))
                .collect(),
            rows: self.rows.iter().map(row).collect(),
            footer: Some(footer),
        }
    }

    /// An array of objects; times are nanoseconds since the epoch (contract, influxctl section 1.2).
    pub(super) fn to_json(&self) -> String {
        if self.rows.is_empty() {
            return "[]".to_owned();
        }
        let names: Vec<String> = self.columns.iter().map(Column::json_name).collect();
        let object = |values: &Vec<Box<RawValue>>| {
            let entries: Vec<String> = names
                .iter()
                .zip(values)
                .map(|(name, value)| format!("    {name}: {}", plain(value.get())))
                .collect();
            format!("  {{\n{}\n  }}", entries.join(",\n"))
        };
        let objects: Vec<String> = self.rows.iter().map(object).collect();
        format!("[\n{}\n]", objects.join(",\n"))
    }
}

impl Column {
    fn json_name(&self) -> String {
        serde_json::Value::from(self.name.as_str()).to_string()
    }

    fn cell(&self, value: &str, times: TimeFormat) -> Cell {
        if value == "null" {
            return Cell::Empty;
        }
        // What is no number in JSON, such as NaN, comes as a string in columns of numbers too.
        let text = match serde_json::from_str::<String>(value) {
            Ok(text) => text,
            Err(_) => plain(value).to_owned(),
        };
        match (self.kind, times) {
            (Kind::Timestamp, TimeFormat::Rfc3339nano) => Cell::text(rfc3339(&text)),
            (Kind::Text, _) => Cell::text(text),
            _ => Cell::number(printable(&text)),
        }
    }
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

/// A time far out of the calendar stays the number that it is.
fn rfc3339(nanos: &str) -> String {
    let moment = nanos.parse().ok().map(jiff::Timestamp::from_nanosecond);
    moment
        .and_then(Result::ok)
        .map_or_else(|| nanos.to_owned(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &[&str]) -> Rows {
        Rows::read(lines.join("\n").as_bytes()).expect("rows")
    }

    fn all(rows: &Rows) -> String {
        [
            rows.to_table(TimeFormat::Rfc3339nano).render(),
            rows.to_table(TimeFormat::Unixnano).render(),
            rows.to_json(),
        ]
        .join("\n")
    }

    #[test]
    fn types_say_what_values_are() {
        let columns = concat!(
            r#"{"columns":[{"name":"time","type":"timestamp"},{"name":"t","type":"tag"},{"name":"s","type":"string"},"#,
            r#"{"name":"f","type":"float"},{"name":"i","type":"integer"},{"name":"u","type":"unsigned"},"#,
            r#"{"name":"b","type":"boolean"},{"name":"o","type":"other"},{"name":"n","type":"string"},{"name":"w","type":"later"}]}"#
        );
        insta::assert_snapshot!(all(&rows(&[
            columns,
            r#"[1700000000120000000,"x","2026-01-01T00:00:00",21.0,-5,18446744073709551615,true,"1.5",null,"1"]"#,
            r#"[-1,"2026-01-01T00:00:00","12","NaN",0,0,false,"[1]",null,2]"#,
            r#"[null,null,"null",-0.5,null,null,null,null,null,null]"#,
        ])));
    }

    #[test]
    fn an_empty_result_keeps_its_columns() {
        let columns = r#"{"columns":[{"name":"time","type":"timestamp"},{"name":"room","type":"tag"}]}"#;
        let one = [r#"{"columns":[{"name":"count(*)","type":"integer"}]}"#, "[3]"];
        insta::assert_snapshot!([all(&rows(&[columns])), all(&rows(&one))].join("\n"));
    }

    #[test]
    fn a_time_out_of_the_calendar_is_a_number() {
        assert_eq!(
            rfc3339("253402300800000000000000000"),
            "253402300800000000000000000"
        );
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        let rows = rows(&[
            r#"{"columns":[{"name":"a\u001b[2J","type":"float"}]}"#,
            r#"["\u001b"]"#,
        ]);
        let text = rows.to_table(TimeFormat::default()).render();
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn half_a_result_is_no_result() {
        let columns = r#"{"columns":[{"name":"a","type":"integer"}]}"#;
        let read = |text: &str| Rows::read(text.as_bytes()).map(|_| ());
        for head in ["", "{\"a\":1}\n", "[1]\n", &columns[..30]] {
            assert!(matches!(read(head), Err(RowsError::NoColumns)), "{head}");
        }
        for row in ["[1", "[1,2]", "[]", "{\"a\":1}", "\n[1]"] {
            let text = format!("{columns}\n[1]\n{row}");
            assert!(
                matches!(read(&text), Err(RowsError::BadRow { row: 2, .. })),
                "{row}"
            );
        }
    }
}
