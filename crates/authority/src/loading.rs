//! Loading: everything at once, at the start and when the changes since were forgotten; and what keeps a node from
//! following the feed at all.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rescind_catalog::Error as CatalogError;

use crate::Error;
use crate::closures::Closure;
use crate::leases::Leases;
use crate::node::Node;
use crate::timers::sleep;

/// What keeps a node from following the feed.
#[derive(Debug, Default)]
pub(crate) struct Obstacle {
    /// Changes that it had not seen were forgotten: it must load everything anew.
    is_behind: AtomicBool,
    /// The catalog went back, or a newer release changed its schema. It may soon be where it was, by other acts: only a new
    /// start helps.
    is_final: AtomicBool,
    /// The database had no connection left when it was asked last.
    is_full: AtomicBool,
}

impl Obstacle {
    /// Notes what came of the last renewal.
    pub(crate) fn note(&self, renewed: Result<(), Closure>) {
        self.is_full
            .store(renewed == Err(Closure::Full), Ordering::Release);
    }

    /// Why the node admits nothing, if that is so.
    pub(crate) fn closure(&self) -> Closure {
        let is = |obstacle: &AtomicBool| obstacle.load(Ordering::Acquire);
        match (is(&self.is_final), is(&self.is_full), is(&self.is_behind)) {
            (true, _, _) => Closure::Final,
            (_, true, _) => Closure::Full,
            (_, _, true) => Closure::Behind,
            _ => Closure::Away,
        }
    }
}

/// How often a start begins again because the changes since it began were forgotten meanwhile.
const STARTS: u32 = 3;

/// A load of which nothing was heard for so long is given up: its connection is dead. The whole may take minutes.
const SILENCE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
enum Cannot {
    #[error("the catalog fell silent while everything was loaded")]
    Hear,
    #[error("the changes since this node was cut off were forgotten: it loads everything anew")]
    Follow,
    #[error("the catalog went back, or was upgraded by a newer release: start this node anew")]
    Trust,
}

/// What comes of `work`, unless nothing was `heard` of it for too long.
async fn unless_silent<T>(heard: &AtomicU64, work: impl Future<Output = T>) -> Result<T, Error> {
    let silence = async {
        let mut before = None;
        loop {
            let now = Some(heard.load(Ordering::Relaxed));
            if now == before {
                return;
            }
            before = now;
            sleep(SILENCE).await;
        }
    };
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = silence => Err(Error::Unavailable(Box::new(Cannot::Hear))),
    }
}

impl Node {
    /// Loads everything and what was committed since. Nothing is admitted before.
    ///
    /// # Errors
    /// The catalog cannot be read, or holds what cannot be.
    pub(crate) async fn start(&self) -> Result<(), Error> {
        for _ in 1..STARTS {
            self.load().await?;
            match self.follow().await {
                Err(_) if self.is_behind() => {}
                other => return other,
            }
        }
        self.load().await?;
        self.follow().await
    }

    /// Loads everything: puts what is there, then cuts what is not there any more. What is put takes the place of what it
    /// is about, so that no second table is needed. However often it is interrupted, nothing is admitted before it is done.
    ///
    /// # Errors
    /// The catalog cannot be read, or holds what cannot be: load again.
    pub(crate) async fn load(&self) -> Result<(), Error> {
        let mut turn = self.applying.lock().await;
        self.obstacle.is_behind.store(true, Ordering::Release);
        self.close();
        self.grants.doubt_all();
        let heard = AtomicU64::new(0);
        let mut take = |loaded| {
            self.put_grant(loaded);
            heard.fetch_add(1, Ordering::Relaxed);
        };
        let loaded = unless_silent(&heard, self.ledger.load_grants(self.seen(), &mut take));
        let place = loaded.await?.map_err(|error| self.heed(error))?;
        self.note_seen(place);
        self.grants.cut_doubted();
        // As of the same revision or of a later one: the feed tells of the rest.
        let entries = unless_silent(&heard, self.ledger.load_directory())
            .await??
            .entries;
        self.directory
            .replace(entries.into_iter().map(|entry| (entry.cluster, entry.view)));
        self.token_index.note_everything();
        turn.within = None;
        self.set_applied(place.revision);
        self.obstacle.is_behind.store(false, Ordering::Release);
        Ok(())
    }

    /// Loads everything if the feed is of no use any more.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(crate) async fn load_if_behind(&self) -> Result<(), Error> {
        if !self.is_behind() {
            return Ok(());
        }
        self.load().await?;
        tracing::info!(revision = %self.revision(), "everything was loaded anew");
        Ok(())
    }

    /// Whether changes were forgotten that this node has not seen.
    pub(crate) fn is_behind(&self) -> bool {
        self.obstacle.is_behind.load(Ordering::Acquire)
    }

    pub(crate) fn note_behind(&self) -> Error {
        tracing::warn!(revision = %self.revision(), "the changes since were forgotten: loading everything anew");
        self.obstacle.is_behind.store(true, Ordering::Release);
        self.close();
        Error::Unavailable(Box::new(Cannot::Follow))
    }

    /// Whether following the feed leads to what the catalog holds.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn ensure_followable(&self) -> Result<(), Error> {
        if self.obstacle.is_final.load(Ordering::Acquire) {
            return Err(Error::Unavailable(Box::new(Cannot::Trust)));
        }
        match self.is_behind() {
            true => Err(Error::Unavailable(Box::new(Cannot::Follow))),
            false => Ok(()),
        }
    }

    /// Passes an error of the catalog on. If the catalog went back, or is a newer release's by now, this node admits nothing
    /// any more.
    pub(crate) fn heed(&self, error: CatalogError) -> Error {
        let is_final = matches!(
            error,
            CatalogError::Rewound { .. } | CatalogError::NewerSchema { .. }
        );
        if is_final && !self.obstacle.is_final.swap(true, Ordering::AcqRel) {
            tracing::error!(%error, "this node admits nothing any more");
            self.close();
            // A renewal that read the feed just before comes too late.
            self.term.end_for_good();
        }
        error.into()
    }

    fn close(&self) {
        match self.leases {
            // Its term has no end.
            Leases::Sole => self.note_certainty(false),
            Leases::Shared(_) => self.term.end(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rescind_domain::Revision;

    use super::*;
    use crate::ledger::scripted::{Conduct, Script, Scripted};

    /// An act finds out that the catalog went back while a renewal, which did not, waits for the rest of the feed.
    #[tokio::test]
    async fn a_renewal_under_way_opens_no_node_that_was_closed_for_good() {
        let script = Script {
            reading: Conduct::Tarries,
            ..Script::default()
        };
        let (ledger, node) = Scripted::node(script, Duration::from_secs(5));
        let finding_out = async {
            assert_eq!(ledger.count("changes after"), 1, "it is being read");
            node.heed(CatalogError::Rewound {
                seen: Revision::new(2),
                found: Revision::new(1),
            });
        };
        let (renewed, ()) = tokio::join!(node.renew(), finding_out);
        renewed.expect("what it read was as it should be");
        assert!(!node.term.holds());
        node.renew().await.expect_err("it does not even try");
    }
}
