//! The texts of all rows in one piece of memory, so that a search is one pass over it.

use memchr::memchr;
use memchr::memmem::Finder;

use super::bits::Bits;

/// In no UTF-8 text: what is looked for lies within one text.
const BETWEEN: u8 = 0xff;

/// Texts, each of one row. A text that is replaced stays behind until the index is built anew.
#[derive(Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Where each piece starts; it ends where the next one starts.
    starts: Vec<usize>,
    /// The row that each piece belongs to.
    rows: Vec<u32>,
}

impl Texts {
    /// Appends a piece of several texts for `row`, and returns its number.
    pub(super) fn push(&mut self, row: u32, texts: &[&str]) -> u32 {
        // Pieces are fewer than twice the rows, of which there are fewer than 2^31.
        let piece = self.starts.len() as u32;
        self.starts.push(self.bytes.len());
        self.rows.push(row);
        for text in texts {
            self.bytes.extend_from_slice(text.as_bytes());
            self.bytes.push(BETWEEN);
        }
        piece
    }

    /// The first text of a piece.
    pub(super) fn first(&self, piece: u32) -> &[u8] {
        let rest = &self.bytes[self.starts[piece as usize]..];
        let end = memchr(BETWEEN, rest).unwrap_or(rest.len());
        &rest[..end]
    }

    fn end(&self, piece: usize) -> usize {
        self.starts.get(piece + 1).copied().unwrap_or(self.bytes.len())
    }

    /// How many pieces there are, left-behind ones included.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The rows of `current`, which says the piece of each row, that have a text with `term` in it.
    pub(super) fn find(&self, term: &str, current: &[u32]) -> Bits {
        let mut found = Bits::none(current.len());
        let finder = Finder::new(term);
        let (mut piece, mut from) = (0, 0);
        while let Some(hit) = finder.find(&self.bytes[from..]) {
            piece = self.piece_at(from + hit, piece);
            let row = self.rows[piece];
            if current[row as usize] as usize == piece {
                found.insert(row);
            }
            from = self.end(piece);
        }
        found
    }

    /// The piece that `position` lies in, at or after the piece `first`. Steps that grow find a near one at once.
    fn piece_at(&self, position: usize, first: usize) -> usize {
        let (mut low, mut step) = (first, 1);
        while self
            .starts
            .get(low + step)
            .is_some_and(|start| *start <= position)
        {
            low += step;
            step *= 2;
        }
        let high = (low + step).min(self.starts.len());
        low + self.starts[low..high].partition_point(|start| *start <= position) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_found_in_every_text_of_a_row_but_not_across_two() {
        let mut texts = Texts::default();
        let mut current: Vec<u32> = (0..100)
            .map(|row| {
                texts.push(
                    row,
                    &[&format!("id-{row:03}"), "präfix", &format!("text {}", row % 10)],
                )
            })
            .collect();
        let rows =
            |texts: &Texts, term, current: &[u32]| texts.find(term, current).iter().collect::<Vec<_>>();
        assert_eq!(rows(&texts, "präf", &current).len(), 100);
        assert_eq!(rows(&texts, "text 7", &current).len(), 10);
        assert_eq!(rows(&texts, "id-042", &current), [42]);
        assert_eq!(rows(&texts, "id-099", &current), [99]);
        assert!(rows(&texts, "xtext", &current).is_empty());
        current[42] = texts.push(42, &["id-042", "", "new"]);
        assert_eq!(
            rows(&texts, "text 2", &current).len(),
            9,
            "the former text is not found"
        );
        assert_eq!(rows(&texts, "new", &current), [42]);
        assert_eq!(texts.first(current[42]), b"id-042");
    }
}
