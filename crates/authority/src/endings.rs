//! Endings: work that was cut and is still winding up.
//!
//! A permit holds on to the entry that admitted it, so that work has ended when nothing but the tables holds the entry.
//! An act returns only then (promise G2): a write that had passed its last check when the token was cut has either
//! become durable or not, but is not still to come.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rescind_domain::Revision;

use crate::grants::{Entry, TokenRef};
use crate::timers::{Instant, sleep};

/// Entries whose work was cut, until it has ended.
#[derive(Default)]
pub(crate) struct Endings(Mutex<Vec<Ending>>);

struct Ending {
    entry: Arc<Entry>,
    /// References of the tables, which are no work.
    kept: usize,
    since: Instant,
    /// What the node acted by when it was cut: the cut belongs to a later revision.
    before: Revision,
}

const FIRST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

impl Ending {
    fn is_over(&self) -> bool {
        Arc::strong_count(&self.entry) <= 1 + self.kept + usize::from(self.entry.is_use_noted())
    }
}

impl Endings {
    /// Work asks for its tether every few milliseconds. What has not ended by then hangs, and nobody is made to wait for it
    /// any longer: it is refused at its next check, if it has one left. A write in a stalled sync of the disk has none.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

    /// Notes that the entry's work was cut by a revision after `before`; `kept` references to it are the tables' own.
    pub(crate) fn add(&self, entry: Arc<Entry>, kept: usize, before: Revision) {
        let ending = Ending {
            entry,
            kept,
            since: Instant::now(),
            before,
        };
        if !ending.is_over() {
            self.0.lock().push(ending);
        }
    }

    /// Waits until all work of a token that was cut so far has ended, or its time is up.
    pub(crate) async fn wait(&self, token: TokenRef) {
        self.wait_for(|cut| cut == token).await;
    }

    /// As [`Self::wait`], for all tokens that `is_awaited` holds for.
    pub(crate) async fn wait_for(&self, is_awaited: impl Fn(TokenRef) -> bool) {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        while !self.are_over(&is_awaited, began) {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The revision before the first one whose cut work has not ended; `None` if all has.
    pub(crate) fn oldest(&self) -> Option<Revision> {
        let mut endings = self.0.lock();
        forget_ended(&mut endings);
        endings.iter().map(|ending| ending.before).min()
    }

    /// Whether nothing awaited runs any more that was cut before `began`.
    fn are_over(&self, is_awaited: impl Fn(TokenRef) -> bool, began: Instant) -> bool {
        let mut endings = self.0.lock();
        forget_ended(&mut endings);
        endings
            .iter()
            .all(|ending| ending.since > began || !is_awaited(ending.entry.grant.token()))
    }
}

fn forget_ended(endings: &mut Vec<Ending>) {
    endings.retain(|ending| {
        let is_late = ending.since.elapsed() > Endings::PATIENCE;
        if is_late && !ending.is_over() {
            tracing::warn!(token = %ending.entry.grant.token(), "work that was cut has not ended in time");
        }
        !is_late && !ending.is_over()
    });
}
