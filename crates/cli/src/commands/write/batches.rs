//! Cuts a stream of line protocol into batches without loading all of it.

use std::io::{self, BufRead, Read};
use std::num::NonZeroUsize;

/// The most bytes of one batch: what a server takes in one request (contract, core-wire section 6).
const MAX_BATCH: usize = 10 * 1_024 * 1_024;
/// The longest line that is read, in bytes; longer ones are refused here, before they fill the memory.
const MAX_LINE: u64 = 64 << 20;

/// Some lines of the input.
pub(super) struct Batch {
    /// Counted from 1.
    pub(super) number: u64,
    /// Whole lines, with their ends.
    pub(super) bytes: Vec<u8>,
    /// How many of its lines are points: neither blank nor a comment.
    pub(super) points: usize,
    /// The number of its first line in the input, from 1.
    pub(super) first_line: u64,
    /// The number of its last line.
    pub(super) last_line: u64,
}

/// Reads batches.
pub(super) struct Batches<R> {
    input: R,
    size: NonZeroUsize,
    /// A record that was read but did not fit into the last batch.
    held: Option<Record>,
    line: u64,
    number: u64,
}

/// One point, or a comment, or nothing: usually a line, more when a string holds a line end.
struct Record {
    bytes: Vec<u8>,
    lines: u64,
}

impl<R: BufRead> Batches<R> {
    pub(super) fn new(input: R, size: NonZeroUsize) -> Self {
        Self {
            input,
            size,
            held: None,
            line: 0,
            number: 0,
        }
    }

    /// The next batch that holds at least one point.
    pub(super) fn next(&mut self) -> io::Result<Option<Batch>> {
        let first_line = self.line + 1;
        let mut bytes = Vec::new();
        let mut points = 0;
        while points < self.size.get() {
            let record = match self.held.take() {
                Some(record) => record,
                None => match self.read_record()? {
                    Some(record) => record,
                    None => break,
                },
            };
            if points > 0 && bytes.len() + record.bytes.len() > MAX_BATCH {
                self.held = Some(record);
                break;
            }
            self.line += record.lines;
            points += usize::from(is_point(&record.bytes));
            bytes.extend_from_slice(&record.bytes);
        }
        if points == 0 {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Batch {
            number: self.number,
            bytes,
            points,
            first_line,
            last_line: self.line,
        }))
    }

    fn read_record(&mut self) -> io::Result<Option<Record>> {
        let mut bytes = Vec::new();
        let mut lines = 0;
        let mut scan = Scan::default();
        loop {
            let start = bytes.len();
            self.input.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes)?;
            if bytes.len() == start {
                break;
            }
            lines += 1;
            if bytes.len() as u64 >= MAX_LINE {
                let line = self.line + lines;
                let message = format!("line {line} is longer than {} MiB", MAX_LINE >> 20);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            if is_comment(&bytes) || !scan.ends_inside_string(&bytes[start..]) {
                break;
            }
        }
        Ok((lines > 0).then_some(Record { bytes, lines }))
    }
}

/// Whether a line end is inside a quoted string: quotes count among the fields only, after the first bare space.
#[derive(Default)]
struct Scan {
    among_fields: bool,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    fn ends_inside_string(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            if self.escaped {
                self.escaped = false;
                continue;
            }
            match byte {
                b'\\' => self.escaped = true,
                b'"' if self.among_fields => self.in_string = !self.in_string,
                b' ' if !self.in_string => self.among_fields = true,
                _ => {}
            }
        }
        self.in_string
    }
}

fn is_comment(record: &[u8]) -> bool {
    record.trim_ascii_start().first() == Some(&b'#')
}

fn is_point(record: &[u8]) -> bool {
    !record.trim_ascii().is_empty() && !is_comment(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str, size: usize) -> Vec<(String, u64, u64)> {
        let mut batches = Batches::new(text.as_bytes(), NonZeroUsize::new(size).expect("positive"));
        let mut all = Vec::new();
        while let Some(batch) = batches.next().expect("readable") {
            let text = String::from_utf8(batch.bytes).expect("text");
            all.push((text, batch.first_line, batch.last_line));
        }
        all
    }

    #[test]
    fn blank_lines_and_comments_are_no_points() {
        let text = "# head\n\nm f=1\n  # more\nm f=2\nm f=3";
        let batches = cut(text, 2);
        assert_eq!(
            batches[0],
            ("# head\n\nm f=1\n  # more\nm f=2\n".to_owned(), 1, 5)
        );
        assert_eq!(batches[1], ("m f=3".to_owned(), 6, 6));
        assert_eq!(cut("# only\n\n", 2), vec![]);
        assert_eq!(cut("", 2), vec![]);
    }

    #[test]
    fn a_string_keeps_its_line_ends() {
        let text = "m,t=a\\ \"b f=\"x\ny \\\" z\" 1\nm f=2\n";
        let batches = cut(text, 1);
        assert_eq!(batches.len(), 2);
        assert_eq!(batches[0], ("m,t=a\\ \"b f=\"x\ny \\\" z\" 1\n".to_owned(), 1, 2));
    }

    #[test]
    fn a_batch_is_bounded_in_bytes() {
        let line = format!("m f=\"{}\"\n", "x".repeat(MAX_BATCH / 3));
        let batches = cut(&line.repeat(4), 100);
        assert_eq!(batches.len(), 2);
        assert_eq!((batches[1].1, batches[1].2), (3, 4));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_batch_is_too_large(lines in prop::collection::vec("[a-z ]{0,6}", 0..40), size in 1usize..7) {
            let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            let batches = cut(&text, size);
            let points = lines.iter().filter(|line| !line.trim().is_empty()).count();
            let whole: String = batches.iter().map(|(text, ..)| text.as_str()).collect();
            prop_assert!(text.starts_with(&whole));
            prop_assert!(text[whole.len()..].trim().is_empty());
            prop_assert_eq!(batches.len(), points.div_ceil(size));
        }
    }
}
