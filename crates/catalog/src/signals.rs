//! Signals: what happens in the catalog, told to whoever waits instead of being asked for. They may be lost; whoever
//! relies on one asks by itself now and then.
//!
//! A change is told to everybody, by the commit that made it, and names the node that waits. What a node acknowledges is
//! told to those who wait for it and to nobody else: among many nodes, each hearing of each would be most of the work.

use std::time::Duration;

use rescind_domain::{NodeId, Revision};
use sqlx::Executor as _;
use sqlx::postgres::PgListener;
use tokio::time::timeout;

use crate::connections::within;
use crate::{Catalog, Error};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A change was committed.
    Changed {
        /// Who waits until it is acknowledged.
        asker: Option<NodeId>,
    },
    /// A node acts by changes. Its row may say so later.
    Applied {
        /// Which node.
        node: NodeId,
        /// By every one up to here.
        through: Revision,
    },
    /// Signals may have been lost: look at everything.
    Lost,
}

/// Waits for signals.
pub struct Signals {
    url: String,
    /// Where this node is answered.
    answers: String,
    /// `None` when the connection is lost.
    listener: Option<PgListener>,
    /// Whether what happened before it listened may not have been heard.
    is_deaf: bool,
}

/// The channel of changes; the payload is the id of the node that waits.
const CHANGED: &str = "rescind_changed";
/// How the name of the channel begins on which a node hears that others act by changes; its id follows. The payload is the
/// id of the node that does, and the revision.
const ANSWERS: &str = "rescind_applied_";

/// After so long without a signal the connection is asked whether it is well: nothing else would tell.
const QUIET: Duration = Duration::from_secs(2);
/// How long it has for an answer, and a new connection to come about.
const PATIENCE: Duration = Duration::from_secs(3);

impl Catalog {
    /// Begins to listen as this node. `None` where there is nobody else to hear from: on SQLite one process does
    /// everything.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn signals(&self, node: NodeId) -> Result<Option<Signals>, Error> {
        let Some(url) = self.pools.shared_url.clone() else {
            return Ok(None);
        };
        let mut signals = Signals {
            url,
            answers: format!("{ANSWERS}{node}"),
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
                Ok(Ok(Some(told))) => {
                    if let Some(signal) = read(told.channel(), told.payload()) {
                        return Ok(signal);
                    }
                }
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
            listener.listen_all([CHANGED, &self.answers]).await?;
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

/// What a notification says; `None` for an answer that is none of ours.
fn read(channel: &str, payload: &str) -> Option<Signal> {
    if channel == CHANGED {
        let asker = payload.parse().ok();
        return Some(Signal::Changed { asker });
    }
    let (node, through) = payload.split_once(' ')?;
    Some(Signal::Applied {
        node: node.parse().ok()?,
        through: Revision::new(through.parse().ok()?),
    })
}
