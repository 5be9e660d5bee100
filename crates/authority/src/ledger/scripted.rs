//! A ledger for the tests of one node: it does as it is told, and notes what it was asked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use rescind_catalog::{
    Change, Directory, DirectoryEntry, Error, Feed, FeedPlace, LoadedGrant, NodeInfo, NodeLease,
};
use rescind_domain::{DatabaseId, NodeId, Revision, Timestamp};
use rescind_testkit::{FrozenClock, FrozenStopwatch};

use super::Ledger;
use crate::grants::TokenRef;
use crate::leases::{Leases, Shared};
use crate::node::Node;

/// What a statement does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Conduct {
    #[default]
    Answers,
    Fails,
    /// It is never answered.
    Hangs,
    /// It answers, once others had their turn.
    Tarries,
}

/// What the ledger holds and how it behaves.
#[derive(Default)]
pub(crate) struct Script {
    /// What was asked, in order.
    pub(crate) asked: Vec<String>,
    pub(crate) changes: Vec<Change>,
    pub(crate) nodes: Vec<NodeLease>,
    /// Whether the node's lease has lapsed.
    pub(crate) is_lapsed: bool,
    /// How long a renewal, a read of changes and a read of the leases take.
    pub(crate) takes: Duration,
    pub(crate) renewing: Conduct,
    pub(crate) reading: Conduct,
    pub(crate) looking: Conduct,
    pub(crate) acknowledging: Conduct,
    pub(crate) leaving: Conduct,
    /// How many looks at the leases fail first.
    pub(crate) failing_looks: u32,
}

/// The ledger and the stopwatch that its statements move.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) script: Mutex<Script>,
    pub(crate) stopwatch: Arc<FrozenStopwatch>,
}

/// The id of the node under test.
pub(crate) const OWN: NodeId = NodeId::from_bytes([1; 16]);

/// What a node says of itself.
pub(crate) fn info(id: NodeId, ttl: Duration) -> NodeInfo {
    NodeInfo {
        id,
        name: format!("node-{}", id.to_bytes()[0]),
        address: String::new(),
        version: String::new(),
        ttl,
    }
}

impl Scripted {
    /// A node over a ledger with this script.
    pub(crate) fn node(script: Script, ttl: Duration) -> (Arc<Self>, Node) {
        let ledger = Arc::new(Self {
            script: Mutex::new(script),
            stopwatch: Arc::default(),
        });
        let node = Node::new(
            info(OWN, ttl),
            Arc::clone(&ledger) as Arc<dyn Ledger>,
            Arc::new(FrozenClock::default()),
            Arc::clone(&ledger.stopwatch) as _,
            Leases::Shared(Box::new(Shared::new(true))),
        );
        (ledger, node)
    }

    /// How often something that begins so was asked.
    pub(crate) fn count(&self, what: &str) -> usize {
        let script = self.script.lock();
        script
            .asked
            .iter()
            .filter(|asked| asked.starts_with(what))
            .count()
    }

    async fn note(&self, what: String, conduct: impl Fn(&Script) -> Conduct) -> Result<(), Error> {
        let (conduct, takes) = {
            let mut script = self.script.lock();
            script.asked.push(what);
            (conduct(&script), script.takes)
        };
        self.stopwatch.advance(takes);
        match conduct {
            Conduct::Answers => Ok(()),
            Conduct::Fails => Err(Error::Unavailable("as told".into())),
            Conduct::Hangs => std::future::pending().await,
            Conduct::Tarries => {
                tokio::task::yield_now().await;
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Ledger for Scripted {
    async fn changes_after(&self, after: FeedPlace, _: u32) -> Result<Feed, Error> {
        let what = format!("changes after {}", after.revision);
        self.note(what, |script| script.reading).await?;
        let script = self.script.lock();
        let changes = script
            .changes
            .iter()
            .filter(|change| change.revision > after.revision);
        let changes: Vec<Change> = changes.copied().collect();
        let through = changes.last().map_or(after.revision, |change| change.revision);
        Ok(Feed::Changes {
            changes,
            through: through.into(),
            more: false,
        })
    }

    async fn grants(&self, _: &[TokenRef]) -> Result<Vec<LoadedGrant>, Error> {
        Ok(Vec::new())
    }

    async fn load_grants(
        &self,
        _: FeedPlace,
        _: &mut (dyn FnMut(LoadedGrant) + Send),
    ) -> Result<FeedPlace, Error> {
        Ok(Revision::new(0).into())
    }

    async fn load_directory(&self) -> Result<Directory, Error> {
        Ok(Directory {
            revision: Revision::new(0),
            entries: Vec::new(),
        })
    }

    async fn directory_entry(&self, _: DatabaseId) -> Result<Option<DirectoryEntry>, Error> {
        Ok(None)
    }

    async fn join(&self, _: &NodeInfo, _: i64, applied: FeedPlace, _: Timestamp) -> Result<(), Error> {
        self.note(format!("join at {}", applied.revision), |_| Conduct::Answers)
            .await?;
        self.script.lock().is_lapsed = false;
        Ok(())
    }

    async fn renew(&self, _: NodeId, applied: FeedPlace, _: Timestamp) -> Result<bool, Error> {
        let what = format!("renew at {}", applied.revision);
        self.note(what, |script| script.renewing).await?;
        Ok(!self.script.lock().is_lapsed)
    }

    async fn acknowledge(&self, _: NodeId, applied: Revision, askers: &[NodeId]) -> Result<(), Error> {
        let askers: Vec<u8> = askers.iter().map(|asker| asker.to_bytes()[0]).collect();
        let what = format!("acknowledge {applied} to {askers:?}");
        self.note(what, |script| script.acknowledging).await
    }

    async fn nodes(&self) -> Result<Vec<NodeLease>, Error> {
        self.note("look".to_owned(), |script| script.looking).await?;
        let mut script = self.script.lock();
        if let Some(left) = script.failing_looks.checked_sub(1) {
            script.failing_looks = left;
            return Err(Error::Unavailable("as told".into()));
        }
        Ok(script.nodes.clone())
    }

    async fn mark_lapsed(&self, _: NodeId, lease: i64) -> Result<bool, Error> {
        self.note(format!("mark {lease}"), |_| Conduct::Answers).await?;
        Ok(true)
    }

    async fn leave(&self, _: NodeId) -> Result<(), Error> {
        self.note("leave".to_owned(), |script| script.leaving).await
    }
}
