//! How much unsaved data the engine takes in: the bound that turns a flood into refusals instead of an
//! exhausted machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::tables::Tables;

/// Bytes of writes under way and of points that are not in files yet.
#[derive(Debug)]
pub(crate) struct Budget {
    tables: Arc<Tables>,
    under_way: AtomicUsize,
    limit: usize,
}

/// A part of the budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(tables: Arc<Tables>, limit: usize) -> Self {
        Self {
            tables,
            under_way: AtomicUsize::new(0),
            limit,
        }
    }

    /// Takes a share for a write of `bytes`; `None` when that would exceed the limit.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Option<Share> {
        let under_way = self.under_way.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let share = Share {
            budget: Arc::clone(self),
            bytes,
        };
        (under_way + self.tables.buffered.load(Ordering::Relaxed) <= self.limit).then_some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.under_way.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
