//! Signals: what happens in the catalog, told to whoever waits instead of being asked for. They may be lost; whoever
//! relies on one asks by itself now and then.

use sqlx::postgres::PgListener;

use crate::{Catalog, Error};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A change was committed.
    Changed,
    /// A node acknowledged changes.
    Applied,
    /// Signals may have been lost: look at everything.
    Lost,
}

/// Waits for signals.
pub struct Signals(PgListener);

pub(crate) const CHANGED: &str = "rescind_changed";
pub(crate) const APPLIED: &str = "rescind_applied";

impl Catalog {
    /// Begins to listen. `None` where there is nobody else to hear from: on SQLite one process does everything.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn signals(&self) -> Result<Option<Signals>, Error> {
        let Some(url) = &self.pools.shared_url else {
            return Ok(None);
        };
        let mut listener = PgListener::connect(url).await?;
        listener.listen_all([CHANGED, APPLIED]).await?;
        Ok(Some(Signals(listener)))
    }
}

impl Signals {
    /// The next signal. A lost connection is taken up again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when that fails: try again later.
    pub async fn next(&mut self) -> Result<Signal, Error> {
        Ok(match self.0.try_recv().await? {
            Some(told) if told.channel() == CHANGED => Signal::Changed,
            Some(_) => Signal::Applied,
            None => Signal::Lost,
        })
    }
}
