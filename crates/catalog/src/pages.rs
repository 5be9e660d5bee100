//! Pages: a list is walked by cursor, so that rows that come or go in between shift nothing.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// Which part of a list is wanted.
#[derive(Debug, Clone)]
pub struct Page {
    /// The most items; what is outside 1 to [`Page::MAX`] counts as the nearest of the two.
    pub limit: u32,
    /// Where the page before ended; `None` is the first page.
    pub after: Option<Cursor>,
    /// Whether to count the items of all pages: costs a pass over the list.
    pub count: bool,
}

impl Page {
    /// The most items of one page.
    pub const MAX: u32 = 10_000;

    /// The first page, uncounted.
    pub const fn first(limit: u32) -> Self {
        Self {
            limit,
            after: None,
            count: false,
        }
    }

    /// The page after `cursor`, uncounted.
    pub const fn after(limit: u32, cursor: Cursor) -> Self {
        Self {
            limit,
            after: Some(cursor),
            count: false,
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.limit.clamp(1, Self::MAX) as usize
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(100)
    }
}

/// One page.
#[derive(Debug, Clone)]
pub struct Paged<T> {
    /// Its items, in order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` when this is the last.
    pub next: Option<Cursor>,
    /// How many items all pages hold, if that was asked.
    pub total: Option<u64>,
}

/// Where a page ended: the last item's place in the order and its id. Has a text form for links, to be taken as is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) place: Place,
    pub(crate) id: Place,
}

/// One value that rows are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Int(i64),
    Text(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "i{number}"),
            Self::Text(text) => write!(f, "t{text}"),
        }
    }
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(number) = text.strip_prefix('i') {
            return number.parse().map(Self::Int).map_err(|_| Error::Cursor);
        }
        let text = text.strip_prefix('t').ok_or(Error::Cursor)?;
        // PostgreSQL cannot hold a NUL, and no place has one.
        if text.contains('\0') {
            return Err(Error::Cursor);
        }
        Ok(Self::Text(text.to_owned()))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An id never holds the separator; a place may.
        write!(f, "{}.{}", self.id, self.place)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (id, place) = text.split_once('.').ok_or(Error::Cursor)?;
        Ok(Self {
            place: place.parse()?,
            id: id.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_a_link() {
        for place in [Place::Int(-7), Place::Text("a.b: ü".to_owned())] {
            let cursor = Cursor {
                place,
                id: Place::Text("1-2".to_owned()),
            };
            let read: Cursor = cursor.to_string().parse().expect("a cursor");
            assert_eq!(read, cursor);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            ".",
            "i1",
            "i1.x",
            "x.i1",
            "i.i1",
            "i1.t\0",
            "i99999999999999999999.i1",
        ] {
            assert!(matches!(text.parse::<Cursor>(), Err(Error::Cursor)), "{text:?}");
        }
    }
}
