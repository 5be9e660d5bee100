//! Orders over many rows: kept sorted, or searched for the few of a page.

use std::cmp::Ordering;

/// `sorted` and `new`, each in order, as one.
pub(super) fn merge(
    sorted: Vec<u32>,
    new: &[u32],
    mut compare: impl FnMut(&u32, &u32) -> Ordering,
) -> Vec<u32> {
    let mut merged = Vec::with_capacity(sorted.len() + new.len());
    let mut rest = sorted.as_slice();
    for row in new {
        let before = rest.partition_point(|known| compare(known, row).is_lt());
        merged.extend_from_slice(&rest[..before]);
        merged.push(*row);
        rest = &rest[before..];
    }
    merged.extend_from_slice(rest);
    merged
}

/// A row and what it is ordered by: its key, then its id, of which the start is at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) key: i64,
    pub(super) id_start: u32,
    pub(super) row: u32,
}

impl Candidate {
    fn cmp(&self, other: &Self, ids: &[[u8; 16]]) -> Ordering {
        (self.key, self.id_start)
            .cmp(&(other.key, other.id_start))
            .then_with(|| ids[self.row as usize].cmp(&ids[other.row as usize]))
    }
}

/// Candidates are thinned out when there are so many, or twice as many as are wanted.
const ROOM: usize = 4_096;

/// The rows from the place `offset` on, `rows` at most, in order.
pub(super) fn page(
    candidates: impl Iterator<Item = Candidate>,
    ids: &[[u8; 16]],
    descending: bool,
    offset: usize,
    rows: usize,
) -> Vec<u32> {
    let compare = |a: &Candidate, b: &Candidate| match descending {
        false => a.cmp(b, ids),
        true => b.cmp(a, ids),
    };
    let wanted = offset.saturating_add(rows).max(1);
    let room = ROOM.max(wanted.saturating_mul(2));
    let mut best: Vec<Candidate> = Vec::new();
    let mut last: Option<Candidate> = None;
    for candidate in candidates {
        if last.is_some_and(|last| compare(&candidate, &last).is_gt()) {
            continue;
        }
        best.push(candidate);
        if best.len() == room {
            last = Some(*best.select_nth_unstable_by(wanted - 1, compare).1);
            best.truncate(wanted);
        }
    }
    if offset >= best.len() {
        return Vec::new();
    }
    best.select_nth_unstable_by(offset, compare);
    let mut page = best.split_off(offset);
    if rows < page.len() {
        page.select_nth_unstable_by(rows, compare);
        page.truncate(rows);
    }
    page.sort_unstable_by(compare);
    page.iter().map(|candidate| candidate.row).collect()
}
