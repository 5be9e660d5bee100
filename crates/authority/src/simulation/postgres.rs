//! PostgreSQL, as far as the protocol can tell: what is committed, what of it a crash forgets, and the statements that reach
//! it or do not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use rescind_catalog::{
    AuditPlace, Change, ChangeKind, Directory, DirectoryEntry, Error, Feed, FeedPlace, Grant, LoadedGrant,
    NodeInfo, NodeLease, Signal,
};
use rescind_domain::{
    ClusterId, DatabaseGrant, DatabaseId, DatabaseTokenId, NodeId, Permission, Permissions, Revision,
    SecretHash, Timestamp,
};

use super::statements::{Manner, statement};
use super::timers::timeout;
use super::weather::Lie;
use super::world::{Moment, World, with};
use crate::grants::TokenRef;
use crate::leases::Leases;
use crate::ledger::Ledger;

/// What a token may do: a bit for each action. 0 is a token that was revoked.
pub(super) type Rights = u8;

/// The catalog's state.
#[derive(Default, Clone)]
pub(super) struct Postgres {
    pub(super) is_up: bool,
    /// How often it was started: connections do not outlive it.
    pub(super) starts: u32,
    revision: i64,
    /// Revisions given out, of which some may not be visible yet.
    sequence: i64,
    tokens: BTreeMap<usize, Deed>,
    changes: BTreeSet<(i64, usize)>,
    /// Up to here changes are forgotten.
    floor: i64,
    nodes: Rows,
    /// The rows as they are on the disk, and after each commit since that did not wait for it.
    flushed: Rows,
    unflushed: Vec<Rows>,
    /// What a standby holds that is some time behind.
    standby: Option<Box<Postgres>>,
}

type Rows = BTreeMap<NodeId, Row>;

#[derive(Clone)]
struct Row {
    info: Arc<NodeInfo>,
    applied: i64,
    lease: i64,
    is_lapsed: bool,
    renewed: Moment,
}

impl Postgres {
    pub(super) fn keep(&mut self, manner: Manner) {
        match manner {
            Manner::Reads => {}
            Manner::CommitsAtOnce => self.unflushed.push(self.nodes.clone()),
            Manner::CommitsDurably => {
                self.flushed = self.nodes.clone();
                self.unflushed.clear();
            }
        }
    }

    /// The log is written once in a while.
    pub(super) fn flush(&mut self, start: u32) {
        if self.is_up && self.starts == start {
            self.keep(Manner::CommitsDurably);
        }
    }

    /// Forgets nodes that have lapsed: wall clocks decide when, so at any time.
    pub(super) fn forget_nodes(&mut self) {
        self.nodes.retain(|_, row| !row.is_lapsed);
        self.keep(Manner::CommitsAtOnce);
    }

    /// What somebody sees who asks a standby, if the lie is that this is done.
    fn seen_by_standby(&self, lie: Option<Lie>, whose: Lie) -> &Self {
        let standby = self.standby.as_deref().filter(|_| lie == Some(whose));
        standby.unwrap_or(self)
    }

    fn feed(&self, after: FeedPlace, limit: usize) -> Feed {
        let revision = after.revision.get();
        if revision < self.floor {
            return Feed::Pruned;
        }
        let within = after.within.map_or(0, |what| kind_number(what) + 1);
        let changes = self.changes.range((revision + 1, within)..).take(limit);
        let changes: Vec<Change> = changes
            .map(|(revision, token)| Change {
                revision: Revision::new(*revision),
                what: ChangeKind::DatabaseToken(token_id(*token)),
                is_gone: self.tokens.get(token).is_none_or(|row| row.rights == 0),
            })
            .collect();
        let cut_off = changes.last().filter(|_| changes.len() >= limit);
        let through = cut_off.map_or(FeedPlace::from(Revision::new(self.revision)), |last| FeedPlace {
            revision: Revision::new(last.revision.get() - 1),
            within: Some(last.what),
            audit: AuditPlace::default(),
        });
        Feed::Changes {
            more: cut_off.is_some(),
            changes,
            through,
        }
    }

    fn grant(&self, token: usize) -> Option<LoadedGrant> {
        let row = self.tokens.get(&token).filter(|row| row.rights != 0)?;
        let grant = DatabaseGrant {
            token: token_id(token),
            cluster: ClusterId::from_bytes([7; 16]),
            permissions: permissions(row.rights),
            expires_at: None,
        };
        Some(LoadedGrant {
            secret: row.secret,
            grant: Grant::Database(grant),
            last_used_at: None,
        })
    }

    fn leases(&self) -> Vec<NodeLease> {
        let lease = |row: &Row| NodeLease {
            node: (*row.info).clone(),
            applied: Revision::new(row.applied),
            lease: row.lease,
            is_lapsed: row.is_lapsed,
            has_left: false,
            joined_at: Timestamp::from_micros(0),
            renewed_at: Timestamp::from_micros(0),
        };
        self.nodes.values().map(lease).collect()
    }
}

impl World {
    /// The database stops at once, as `kill -9` does; what it had not written down is lost, from some point on.
    pub(super) fn crash_postgres(&mut self) {
        let kept = self.below(self.postgres.unflushed.len() as u64 + 1) as usize;
        let postgres = &mut self.postgres;
        if let Some(rows) = kept.checked_sub(1).map(|last| postgres.unflushed[last].clone()) {
            postgres.flushed = rows;
        }
        postgres.nodes = postgres.flushed.clone();
        postgres.unflushed.clear();
        postgres.is_up = false;
        postgres.starts += 1;
        for machine in 0..self.machines.len() {
            self.disturb(machine);
        }
    }

    /// It is there again. Whoever listens learns at some point that it may have missed something.
    pub(super) fn start_postgres(&mut self) {
        self.postgres.is_up = true;
        for machine in 0..self.machines.len() {
            self.disturb(machine);
        }
        self.signal(Signal::Lost, |_| true);
    }

    /// Tells those who listen, and who are meant, as far as the weather allows.
    pub(super) fn signal(&mut self, signal: Signal, is_meant: impl Fn(NodeId) -> bool) {
        for machine in 0..self.machines.len() {
            let process = self.machines[machine].process.as_ref();
            if !process.is_some_and(|process| is_meant(process.node.info.id)) {
                continue;
            }
            let is_stormy = self.weather.is_stormy;
            let times = match () {
                () if signal == Signal::Lost => 1,
                () if is_stormy && self.once_in(self.weather.unheard) => 0,
                () if is_stormy && self.once_in(20) => 2,
                () => 1,
            };
            for _ in 0..times {
                let most = if is_stormy && self.once_in(10) { 2_000 } else { 2 };
                let delay = self.between(Duration::from_micros(50), Duration::from_millis(most));
                self.after(delay, move || deliver(machine, signal));
            }
        }
    }
}

fn deliver(machine: usize, signal: Signal) {
    let process = with(|world| {
        let machine = &world.machines[machine];
        machine.process.clone().filter(|_| !machine.is_cut_off)
    });
    if let Some(process) = process
        && let Leases::Shared(shared) = &process.node.leases
    {
        shared.tell(signal);
    }
}

/// What an act makes of some tokens.
pub(super) type Act = Vec<Deed>;

/// What becomes of one.
#[derive(Clone)]
pub(super) struct Deed {
    pub(super) token: usize,
    pub(super) secret: SecretHash,
    pub(super) rights: Rights,
    /// How many acts on the token there were before.
    pub(super) turn: usize,
}

/// Commits an act; the revision to fence. Nothing is changed by what was so already.
pub(super) async fn commit(machine: usize, asker: NodeId, act: Act) -> Result<Revision, Error> {
    if with(|world| world.weather.lies(Lie::BareSequence)) {
        return commit_out_of_order(machine, asker, act).await;
    }
    let committed = statement(machine, Manner::CommitsDurably, move |world| {
        let current = world.postgres.revision;
        world.postgres.sequence = current + 1;
        let made = world.make(current + 1, act);
        if made.get() > current {
            world.tell_of_change(asker);
        }
        made
    });
    // What the driver says of a commit that broke is not to be relied on; and nobody waits for ever.
    match timeout(Duration::from_secs(6), committed).await {
        Ok(committed) => committed.map_err(|error| Error::Uncertain(Box::new(error))),
        Err(late) => Err(Error::Uncertain(Box::new(late))),
    }
}

/// The revision is known before the act is committed.
async fn commit_out_of_order(machine: usize, asker: NodeId, act: Act) -> Result<Revision, Error> {
    let revision = statement(machine, Manner::Reads, |world| {
        world.postgres.sequence += 1;
        world.postgres.sequence
    });
    let revision = revision.await?;
    let committed = statement(machine, Manner::CommitsDurably, move |world| {
        let made = world.make(revision, act);
        world.tell_of_change(asker);
        made
    });
    committed.await.map_err(|error| Error::Uncertain(Box::new(error)))
}

impl World {
    /// Forgets changes, whoever has not seen them yet.
    pub(super) fn prune(&mut self) {
        let postgres = &mut self.postgres;
        postgres.floor = postgres.revision;
        postgres.changes.clear();
    }

    pub(super) fn follow_on_standby(&mut self) {
        let lies = [Lie::StandbyLeases, Lie::StandbyChanges, Lie::StandbyGrants];
        if lies.into_iter().any(|lie| self.weather.lies(lie)) && self.once_in(10) {
            self.postgres.standby = None;
            self.postgres.standby = Some(Box::new(self.postgres.clone()));
        }
    }

    /// What a commit tells everybody.
    fn tell_of_change(&mut self, asker: NodeId) {
        self.signal(Signal::Changed { asker: Some(asker) }, |_| true);
    }

    fn acknowledge_unasked(&mut self, machine: usize, applied: i64) {
        let start = self.machines[machine].starts;
        let id = super::machines::node_info(machine, start, Duration::ZERO).id;
        if let Some(row) = self.postgres.nodes.get_mut(&id) {
            row.applied = row.applied.max(applied);
            let through = Revision::new(row.applied);
            self.signal(Signal::Applied { node: id, through }, |_| true);
        }
    }

    fn make(&mut self, revision: i64, act: Act) -> Revision {
        let postgres = &mut self.postgres;
        let tokens = &mut postgres.tokens;
        // Revoking what is revoked changes nothing, and whoever repeats an act looks first: what an attempt that was given
        // up had on its way does not undo what came later.
        let is_news = |deed: &Deed| {
            tokens
                .get(&deed.token)
                .is_none_or(|row| row.rights != 0 && row.turn < deed.turn)
        };
        let news: Vec<Deed> = act.into_iter().filter(is_news).collect();
        if news.is_empty() {
            return Revision::new(postgres.revision);
        }
        for deed in news {
            postgres.changes.insert((revision, deed.token));
            tokens.insert(deed.token, deed);
        }
        postgres.revision = postgres.revision.max(revision);
        Revision::new(revision)
    }
}

fn manner_unless(lie: Lie) -> Manner {
    match with(|world| world.weather.lies(lie)) {
        true => Manner::CommitsAtOnce,
        false => Manner::CommitsDurably,
    }
}

/// The catalog, as the process on a machine reaches it.
pub(super) struct SimulatedLedger {
    pub(super) machine: usize,
    /// What it saw before its last renewal, if it lies.
    pub(super) stale: Arc<Mutex<Option<Postgres>>>,
}

#[async_trait]
impl Ledger for SimulatedLedger {
    async fn changes_after(&self, after: FeedPlace, limit: u32) -> Result<Feed, Error> {
        let (machine, stale) = (self.machine, Arc::clone(&self.stale));
        statement(machine, Manner::Reads, move |world| {
            // Fewer than asked for, so that there are often more.
            let limit = (limit as usize).min(1 + world.below(4) as usize);
            if let Some(stale) = stale.lock().take() {
                return stale.feed(after, limit);
            }
            let postgres = world
                .postgres
                .seen_by_standby(world.weather.lie, Lie::StandbyChanges);
            let feed = postgres.feed(after, limit);
            if world.weather.lies(Lie::AcknowledgedByReading)
                && let Feed::Changes { through, .. } = &feed
            {
                world.acknowledge_unasked(machine, through.revision.get());
            }
            feed
        })
        .await
    }

    async fn grants(&self, tokens: &[TokenRef]) -> Result<Vec<LoadedGrant>, Error> {
        let tokens: Vec<usize> = tokens.iter().map(|token| number(*token)).collect();
        statement(self.machine, Manner::Reads, move |world| {
            let postgres = world
                .postgres
                .seen_by_standby(world.weather.lie, Lie::StandbyGrants);
            tokens.iter().filter_map(|token| postgres.grant(*token)).collect()
        })
        .await
    }

    async fn load_grants(
        &self,
        _: FeedPlace,
        take: &mut (dyn FnMut(LoadedGrant) + Send),
    ) -> Result<FeedPlace, Error> {
        let loaded = statement(self.machine, Manner::Reads, |world| {
            let postgres = &world.postgres;
            let grants = postgres.tokens.keys().filter_map(|token| postgres.grant(*token));
            (Revision::new(postgres.revision), grants.collect::<Vec<_>>())
        });
        let (revision, grants) = loaded.await?;
        grants.into_iter().for_each(take);
        Ok(revision.into())
    }

    async fn load_directory(&self) -> Result<Directory, Error> {
        statement(self.machine, Manner::Reads, |world| Directory {
            entries: Vec::new(),
            revision: Revision::new(world.postgres.revision),
        })
        .await
    }

    async fn directory_entry(&self, _: DatabaseId) -> Result<Option<DirectoryEntry>, Error> {
        unreachable!("no database changes here")
    }

    async fn join(
        &self,
        node: &NodeInfo,
        number: i64,
        applied: FeedPlace,
        _: Timestamp,
    ) -> Result<(), Error> {
        let info = Arc::new(node.clone());
        let manner = manner_unless(Lie::ForgetfulJoining);
        statement(self.machine, manner, move |world| {
            let renewed = world.now;
            let nodes = &mut world.postgres.nodes;
            let lease = nodes.get(&info.id).map_or(number, |row| row.lease + 1);
            let row = Row {
                applied: applied.revision.get(),
                lease,
                is_lapsed: false,
                renewed,
                info,
            };
            nodes.insert(row.info.id, row);
        })
        .await
    }

    async fn renew(&self, node: NodeId, applied: FeedPlace, _: Timestamp) -> Result<bool, Error> {
        let machine = self.machine;
        let manner = manner_unless(Lie::ForgetfulRenewal);
        if with(|world| world.weather.lies(Lie::ReadBeforeRenewal)) {
            *self.stale.lock() =
                Some(statement(machine, Manner::Reads, |world| world.postgres.clone()).await?);
        }
        statement(machine, manner, move |world| {
            let now = world.now;
            let acknowledges = world.weather.lies(Lie::AcknowledgedByRenewing);
            let applied = if acknowledges {
                world.postgres.revision
            } else {
                applied.revision.get()
            };
            let row = world.postgres.nodes.get_mut(&node).filter(|row| !row.is_lapsed);
            let Some(row) = row else { return false };
            row.applied = row.applied.max(applied);
            row.lease += 1;
            row.renewed = now;
            if acknowledges {
                let through = Revision::new(row.applied);
                world.signal(Signal::Applied { node, through }, |_| true);
            }
            true
        })
        .await
    }

    async fn acknowledge(&self, node: NodeId, through: Revision, askers: &[NodeId]) -> Result<(), Error> {
        let askers = askers.to_vec();
        statement(self.machine, Manner::CommitsAtOnce, move |world| {
            if let Some(row) = world.postgres.nodes.get_mut(&node) {
                row.applied = row.applied.max(through.get());
            }
            world.signal(Signal::Applied { node, through }, |own| askers.contains(&own));
        })
        .await
    }

    async fn nodes(&self) -> Result<Vec<NodeLease>, Error> {
        statement(self.machine, Manner::Reads, |world| {
            if world.weather.lies(Lie::EarlyMark) {
                let now = world.now;
                for row in world.postgres.nodes.values_mut() {
                    row.is_lapsed |= Duration::from_nanos(now - row.renewed) > row.info.ttl / 2;
                }
            }
            world
                .postgres
                .seen_by_standby(world.weather.lie, Lie::StandbyLeases)
                .leases()
        })
        .await
    }

    async fn mark_lapsed(&self, node: NodeId, lease: i64) -> Result<bool, Error> {
        statement(self.machine, Manner::CommitsAtOnce, move |world| {
            let is_careless = world.weather.lies(Lie::CarelessMark);
            let row = world.postgres.nodes.get_mut(&node);
            let row = row.filter(|row| !row.is_lapsed && (row.lease == lease || is_careless));
            row.map(|row| row.is_lapsed = true).is_some()
        })
        .await
    }

    async fn leave(&self, node: NodeId) -> Result<(), Error> {
        statement(self.machine, Manner::CommitsAtOnce, move |world| {
            if let Some(row) = world.postgres.nodes.get_mut(&node) {
                row.is_lapsed = true;
                row.lease += 1;
            }
        })
        .await
    }
}

fn token_id(token: usize) -> DatabaseTokenId {
    let mut id = [1; 16];
    id[8..].copy_from_slice(&(token as u64).to_be_bytes());
    DatabaseTokenId::from_bytes(id)
}

/// How the table of grants knows a token.
pub(super) fn token_ref(token: usize) -> TokenRef {
    TokenRef::Database(token_id(token))
}

fn number(token: TokenRef) -> usize {
    let TokenRef::Database(id) = token else {
        unreachable!("there are no others here")
    };
    id_number(id)
}

fn kind_number(what: ChangeKind) -> usize {
    let ChangeKind::DatabaseToken(id) = what else {
        unreachable!("there are no others here")
    };
    id_number(id)
}

fn id_number(id: DatabaseTokenId) -> usize {
    let [.., a, b, c, d, e, f, g, h] = id.to_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize
}

fn permissions(rights: Rights) -> Arc<Permissions> {
    static SETS: LazyLock<[Arc<Permissions>; 4]> = LazyLock::new(|| {
        [0, 1, 2, 3].map(|rights: Rights| {
            let words = ["read", "write"].into_iter().enumerate();
            let held = words
                .filter(|(bit, _)| rights & (1 << bit) != 0)
                .map(|(_, word)| Permission {
                    action: word.parse().expect("an action"),
                    resource: "a".parse().expect("a resource"),
                });
            Arc::new(Permissions::new(held).expect("few"))
        })
    });
    Arc::clone(&SETS[usize::from(rights)])
}
