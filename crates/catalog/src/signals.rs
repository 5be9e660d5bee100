//! Signals: what happens in the catalog, told to whoever waits instead of being asked for. They may be lost; whoever
//! relies on one asks by itself now and then.

use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::PgListener;
use tokio::time::timeout;

use crate::connections::within;
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
pub struct Signals {
    url: String,
    /// `None` when the connection is lost.
    listener: Option<PgListener>,
    /// Whether what happened before it listened may not have been heard.
    is_deaf: bool,
}

pub(crate) const CHANGED: &str = "rescind_changed";
pub(crate) const APPLIED: &str = "rescind_applied";

/// After so long without a signal the connection is asked whether it is well: nothing else would tell.
const QUIET: Duration = Duration::from_secs(2);
/// How long it has for an answer, and a new connection to come about.
const PATIENCE: Duration = Duration::from_secs(3);

impl Catalog {
    /// Begins to listen. `None` where there is nobody else to hear from: on SQLite one process does everything.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn signals(&self) -> Result<Option<Signals>, Error> {
        let Some(url) = self.pools.shared_url.clone() else {
            return Ok(None);
        };
        let mut signals = Signals {
            url,
            listener: None,
            is_deaf: true,
        };
        signals.listen().await?;
        Ok(Some(signals))
    }
}

impl Signals {
    /// The next signal; the first is always [`Signal::Lost`], for what happened before. A lost connection is taken up
    /// again, be it that it only became silent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when that fails: try again later.
    pub async fn next(&mut self) -> Result<Signal, Error> {
        loop {
            let listener = match &mut self.listener {
                Some(listener) if !self.is_deaf => listener,
                Some(_) => {
                    self.is_deaf = false;
                    return Ok(Signal::Lost);
                }
                None => {
                    self.listen().await?;
                    continue;
                }
            };
            match timeout(QUIET, listener.try_recv()).await {
                Ok(Ok(Some(told))) if told.channel() == CHANGED => return Ok(Signal::Changed),
                Ok(Ok(Some(_))) => return Ok(Signal::Applied),
                Ok(Ok(None) | Err(_)) => self.hang_up(),
                Err(_) => {
                    let answered = within(PATIENCE, listener.execute("SELECT 1")).await;
                    if answered.is_err() {
                        self.hang_up();
                    }
                }
            }
        }
    }

    async fn listen(&mut self) -> Result<(), Error> {
        let listening = async {
            let mut listener = PgListener::connect(&self.url).await?;
            // A connection that was lost is replaced as a whole, within a bounded time.
            listener.eager_reconnect(false);
            listener.listen_all([CHANGED, APPLIED]).await?;
            Ok(listener)
        };
        self.listener = Some(within(PATIENCE, listening).await?);
        Ok(())
    }

    fn hang_up(&mut self) {
        self.listener = None;
        self.is_deaf = true;
    }
}
