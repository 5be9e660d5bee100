//! Plain lines of line protocol, read fast.
//!
//! Most lines have no escapes and nothing wrong with them. For those this reader gives what the library's parser
//! gives, several times faster; every other line, and every doubtful one, is left to the library.

use crate::rows::FieldValue;

/// The parts of a plain line. Its lists are used again for the next line.
#[derive(Debug, Default)]
pub(crate) struct PlainLine<'a> {
    pub(crate) table: &'a str,
    pub(crate) tags: Vec<(&'a str, &'a str)>,
    pub(crate) fields: Vec<(&'a str, FieldValue<'a>)>,
    pub(crate) timestamp: Option<i64>,
}

impl<'a> PlainLine<'a> {
    /// Reads a line; `false` leaves it to the library.
    pub(crate) fn read(&mut self, line: &'a str) -> bool {
        self.tags.clear();
        self.fields.clear();
        self.timestamp = None;
        self.try_read(&mut Reader { line, at: 0 }).is_some()
    }

    fn try_read(&mut self, reader: &mut Reader<'a>) -> Option<()> {
        let (table, mut end) = reader.name()?;
        if table.starts_with('#') {
            return None;
        }
        self.table = table;
        while end == b',' {
            let (key, after_key) = reader.name()?;
            let (value, after_value) = reader.name()?;
            if after_key != b'=' {
                return None;
            }
            self.tags.push((key, value));
            end = after_value;
        }
        if end != b' ' {
            return None;
        }
        loop {
            let (key, after_key) = reader.name()?;
            if after_key != b'=' {
                return None;
            }
            self.fields.push((key, reader.value()?));
            match reader.next() {
                None => return Some(()),
                Some(b',') => {}
                Some(b' ') => break,
                Some(_) => return None,
            }
        }
        let timestamp = reader.rest();
        let digits = timestamp.strip_prefix('-').unwrap_or(timestamp);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.timestamp = Some(timestamp.parse().ok()?);
        Some(())
    }
}

struct Reader<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.line.as_bytes().get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    /// A name or a tag value that is not empty, and the delimiter behind it.
    fn name(&mut self) -> Option<(&'a str, u8)> {
        let start = self.at;
        loop {
            let byte = self.next()?;
            match byte {
                b',' | b'=' | b' ' => {
                    let name = &self.line[start..self.at - 1];
                    return (!name.is_empty()).then_some((name, byte));
                }
                // Escapes, quotes, tabs and the like.
                b'\\' | b'"' | 0..=31 => return None,
                _ => {}
            }
        }
    }

    fn value(&mut self) -> Option<FieldValue<'a>> {
        if self.line.as_bytes().get(self.at) == Some(&b'"') {
            return self.text();
        }
        let start = self.at;
        let bytes = &self.line.as_bytes()[start..];
        let length = bytes
            .iter()
            .position(|byte| matches!(byte, b',' | b' '))
            .unwrap_or(bytes.len());
        self.at += length;
        let value = &self.line[start..self.at];
        Some(match value {
            "t" | "T" | "true" | "True" | "TRUE" => FieldValue::Boolean(true),
            "f" | "F" | "false" | "False" | "FALSE" => FieldValue::Boolean(false),
            _ => match value.as_bytes().last()? {
                b'i' => FieldValue::Integer(whole(&value[..length - 1], true)?.parse().ok()?),
                b'u' => FieldValue::UInteger(whole(&value[..length - 1], false)?.parse().ok()?),
                _ => FieldValue::Float(decimal(value)?.parse().ok()?),
            },
        })
    }

    fn text(&mut self) -> Option<FieldValue<'a>> {
        let start = self.at + 1;
        let length = memchr::memchr2(b'"', b'\\', &self.line.as_bytes()[start..])?;
        let end = start + length;
        self.at = end + 1;
        // A backslash may hide the quote.
        (self.line.as_bytes()[end] == b'"').then(|| FieldValue::Text(&self.line[start..end]))
    }
}

/// `text` if it is a whole number.
fn whole(text: &str, may_be_negative: bool) -> Option<&str> {
    let digits = text.strip_prefix('-').filter(|_| may_be_negative).unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_whole.then_some(text)
}

/// `text` if it is digits with or without a fraction; exponents are left to the library.
fn decimal(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    (whole(integer, false).is_some() && whole(fraction, false).is_some()).then_some(text)
}

#[cfg(test)]
mod tests {
    use influxdb_line_protocol::{FieldValue as ParsedValue, parse_lines};
    use proptest::prelude::*;

    use super::*;

    /// Line protocol with mistakes and oddities.
    fn line() -> impl Strategy<Value = String> {
        let name = "[a-c#]{1,2}|[a,= \\\\\"\t\0ß]{0,3}";
        let value = "-?[0-9]{0,20}[iu]?|-?[0-9]{0,3}\\.?[0-9]{0,3}|[0-9]e[+-]?[0-9]|t|True|FALSE|fals|\"[a ,=\\\\\n]{0,3}\"|nan|inf";
        let tags = proptest::collection::vec((name, name), 0..3);
        let fields = proptest::collection::vec((name, value), 0..3);
        let end = "| -?[0-9]{0,20}| | 1 |  1|\t1";
        (name, tags, fields, end).prop_map(|(table, tags, fields, end)| {
            let tags: String = tags
                .iter()
                .map(|(key, value)| format!(",{key}={value}"))
                .collect();
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            format!("{table}{tags} {}{end}", fields.join(","))
        })
    }

    fn same(theirs: &ParsedValue<'_>, mine: &FieldValue<'_>) -> bool {
        match (theirs, mine) {
            (ParsedValue::F64(theirs), FieldValue::Float(mine)) => theirs.to_bits() == mine.to_bits(),
            (ParsedValue::I64(theirs), FieldValue::Integer(mine)) => theirs == mine,
            (ParsedValue::U64(theirs), FieldValue::UInteger(mine)) => theirs == mine,
            (ParsedValue::Boolean(theirs), FieldValue::Boolean(mine)) => theirs == mine,
            (ParsedValue::String(theirs), FieldValue::Text(mine)) => theirs == mine,
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_is_plain_means_what_the_library_reads(line in line()) {
            let mut plain = PlainLine::default();
            if plain.read(&line) {
                let mut parsed = parse_lines(&line);
                let theirs = parsed.next().expect("a line").expect("a good line");
                prop_assert!(parsed.next().is_none());
                prop_assert_eq!(theirs.series.measurement.as_str(), plain.table);
                let tags = theirs.series.tag_set.unwrap_or_default();
                let tags: Vec<_> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                prop_assert_eq!(tags, plain.tags);
                prop_assert_eq!(theirs.field_set.len(), plain.fields.len());
                for ((key, theirs), (name, mine)) in theirs.field_set.iter().zip(&plain.fields) {
                    prop_assert_eq!(key.as_str(), *name);
                    prop_assert!(same(theirs, mine), "{:?} {:?}", theirs, mine);
                }
                prop_assert_eq!(theirs.timestamp, plain.timestamp);
            }
        }
    }

    #[test]
    fn usual_lines_are_plain() {
        let mut plain = PlainLine::default();
        for line in [
            "cpu,host=h12,region=eu usage=0.5,idle=3i 1700000000000000000",
            "cpu usage=-0.5",
            "größe,t=ß s=\"a b, c=d\",b=true,u=18446744073709551615u -1",
        ] {
            assert!(plain.read(line), "{line}");
        }
        assert_eq!(plain.table, "größe");
        assert_eq!(plain.tags, [("t", "ß")]);
        assert_eq!(plain.fields.len(), 3);
        assert_eq!(plain.timestamp, Some(-1));
    }
}
