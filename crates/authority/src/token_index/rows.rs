//! What the index holds of each token, column by column, and how it is searched.
//!
//! A token takes about 130 bytes and those of its description: 16 for its id, 24 for times, 9 for creator, databases and
//! state, 14 to find it by id and by description, 16 to find its text, and the text: 36 for the id in words, 9 for the
//! prefix, 3 between. A million tokens with descriptions of 20 bytes take 150 to 190 MB, until nobody has looked for an
//! hour.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use hashbrown::HashTable;
use rescind_domain::{Actor, DatabaseToken, ManagementToken, Permissions, Timestamp, TokenStatus};

use super::bits::Bits;
use super::order::{Candidate, merge, page};
use super::sets::Sets;
use super::texts::Texts;
use super::{TokenColumn, TokenSearch};

/// The sixteen bytes of a token's id.
pub(super) type Id = [u8; 16];

/// Descriptions may have 16 KiB; so many bytes of each are searched.
const SEARCHED: usize = 1_024;
/// By so many characters descriptions are ordered, as in the catalog.
const ORDERED: usize = 64;

/// What the index wants to know of a token.
pub(super) struct Row<'a> {
    pub(super) id: Id,
    pub(super) id_in_words: String,
    pub(super) description: &'a str,
    pub(super) prefix: &'a str,
    pub(super) permissions: Option<&'a Permissions>,
    pub(super) created_at: Timestamp,
    pub(super) created_by: Actor,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) is_revoked: bool,
    pub(super) last_used_at: Option<Timestamp>,
}

impl<'a> From<&'a DatabaseToken> for Row<'a> {
    fn from(token: &'a DatabaseToken) -> Self {
        Self {
            id: token.id.to_bytes(),
            id_in_words: token.id.to_string(),
            description: token.description.as_str(),
            prefix: token.prefix.as_str(),
            permissions: Some(&token.permissions),
            created_at: token.created_at,
            created_by: token.created_by,
            expires_at: token.expires_at,
            is_revoked: token.state.revoked_at().is_some(),
            last_used_at: token.last_used_at,
        }
    }
}

impl<'a> From<&'a ManagementToken> for Row<'a> {
    fn from(token: &'a ManagementToken) -> Self {
        Self {
            id: token.id.to_bytes(),
            id_in_words: token.id.to_string(),
            description: token.description.as_str(),
            prefix: token.prefix.as_str(),
            permissions: None,
            created_at: token.created_at,
            created_by: token.created_by,
            expires_at: token.expires_at,
            is_revoked: token.state.revoked_at().is_some(),
            last_used_at: token.last_used_at,
        }
    }
}

/// Every token of one cluster or account.
#[derive(Default)]
pub(super) struct Rows {
    ids: Vec<Id>,
    created_at: Vec<i64>,
    expires_at: Vec<i64>,
    last_used_at: Vec<i64>,
    is_revoked: Vec<bool>,
    creators: Vec<u32>,
    /// In order, so that every node names the same few of very many.
    creator_numbers: BTreeMap<Actor, u32>,
    databases: Vec<u32>,
    sets: Sets,
    pieces: Vec<u32>,
    texts: Texts,
    by_id: HashTable<u32>,
    /// In the order of their descriptions.
    by_description: Vec<u32>,
    /// Rows whose description is new: they have no place in that order before [`Rows::settle`].
    unplaced: Vec<u32>,
}

/// Later than every expiry.
const NO_EXPIRY: i64 = i64::MAX;
/// Earlier than every use.
const NEVER: i64 = i64::MIN;

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether so many texts were replaced that building anew is better.
    pub(super) fn is_worn(&self) -> bool {
        self.texts.len() > 2 * self.len() + SPARE_PIECES
    }

    /// Adds a token or brings it up to date. Call [`Self::settle`] after the last one.
    pub(super) fn put(&mut self, row: &Row<'_>) {
        let found = self.row_of(row.id);
        let number = found.unwrap_or_else(|| self.add(row.id));
        let at = number as usize;
        self.created_at[at] = row.created_at.micros();
        self.expires_at[at] = row.expires_at.map_or(NO_EXPIRY, Timestamp::micros);
        self.is_revoked[at] = row.is_revoked;
        self.databases[at] = self.sets.number(row.permissions);
        let creators = self.creator_numbers.len() as u32;
        self.creators[at] = *self.creator_numbers.entry(row.created_by).or_insert(creators);
        if let Some(used_at) = row.last_used_at {
            self.note_use(row.id, used_at);
        }
        let folded = row.description.to_lowercase();
        let description = start(&folded, SEARCHED);
        if found.is_none() || self.description(number) != description.as_bytes() {
            let prefix = row.prefix.to_lowercase();
            self.pieces[at] = self.texts.push(number, &[description, &row.id_in_words, &prefix]);
            self.unplaced.push(number);
        }
    }

    /// A token that is not here is passed over.
    pub(super) fn note_use(&mut self, id: Id, at: Timestamp) {
        if let Some(row) = self.row_of(id) {
            let last = &mut self.last_used_at[row as usize];
            *last = at.micros().max(*last);
        }
    }

    /// Puts what is new in its place in the orders.
    pub(super) fn settle(&mut self) {
        self.sets.rank_new();
        if self.unplaced.is_empty() {
            return;
        }
        let mut moved = Bits::none(self.len());
        self.unplaced.iter().for_each(|row| moved.insert(*row));
        let mut order = std::mem::take(&mut self.by_description);
        order.retain(|row| !moved.contains(*row));
        // The first bytes at hand: most comparisons need not look at texts all over the memory.
        let mut new: Vec<(u128, u32)> = moved
            .iter()
            .map(|row| (self.description_start(row), row))
            .collect();
        new.sort_unstable_by(|(start, row), (other_start, other)| {
            start
                .cmp(other_start)
                .then_with(|| self.compare_descriptions(*row, *other))
        });
        let new: Vec<u32> = new.into_iter().map(|(_, row)| row).collect();
        self.by_description = merge(order, &new, |a, b| self.compare_descriptions(*a, *b));
        self.unplaced.clear();
    }

    /// Who created tokens, users first: `most` of them.
    pub(super) fn creators(&self, most: usize) -> Vec<Actor> {
        self.creator_numbers.keys().rev().take(most).copied().collect()
    }

    /// The ids of a page of what `search` finds at `now`, and how many it finds in all.
    pub(super) fn search(&self, search: &TokenSearch, now: Timestamp) -> (Vec<Id>, usize) {
        let chosen = self.choose(search, now.micros());
        let total = chosen.len();
        let offset = search.offset.min(total);
        let rows = search.rows.max(1).min(total - offset);
        // From the nearer end: the last page costs no more than the first.
        let is_far = offset > total / 2;
        let descending = search.descending != is_far;
        let near = if is_far { total - offset - rows } else { offset };
        let mut found = match search.sort {
            TokenColumn::Description => self.by_description_page(&chosen, descending, near, rows),
            column => self.page(&chosen, column, now.micros(), descending, near, rows),
        };
        if is_far {
            found.reverse();
        }
        (found.iter().map(|row| self.ids[*row as usize]).collect(), total)
    }

    fn choose(&self, search: &TokenSearch, now: i64) -> Bits {
        let term = search.text.trim().to_lowercase();
        let mut chosen = match term.as_str() {
            "" => Bits::all(self.len()),
            term => self.texts.find(term, &self.pieces),
        };
        if !search.statuses.is_empty() {
            let [active, expired, revoked] =
                [TokenStatus::Active, TokenStatus::Expired, TokenStatus::Revoked]
                    .map(|s| search.statuses.contains(&s));
            chosen.retain(|row| [active, expired, revoked][self.status(row, now) as usize]);
        }
        if let Some(database) = &search.database {
            let opens = self.sets.opening(database);
            chosen.retain(|row| opens[self.databases[row as usize] as usize]);
        }
        if let Some(creator) = search.creator {
            let wanted = self.creator_numbers.get(&creator).copied();
            chosen.retain(|row| Some(self.creators[row as usize]) == wanted);
        }
        if let Some(since) = search.unused_since {
            chosen.retain(|row| self.last_used_at[row as usize] < since.micros());
        }
        if let Some(before) = search.created_before {
            chosen.retain(|row| self.created_at[row as usize] < before.micros());
        }
        chosen
    }

    fn page(
        &self,
        chosen: &Bits,
        column: TokenColumn,
        now: i64,
        descending: bool,
        offset: usize,
        rows: usize,
    ) -> Vec<u32> {
        let find = |key: &dyn Fn(u32) -> i64| {
            let candidates = chosen.iter().map(|row| {
                let [a, b, c, d, ..] = self.ids[row as usize];
                let id_start = u32::from_be_bytes([a, b, c, d]);
                let key = key(row);
                Candidate { key, id_start, row }
            });
            page(candidates, &self.ids, descending, offset, rows)
        };
        match column {
            TokenColumn::Status => find(&|row| self.status(row, now) as i64),
            TokenColumn::Id | TokenColumn::Description => find(&|_| 0),
            TokenColumn::Databases => find(&|row| self.sets.rank(self.databases[row as usize]).into()),
            TokenColumn::CreatedAt => find(&|row| self.created_at[row as usize]),
            TokenColumn::ExpiresAt => find(&|row| self.expires_at[row as usize]),
            TokenColumn::LastUsedAt => find(&|row| self.last_used_at[row as usize]),
        }
    }

    fn by_description_page(&self, chosen: &Bits, descending: bool, offset: usize, rows: usize) -> Vec<u32> {
        let chosen_only = |row: &&u32| chosen.contains(**row);
        let order = self.by_description.iter();
        match descending {
            false => order
                .filter(chosen_only)
                .skip(offset)
                .take(rows)
                .copied()
                .collect(),
            true => order
                .rev()
                .filter(chosen_only)
                .skip(offset)
                .take(rows)
                .copied()
                .collect(),
        }
    }

    /// As `TokenState::status` decides.
    fn status(&self, row: u32, now: i64) -> TokenStatus {
        let row = row as usize;
        if self.is_revoked[row] {
            TokenStatus::Revoked
        } else if self.expires_at[row] <= now {
            TokenStatus::Expired
        } else {
            TokenStatus::Active
        }
    }

    fn add(&mut self, id: Id) -> u32 {
        let row = self.ids.len() as u32;
        self.ids.push(id);
        self.created_at.push(0);
        self.expires_at.push(NO_EXPIRY);
        self.last_used_at.push(NEVER);
        self.is_revoked.push(false);
        self.creators.push(0);
        self.databases.push(0);
        self.pieces.push(0);
        let ids = &self.ids;
        self.by_id
            .insert_unique(spread(&id), row, |row| spread(&ids[*row as usize]));
        row
    }

    fn row_of(&self, id: Id) -> Option<u32> {
        self.by_id
            .find(spread(&id), |row| self.ids[*row as usize] == id)
            .copied()
    }

    fn description(&self, row: u32) -> &[u8] {
        self.texts.first(self.pieces[row as usize])
    }

    /// The start of the description, so far as it counts for the order.
    fn ordered(&self, row: u32) -> &[u8] {
        let description = self.description(row);
        if description.len() <= ORDERED {
            return description;
        }
        let is_start = |byte: &u8| *byte & 0xc0 != 0x80;
        let starts = description.iter().enumerate().filter(|(_, byte)| is_start(byte));
        let end = starts.map(|(at, _)| at).nth(ORDERED).unwrap_or(description.len());
        &description[..end]
    }

    fn description_start(&self, row: u32) -> u128 {
        let text = self.ordered(row);
        let mut bytes = [0; 16];
        let length = text.len().min(bytes.len());
        bytes[..length].copy_from_slice(&text[..length]);
        u128::from_be_bytes(bytes)
    }

    fn compare_descriptions(&self, a: u32, b: u32) -> Ordering {
        let by_text = self.ordered(a).cmp(self.ordered(b));
        by_text.then_with(|| self.ids[a as usize].cmp(&self.ids[b as usize]))
    }
}

/// Few rows are built anew in no time, but not for every change.
const SPARE_PIECES: usize = 1_000;

/// Ids are random (UUID version 4): the last eight bytes spread well.
fn spread(id: &Id) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = *id;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The whole characters within the first `bytes`.
fn start(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
