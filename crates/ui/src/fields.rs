//! Names and values, as the query of an address and the body of a form carry them.

use std::collections::BTreeMap;
use std::fmt;

use form_urlencoded::Serializer;

/// Pairs in the order they came. A name may come several times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `a=b&c=d`; nothing in that form can be wrong.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of this name, without spaces around it; empty when there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The first value of this name as it was typed; empty when there is none.
    pub(crate) fn raw(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The value of this name, if there is one and it is not empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Every value of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of each name `name-NUMBER`, by its number: the fields of a form's rows.
    pub(crate) fn rows_of(&self, name: &str) -> BTreeMap<usize, &str> {
        let mut rows = BTreeMap::new();
        for (key, value) in &self.0 {
            let number = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                rows.entry(number).or_insert(value.as_str());
            }
        }
        rows
    }

    /// Whether a box of this name is ticked.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    /// The value of this name as a number; none when it is none.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.text(name).parse().ok()
    }

    /// Every pair.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// With this one value of this name; an empty one removes it.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        if !value.is_empty() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With one more value of this name.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `path` with these as its query.
    pub(crate) fn after(&self, path: &str) -> String {
        if self.0.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{self}")
        }
    }
}

/// In the form of a query, without the question mark.
impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut serializer = Serializer::new(String::new());
        serializer.extend_pairs(&self.0);
        f.write_str(&serializer.finish())
    }
}
