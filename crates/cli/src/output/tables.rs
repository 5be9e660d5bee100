//! Tables as influxctl draws them (contract, influxctl section 1.1).

use rescind_wire::Moment;
use unicode_width::UnicodeWidthStr;

/// What a cell holds decides how its column is aligned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// To the left.
    Text(String),
    /// To the right, unless the column also holds text.
    Number(String),
    /// Nothing; has no say in the alignment.
    Empty,
}

impl Cell {
    /// A cell of this text.
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(printable(text.as_ref()))
    }

    /// A cell of this number.
    pub(crate) fn number(number: impl ToString) -> Self {
        Self::Number(number.to_string())
    }

    /// A cell of this moment in whole seconds; blank for none.
    pub(crate) fn moment(moment: Option<Moment>) -> Self {
        moment.map_or(Self::Empty, |Moment(at)| Self::Text(at.to_rfc3339(0)))
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Empty => "",
        }
    }
}

/// Rows under a header, with an optional footer.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Printed as given.
    pub(crate) header: Vec<String>,
    /// Each as long as the header.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Drawn under a rule of its own; as long as the header.
    pub(crate) footer: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Align {
    Left,
    Right,
}

impl Table {
    /// A table without footer.
    pub(crate) fn new(header: &[&str], rows: Vec<Vec<Cell>>) -> Self {
        Self {
            header: header.iter().map(|name| (*name).to_owned()).collect(),
            rows,
            footer: None,
        }
    }

    /// The lines, without a line end after the last.
    pub(crate) fn render(&self) -> String {
        let columns: Vec<(usize, Align)> = (0..self.header.len())
            .map(|column| self.measure(column))
            .collect();
        let rule = rule(&columns);
        let mut lines = vec![
            rule.clone(),
            line(&columns, self.header.iter().map(String::as_str)),
            rule.clone(),
        ];
        lines.extend(
            self.rows
                .iter()
                .map(|row| line(&columns, row.iter().map(Cell::as_str))),
        );
        if !self.rows.is_empty() {
            lines.push(rule.clone());
        }
        if let Some(footer) = &self.footer {
            lines.push(line(&columns, footer.iter().map(String::as_str)));
            lines.push(rule);
        }
        lines.join("\n")
    }

    /// Width and alignment of a column.
    fn measure(&self, column: usize) -> (usize, Align) {
        let cells = || self.rows.iter().filter_map(|row| row.get(column));
        let footer = self.footer.as_ref().and_then(|footer| footer.get(column));
        let width = cells()
            .map(|cell| cell.as_str().width())
            .chain(footer.map(|text| text.width()))
            .chain([self.header[column].width()])
            .max()
            .unwrap_or_default();
        let is_number = cells().any(|cell| matches!(cell, Cell::Number(_)))
            && !cells().any(|cell| matches!(cell, Cell::Text(_)));
        (width, if is_number { Align::Right } else { Align::Left })
    }
}

/// A single object: a key and a value per line, keys to the right, no header.
pub(crate) fn vertical(entries: &[(&str, Cell)]) -> String {
    let width =
        |texts: &mut dyn Iterator<Item = &str>| texts.map(UnicodeWidthStr::width).max().unwrap_or_default();
    let columns = [
        (width(&mut entries.iter().map(|(key, _)| *key)), Align::Right),
        (
            width(&mut entries.iter().map(|(_, value)| value.as_str())),
            Align::Left,
        ),
    ];
    let rule = rule(&columns);
    let body = entries
        .iter()
        .map(|(key, value)| line(&columns, [*key, value.as_str()].into_iter()));
    std::iter::once(rule.clone())
        .chain(body)
        .chain([rule.clone()])
        .collect::<Vec<_>>()
        .join("\n")
}

fn rule(columns: &[(usize, Align)]) -> String {
    let dashes: Vec<String> = columns.iter().map(|(width, _)| "-".repeat(width + 2)).collect();
    format!("+{}+", dashes.join("+"))
}

fn line<'a>(columns: &[(usize, Align)], cells: impl Iterator<Item = &'a str>) -> String {
    let padded: Vec<String> = columns
        .iter()
        .zip(cells)
        .map(|((width, align), cell)| {
            let fill = " ".repeat(width.saturating_sub(cell.width()));
            match align {
                Align::Left => format!(" {cell}{fill} "),
                Align::Right => format!(" {fill}{cell} "),
            }
        })
        .collect();
    format!("|{}|", padded.join("|"))
}

/// Shows as escapes what moves the cursor or other text, or hides: a description must not be able to.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut shown, c| {
            if c.is_control() || is_format(c) {
                shown.extend(c.escape_default());
            } else {
                shown.push(c);
            }
            shown
        })
}

/// Format characters and separators that direct text or take no room. The joiners U+200C and U+200D stay: words and
/// emoji are written with them.
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            "\\PC{0,12}".prop_map(Cell::text),
            any::<i32>().prop_map(Cell::number),
            Just(Cell::Empty),
        ]
    }

    #[test]
    fn lists_look_as_documented() {
        let row =
            |name: &str, tables: i32| vec![Cell::text(name), Cell::text("infinite"), Cell::number(tables)];
        let mut table = Table::new(
            &["DATABASE NAME", "RETENTION PERIOD", "MAX TABLES"],
            vec![row("mydb1", 500), row("größe", 3)],
        );
        table.footer = Some(vec!["TOTAL".to_owned(), "2 ROWS".to_owned(), String::new()]);
        let empty = Table::new(&["ID", "DESCRIPTION"], vec![]);
        insta::assert_snapshot!([table.render(), empty.render()].join("\n"));
    }

    #[test]
    fn single_objects_look_as_documented() {
        insta::assert_snapshot!(vertical(&[
            ("id", Cell::text("11111111-1111-1111-1111-111111111111")),
            ("description", Cell::text("Example\u{1b}[2J\nToken")),
            ("expires at", Cell::text("2025-10-24T00:00:00Z")),
            ("revoked at", Cell::Empty),
        ]));
    }

    #[test]
    fn nothing_moves_or_hides_text() {
        for c in "\u{1b}\u{7f}\u{9b}\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{200b}\u{feff}\u{e0041}".chars()
        {
            assert_eq!(printable(&format!("a{c}b")), format!("a{}b", c.escape_default()));
        }
        let words = "größe 日本 \u{5e9}\u{5dc} می\u{200c}خواهم 👩\u{200d}🚀";
        assert_eq!(printable(words), words);
    }

    proptest! {
        #[test]
        fn all_lines_are_equally_wide(rows in prop::collection::vec(prop::collection::vec(cell(), 3), 0..6)) {
            let table = Table { header: ["A", "BB", "C"].map(str::to_owned).into(), rows, footer: None };
            let text = table.render();
            let widths: Vec<usize> = text.lines().map(UnicodeWidthStr::width).collect();
            prop_assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{}", text);
        }

        #[test]
        fn numbers_end_where_their_column_ends(numbers in prop::collection::vec(any::<i64>(), 1..6)) {
            let rows = numbers.iter().map(|n| vec![Cell::number(n)]).collect();
            let text = Table { header: vec!["N".to_owned()], rows, footer: None }.render();
            for (line, number) in text.lines().skip(3).zip(&numbers) {
                let end = format!(" {number} |");
                prop_assert!(line.ends_with(&end));
            }
        }
    }
}
