//! Which forms were sent already: a second submit of the same form is told what the first one made.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

/// What came of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// The page that shows it.
    pub(crate) location: String,
    /// What was done, as a sentence.
    pub(crate) words: String,
}

type Slot = Arc<tokio::sync::Mutex<Option<Made>>>;

/// How many forms are remembered. The oldest is forgotten first.
const REMEMBERED: usize = 4_096;

/// Forms by their one-time number.
#[derive(Default)]
pub(crate) struct OnceTable(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    by_key: HashMap<String, Slot>,
    order: VecDeque<String>,
}

/// Whether it is the first time.
pub(crate) enum Turn {
    /// It is: nobody else acts on this form until this is dropped.
    First(OwnedMutexGuard<Option<Made>>),
    /// It is not.
    Again(Made),
}

impl OnceTable {
    /// Takes the turn of this form. Waits while the same form is being acted upon: two clicks on one button come in at
    /// the same time.
    pub(crate) async fn take(&self, key: String) -> Turn {
        let turn = self.slot(key).lock_owned().await;
        match &*turn {
            Some(made) => Turn::Again(made.clone()),
            None => Turn::First(turn),
        }
    }

    fn slot(&self, key: String) -> Slot {
        let mut slots = self.0.lock();
        if let Some(slot) = slots.by_key.get(&key) {
            return Arc::clone(slot);
        }
        if slots.order.len() >= REMEMBERED
            && let Some(oldest) = slots.order.pop_front()
        {
            slots.by_key.remove(&oldest);
        }
        let slot = Slot::default();
        slots.by_key.insert(key.clone(), Arc::clone(&slot));
        slots.order.push_back(key);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_submit_is_told_what_the_first_one_made() {
        let table = OnceTable::default();
        let made = Made {
            location: "/x".to_owned(),
            words: "Created.".to_owned(),
        };
        let Turn::First(mut turn) = table.take("a".to_owned()).await else {
            panic!("nobody came before")
        };
        *turn = Some(made.clone());
        drop(turn);
        assert!(matches!(table.take("a".to_owned()).await, Turn::Again(told) if told == made));
        assert!(matches!(table.take("b".to_owned()).await, Turn::First(_)));
    }

    #[tokio::test]
    async fn what_failed_may_be_tried_again() {
        let table = OnceTable::default();
        drop(table.take("a".to_owned()).await);
        assert!(matches!(table.take("a".to_owned()).await, Turn::First(_)));
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let table = OnceTable::default();
        for number in 0..REMEMBERED + 10 {
            drop(table.take(number.to_string()).await);
        }
        let slots = table.0.lock();
        assert_eq!((slots.by_key.len(), slots.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!slots.by_key.contains_key("0"));
    }
}
