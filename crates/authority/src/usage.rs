//! Usage: what tokens are used for and by whom. Counted in memory, written in batches off the hot path; a help for
//! people, not a promise.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hashbrown::{Equivalent, HashMap};
use parking_lot::Mutex;
use rescind_catalog::{AuditVerdict, Use};
use rescind_domain::{
    AccountId, Action, Agent, Client, DatabaseName, DatabaseTokenId, Hour, LastClient, ManagementTokenId,
    Permit, Subject, Timestamp, Usage, Verb,
};

use crate::grants::TokenRef;
use crate::{Authority, Caller, Error, Place};

/// Uses since the last flush.
pub(crate) struct UsageTable {
    shards: Box<[Mutex<Shard>]>,
    /// When it was last learnt what other nodes had written down.
    learnt: AtomicI64,
}

#[derive(Default)]
struct Shard {
    counts: HashMap<Counted, u64>,
    /// Who used a token last, with a time of its own: the use may have been noted and written down before.
    clients: HashMap<TokenRef, LastClient>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Counted {
    token: DatabaseTokenId,
    hour: Hour,
    action: Action,
    database: DatabaseName,
}

/// As [`Counted`], borrowed: what is counted already is found without an allocation.
#[derive(Hash)]
struct Asked<'a> {
    token: DatabaseTokenId,
    hour: Hour,
    action: Action,
    database: &'a DatabaseName,
}

impl Equivalent<Counted> for Asked<'_> {
    fn equivalent(&self, counted: &Counted) -> bool {
        (self.token, self.hour, self.action, self.database)
            == (counted.token, counted.hour, counted.action, &counted.database)
    }
}

const SHARDS: usize = 64;

/// Between two flushes a shard counts so many different things at most; what comes beyond is not counted.
const MOST_PER_SHARD: usize = 20_000;

/// A use may be written down so much later than it was, by a clock that is off by a little: a minute.
const LATE: i64 = 60 * 1_000_000;

/// How long usage is kept: a week, and the hour that has begun.
const KEPT_HOURS: i64 = 7 * 24;

impl UsageTable {
    /// Whoever loads all grants at `now` learns of the uses until then.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            learnt: AtomicI64::new(now.micros()),
        }
    }

    fn shard(&self, id: [u8; 16]) -> &Mutex<Shard> {
        // Ids are random: any byte spreads them.
        &self.shards[usize::from(id[15]) % SHARDS]
    }

    fn count(&self, permit: &Permit, at: Timestamp, address: IpAddr, agent: &str) {
        let mut shard = self.shard(permit.token().to_bytes()).lock();
        let asked = Asked {
            token: permit.token(),
            hour: Hour::of(at),
            action: permit.action(),
            database: permit.database(),
        };
        if let Some(count) = shard.counts.get_mut(&asked) {
            *count += 1;
        } else if shard.counts.len() < MOST_PER_SHARD {
            let counted = Counted {
                token: asked.token,
                hour: asked.hour,
                action: asked.action,
                database: asked.database.clone(),
            };
            shard.counts.insert(counted, 1);
        }
        shard.see(TokenRef::Database(permit.token()), at, address, agent);
    }
}

impl Shard {
    fn see(&mut self, token: TokenRef, at: Timestamp, address: IpAddr, agent: &str) {
        let is_full = self.clients.len() >= MOST_PER_SHARD;
        match self.clients.get_mut(&token) {
            Some(known) if known.client.address == address && known.client.agent.as_str() == agent => {
                known.at = at;
            }
            None if is_full => {}
            _ => {
                let agent = Agent::new(agent);
                let client = Client { address, agent };
                self.clients.insert(token, LastClient { at, client });
            }
        }
    }
}

impl Authority {
    /// Counts an admitted request of the data plane, and remembers who made it.
    pub fn note_use(&self, permit: &Permit, address: IpAddr, agent: &str) {
        self.usage.count(permit, self.recently(), address, agent);
    }

    /// Remembers who made an administrative request.
    pub fn note_caller(&self, caller: &Caller, address: IpAddr, agent: &str) {
        if let Some(token @ TokenRef::Management(id)) = caller.token() {
            let mut shard = self.usage.shard(id.to_bytes()).lock();
            shard.see(token, self.recently(), address, agent);
        }
    }

    /// What a database token was used for, hour by hour since `since`, the oldest first. The last seconds may be missing.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every read may return.
    pub async fn token_usage(
        &self,
        caller: &Caller,
        place: Place,
        id: DatabaseTokenId,
        since: Hour,
    ) -> Result<Vec<Usage>, Error> {
        self.database_token(caller, place, id).await?;
        Ok(self.catalog.token_usage(id, since).await?)
    }

    /// Who used a database token last.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every read may return.
    pub async fn last_client(
        &self,
        caller: &Caller,
        place: Place,
        id: DatabaseTokenId,
    ) -> Result<Option<LastClient>, Error> {
        self.database_token(caller, place, id).await?;
        Ok(self.catalog.last_client(id).await?)
    }

    /// Who used a management token last.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every read may return.
    pub async fn management_token_last_client(
        &self,
        caller: &Caller,
        account: AccountId,
        id: ManagementTokenId,
    ) -> Result<Option<LastClient>, Error> {
        caller.check(account, Verb::Read, Subject::ManagementToken)?;
        self.management_token(caller, account, id).await?;
        Ok(self.catalog.management_token_last_client(id).await?)
    }

    /// Writes what was counted since the last call to the catalog. What cannot be written is lost.
    ///
    /// # Errors
    /// The catalog is away.
    pub async fn record_uses(&self) -> Result<(), Error> {
        let (mut counts, mut clients) = (Vec::new(), HashMap::new());
        for shard in &self.usage.shards {
            let shard = std::mem::take(&mut *shard.lock());
            counts.extend(shard.counts.into_iter().map(as_usage));
            clients.extend(shard.clients);
        }
        let used = self.grants().take_used().into_iter().map(|(token, at)| {
            let seen: Option<LastClient> = clients.remove(&token);
            let at = seen.as_ref().map_or(at, |seen| seen.at.max(at));
            (token, at, seen.map(|seen| seen.client))
        });
        let mut used: Vec<_> = used.collect();
        // Uses within a second of one that was noted before are not noted again; who made them is.
        used.extend(
            clients
                .into_iter()
                .map(|(token, seen)| (token, seen.at, Some(seen.client))),
        );
        let (mut database, mut management, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
        for (token, at, client) in used {
            match token {
                TokenRef::Database(id) => database.push(Use { id, at, client }),
                TokenRef::Management(id) => management.push(Use { id, at, client }),
                TokenRef::Session(id) => sessions.push((id, at)),
            }
        }
        if !(database.is_empty() && management.is_empty() && sessions.is_empty()) {
            self.catalog
                .record_last_used(&database, &management, &sessions)
                .await?;
            for used in &database {
                self.node
                    .token_index
                    .note_use(TokenRef::Database(used.id), used.at);
            }
            for used in &management {
                self.node
                    .token_index
                    .note_use(TokenRef::Management(used.id), used.at);
            }
        }
        if !counts.is_empty() {
            self.catalog.record_usage(&counts).await?;
        }
        Ok(())
    }

    /// Learns when sessions were last used on other nodes: one that is busy there does not lie idle here.
    ///
    /// # Errors
    /// The catalog is away. The next call learns the same.
    pub(crate) async fn learn_uses(&self) -> Result<(), Error> {
        let now = self.clock().now();
        let since = Timestamp::from_micros(self.usage.learnt.load(Ordering::Relaxed)).plus_micros(-LATE);
        for (session, at) in self.catalog.sessions_used_since(since).await? {
            self.grants().learn_use(TokenRef::Session(session), at);
        }
        self.usage.learnt.store(now.micros(), Ordering::Relaxed);
        Ok(())
    }

    /// Forgets usage, sessions, device requests and lapsed nodes that are of no use to anybody any more.
    ///
    /// # Errors
    /// The catalog is away.
    pub async fn forget_the_past(self: &Arc<Self>) -> Result<(), Error> {
        self.node.token_index.forget_unused(self.clock().now());
        let now = self.earliest_now().await?;
        let past = now.plus_micros(-PAST_SESSIONS);
        // Each on its own: what cannot be forgotten today keeps nothing else.
        let usage = self.catalog.purge_usage(Hour::of(now).before(KEPT_HOURS)).await;
        let ended = self.end_expired_sessions(past).await;
        let sessions = self.catalog.purge_sessions(past).await;
        let devices = self.catalog.purge_device_requests(past).await;
        let nodes = self.catalog.forget_nodes(past).await;
        usage.and(sessions).and(devices).and(nodes)?;
        ended
    }

    /// Recomputes the audit chain from its first event.
    ///
    /// # Errors
    /// What every read may return; a broken chain is a verdict, not an error.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, Error> {
        Ok(self.catalog.verify_audit().await?)
    }
}

/// Sessions stay on record for a day after they expired; the audit log keeps them for good.
const PAST_SESSIONS: i64 = 24 * 60 * 60 * 1_000_000;

fn as_usage((counted, requests): (Counted, u64)) -> (DatabaseTokenId, Usage) {
    let usage = Usage {
        hour: counted.hour,
        database: counted.database,
        action: counted.action,
        requests,
    };
    (counted.token, usage)
}
