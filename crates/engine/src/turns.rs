//! Who may run a query now: so many at a time, and not all of them for one database.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rescind_domain::DatabaseId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Of so many turns, one is kept for other databases.
const KEPT: usize = 4;

/// The turns of all queries.
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    each: usize,
    databases: Mutex<HashMap<DatabaseId, Weak<Semaphore>>>,
}

/// Given back when dropped.
pub(crate) struct Turn {
    _of_all: OwnedSemaphorePermit,
    _of_database: OwnedSemaphorePermit,
}

impl Turns {
    pub(crate) fn new(max: usize) -> Self {
        let max = max.max(1);
        Self {
            all: Arc::new(Semaphore::new(max)),
            each: max - max / KEPT,
            databases: Mutex::default(),
        }
    }

    /// Waits for a turn. Those who wait for their own database take none from others.
    pub(crate) async fn take(&self, database: DatabaseId) -> Option<Turn> {
        let own = self.of(database);
        let of_database = own.acquire_owned().await.ok()?;
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Turn {
            _of_all: of_all,
            _of_database: of_database,
        })
    }

    fn of(&self, database: DatabaseId) -> Arc<Semaphore> {
        let mut databases = self.databases.lock();
        if let Some(own) = databases.get(&database).and_then(Weak::upgrade) {
            return own;
        }
        // A turn keeps the semaphore of its database.
        databases.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(self.each));
        databases.insert(database, Arc::downgrade(&own));
        own
    }
}
