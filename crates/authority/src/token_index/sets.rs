//! The sets of databases that tokens open: few, each kept once.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use memchr::memmem::Finder;
use rescind_domain::{DatabaseName, Permissions};

use super::order::merge;

/// Every set that occurs, by number.
#[derive(Default)]
pub(super) struct Sets {
    /// `\n*\nhome\n`: the names in order, each between two line ends, which no name holds.
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    /// The numbers in the order of their texts without regard to case.
    order: Vec<u32>,
    /// The place of each in that order; equal texts have one place.
    ranks: Vec<u32>,
}

impl Sets {
    /// The number of the set of databases that `permissions` name. It has no rank before [`Self::rank_new`].
    pub(super) fn number(&mut self, permissions: Option<&Permissions>) -> u32 {
        let mut names: Vec<&str> = permissions.map_or_else(Vec::new, |permissions| {
            permissions.iter().map(|p| p.resource.as_str()).collect()
        });
        names.sort_unstable();
        names.dedup();
        let mut text = String::with_capacity(1 + names.iter().map(|name| name.len() + 1).sum::<usize>());
        text.push('\n');
        for name in names {
            text.push_str(name);
            text.push('\n');
        }
        if let Some(known) = self.numbers.get(text.as_str()) {
            return *known;
        }
        // There are at most as many sets as pieces of text.
        let number = self.texts.len() as u32;
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    /// Gives the sets that were added since the last call their ranks.
    pub(super) fn rank_new(&mut self) {
        if self.order.len() == self.texts.len() {
            return;
        }
        let mut new: Vec<u32> = (self.order.len() as u32..self.texts.len() as u32).collect();
        let texts = &self.texts;
        let compare = |a: &u32, b: &u32| folded_order(&texts[*a as usize], &texts[*b as usize]);
        new.sort_by(compare);
        self.order = merge(std::mem::take(&mut self.order), &new, compare);
        self.ranks.resize(texts.len(), 0);
        let mut rank = 0;
        for (place, number) in self.order.iter().enumerate() {
            if place > 0 && compare(&self.order[place - 1], number).is_ne() {
                rank += 1;
            }
            self.ranks[*number as usize] = rank;
        }
    }

    /// The place of a set among all.
    pub(super) fn rank(&self, number: u32) -> u32 {
        self.ranks[number as usize]
    }

    /// Which sets open the database of this name, by name or by `*`.
    pub(super) fn opening(&self, database: &DatabaseName) -> Vec<bool> {
        let mark = format!("\n{database}\n");
        let finder = Finder::new(&mark);
        let opens = |text: &Arc<str>| text.starts_with("\n*\n") || finder.find(text.as_bytes()).is_some();
        self.texts.iter().map(opens).collect()
    }
}

/// Names are ASCII.
fn folded_order(a: &str, b: &str) -> Ordering {
    let folded = |byte: u8| byte.to_ascii_lowercase();
    a.bytes().map(folded).cmp(b.bytes().map(folded))
}
