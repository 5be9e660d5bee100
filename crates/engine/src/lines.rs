//! Line protocol, line by line: where each begins and ends, and what a rejected one is told.

use memchr::{memchr, memchr2};

use crate::errors::{LineError, LineErrors};

/// Splits a body into lines. A newline inside a quoted field value does not end a line.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    offset: usize,
    is_done: bool,
}

/// A line and where it stands in the body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Without its end.
    pub(crate) bytes: &'a [u8],
    /// Of its first byte.
    pub(crate) offset: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self {
            rest: body,
            offset: 0,
            is_done: body.is_empty(),
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.is_done {
            return None;
        }
        let end = line_end(self.rest);
        let offset = self.offset;
        let bytes = match end {
            Some(end) => {
                let line = &self.rest[..end];
                self.rest = &self.rest[end + 1..];
                self.offset += end + 1;
                self.is_done = self.rest.is_empty();
                line
            }
            None => {
                self.is_done = true;
                self.rest
            }
        };
        Some(Line {
            bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes),
            offset,
        })
    }
}

/// Where the first line of `text` ends; `None` when it is the last one.
fn line_end(text: &[u8]) -> Option<usize> {
    let newline = memchr(b'\n', text);
    let line = &text[..newline.unwrap_or(text.len())];
    let is_comment = line.trim_ascii_start().starts_with(b"#");
    if is_comment || memchr2(b'"', b'\\', line).is_none() {
        return newline;
    }
    quoted_line_end(text)
}

/// The same rules as the parser's: quotes open only behind a field's `=`, a backslash hides the next character.
fn quoted_line_end(text: &[u8]) -> Option<usize> {
    let (mut is_escaped, mut is_quoted, mut in_fields) = (false, false, false);
    let (mut equals, mut commas) = (0usize, 0usize);
    for (index, byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b' ' => in_fields = true,
            b'=' if in_fields && !is_quoted => equals += 1,
            b',' if in_fields && !is_quoted => commas += 1,
            b'"' if in_fields && equals > commas => is_quoted = !is_quoted,
            b'\n' if !is_quoted => return Some(index),
            _ => {}
        }
    }
    None
}

impl LineErrors {
    /// Notes a rejected line; beyond [`LineErrors::MAX`] it is only counted.
    pub(crate) fn reject(&mut self, line_number: usize, line: &[u8], message: impl Into<String>) {
        self.total += 1;
        if self.first.len() >= Self::MAX {
            return;
        }
        let mut message = message.into();
        truncate(&mut message, LineError::MESSAGE_BYTES);
        let start = &line[..line.len().min(LineError::ORIGINAL_BYTES)];
        let mut original = String::from_utf8_lossy(start).into_owned();
        truncate(&mut original, LineError::ORIGINAL_BYTES);
        self.first.push(LineError {
            line_number,
            message,
            original,
        });
    }
}

fn truncate(text: &mut String, max: usize) {
    let end = text.floor_char_boundary(max);
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(body: &str) -> Vec<&str> {
        Lines::new(body.as_bytes())
            .map(|line| std::str::from_utf8(line.bytes).expect("split at ASCII"))
            .collect()
    }

    #[test]
    fn ends_lines_where_the_parser_does() {
        assert_eq!(split("a f=1\nb f=2"), ["a f=1", "b f=2"]);
        assert_eq!(split("a f=1\r\nb f=2\n"), ["a f=1", "b f=2"]);
        assert_eq!(split("a s=\"x\ny\" 1\nb f=2"), ["a s=\"x\ny\" 1", "b f=2"]);
        assert_eq!(split("a s=\"x\\\"\ny\"\nb f=2"), ["a s=\"x\\\"\ny\"", "b f=2"]);
        assert_eq!(split("# it's \"quoted\nb f=2"), ["# it's \"quoted", "b f=2"]);
        assert_eq!(split("\n\na f=1"), ["", "", "a f=1"]);
        assert_eq!(split(""), [""; 0]);
    }

    proptest! {
        #[test]
        fn agrees_with_the_library(body in "[a ,=\"\\\\\nß1]{0,40}") {
            let mut theirs: Vec<&str> = influxdb_line_protocol::split_lines(&body).collect();
            if body.is_empty() || body.ends_with('\n') && theirs.last() == Some(&"") {
                theirs.pop();
            }
            prop_assert_eq!(split(&body), theirs);
        }

        #[test]
        fn offsets_point_at_the_lines(body in "[a =\"\n]{0,40}") {
            for line in Lines::new(body.as_bytes()) {
                prop_assert_eq!(&body.as_bytes()[line.offset..line.offset + line.bytes.len()], line.bytes);
            }
        }
    }
}
