//! The grant table: every token that may be admitted, complete and in memory.
//!
//! Complete means that an unknown token costs no query and that the catalog being away is never mistaken for a token
//! being unknown. Entries are shared with the work they admitted: a revocation cuts them all at once.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};

use hashbrown::HashTable;
use parking_lot::{Mutex, RwLock};
use rescind_domain::{
    DatabaseGrant, DatabaseTokenId, ManagementGrant, ManagementTokenId, Revision, SecretHash, SecretKind,
    SessionGrant, SessionId, Tether, Timestamp,
};

use crate::endings::Endings;
use crate::terms::Term;
use crate::tethers::Leash;

/// What one token may do.
#[derive(Debug)]
pub(crate) enum Grant {
    Database(DatabaseGrant),
    Management(ManagementGrant),
    /// Boxed: there are few, and tokens would pay for its size.
    Session(Box<SessionGrant>),
}

/// Which token or session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TokenRef {
    Database(DatabaseTokenId),
    Management(ManagementTokenId),
    Session(SessionId),
}

impl fmt::Display for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(id) => write!(f, "database token {id}"),
            Self::Management(id) => write!(f, "management token {id}"),
            Self::Session(id) => write!(f, "session {id}"),
        }
    }
}

impl Grant {
    pub(crate) fn token(&self) -> TokenRef {
        match self {
            Self::Database(grant) => TokenRef::Database(grant.token),
            Self::Management(grant) => TokenRef::Management(grant.token),
            Self::Session(grant) => TokenRef::Session(grant.session),
        }
    }

    pub(crate) fn kind(&self) -> SecretKind {
        match self {
            Self::Database(_) => SecretKind::Database,
            Self::Management(_) => SecretKind::Management,
            Self::Session(grant) => grant.kind.secret_kind(),
        }
    }

    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Database(grant) => grant.expires_at,
            Self::Management(grant) => grant.expires_at,
            Self::Session(grant) => Some(grant.expires_at),
        }
    }
}

/// Half of the SHA-512: enough against collisions and preimages, and half the memory.
type Key = [u8; 32];

/// One token's place in the table, shared with everything it admitted.
pub(crate) struct Entry {
    key: Key,
    pub(crate) grant: Grant,
    leash: Leash,
    term: &'static Term,
    /// The entries that this one replaced while work admitted by them was running. Only that work keeps them.
    superseded: Vec<Weak<Entry>>,
    used_at: AtomicI64,
    is_use_noted: AtomicBool,
    /// Whether everything is being loaded anew and this was not among it yet.
    is_doubted: AtomicBool,
}

impl Entry {
    /// Returns once the token is revoked or loses rights, or the node may not admit any more.
    pub(crate) async fn cut(&self) {
        tokio::select! {
            biased;
            () = self.leash.cut() => {}
            () = self.term.ended() => {}
        }
    }

    /// Whether the token was revoked or has lost rights.
    pub(crate) fn is_revoked(&self) -> bool {
        self.leash.is_cut()
    }

    /// When it was last used, to a second.
    pub(crate) fn used_at(&self) -> Timestamp {
        Timestamp::from_micros(self.used_at.load(Ordering::Relaxed))
    }

    /// Whether the table of uses holds a reference.
    pub(crate) fn is_use_noted(&self) -> bool {
        self.is_use_noted.load(Ordering::Acquire)
    }
}

impl Tether for Entry {
    /// Also when the term of this node is over: what may have happened since, it cannot know (promise G3).
    fn is_cut(&self) -> bool {
        // What a thread may be held up in comes first.
        !self.term.holds() || self.leash.is_cut()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?})", self.grant.token())
    }
}

/// Last use is kept to the second: finer would write to shared memory on every request.
const USE_RESOLUTION_MICROS: i64 = 1_000_000;

const SHARDS: usize = 256;

/// How many revoked tokens are remembered as such, so that a refusal can say why.
const REMEMBERED_REVOCATIONS: usize = 100_000;

/// All grants, found by the hash of a secret or by the id of a token.
pub(crate) struct GrantTable {
    by_key: Box<[RwLock<HashTable<Arc<Entry>>>]>,
    by_token: Box<[RwLock<HashTable<Arc<Entry>>>]>,
    used: Mutex<Vec<Arc<Entry>>>,
    pub(crate) endings: Endings,
    revoked: Mutex<VecDeque<Key>>,
    term: &'static Term,
    /// Every change up to this revision is in the table.
    revision: AtomicI64,
}

impl GrantTable {
    pub(crate) fn new(term: &'static Term) -> Self {
        let shards = || (0..SHARDS).map(|_| RwLock::new(HashTable::new())).collect();
        Self {
            by_key: shards(),
            by_token: shards(),
            used: Mutex::new(Vec::new()),
            endings: Endings::default(),
            revoked: Mutex::new(VecDeque::new()),
            term,
            revision: AtomicI64::new(0),
        }
    }

    /// Every change up to here is in the table.
    pub(crate) fn revision(&self) -> Revision {
        Revision::new(self.revision.load(Ordering::Acquire))
    }

    pub(crate) fn set_revision(&self, revision: Revision) {
        self.revision.store(revision.get(), Ordering::Release);
    }

    /// Every change up to here is in the table, and the work that it cut has ended: what this node may acknowledge
    /// (promise G2).
    pub(crate) fn settled(&self) -> Revision {
        // In this order: what is cut after the table was asked for its revision counts for a later one.
        let revision = self.revision();
        self.endings
            .oldest()
            .map_or(revision, |before| before.min(revision))
    }

    /// The entry of this secret, if a token ever had it and was not forgotten. It may be cut or expired.
    pub(crate) fn find(&self, hash: &SecretHash) -> Option<Arc<Entry>> {
        let key = key_of(hash);
        let shard = self.by_key[shard_of_key(&key)].read();
        shard.find(spread_key(&key), |entry| entry.key == key).cloned()
    }

    /// Notes that the token was used at `now`.
    pub(crate) fn note_use(&self, entry: &Arc<Entry>, now: Timestamp) {
        let before = entry.used_at.load(Ordering::Relaxed);
        if now.micros().saturating_sub(before) < USE_RESOLUTION_MICROS {
            return;
        }
        entry.used_at.fetch_max(now.micros(), Ordering::Relaxed);
        if !entry.is_use_noted.swap(true, Ordering::AcqRel) {
            self.used.lock().push(Arc::clone(entry));
        }
    }

    /// Notes that the token was used at `at` on another node, which has written it down.
    pub(crate) fn learn_use(&self, token: TokenRef, at: Timestamp) {
        let shard = self.by_token[shard_of_token(token)].read();
        if let Some(entry) = shard.find(spread_token(token), |entry| entry.grant.token() == token) {
            entry.used_at.fetch_max(at.micros(), Ordering::Relaxed);
        }
    }

    /// The tokens used since the last call, with the moment of their last use.
    pub(crate) fn take_used(&self) -> Vec<(TokenRef, Timestamp)> {
        let entries = std::mem::take(&mut *self.used.lock());
        entries
            .iter()
            .map(|entry| {
                entry.is_use_noted.store(false, Ordering::Release);
                (
                    entry.grant.token(),
                    Timestamp::from_micros(entry.used_at.load(Ordering::Relaxed)),
                )
            })
            .collect()
    }

    #[cfg(test)]
    fn last_used(&self, token: TokenRef) -> Option<Timestamp> {
        let used_at = self.find_token(token)?.used_at.load(Ordering::Relaxed);
        (used_at != NEVER).then(|| Timestamp::from_micros(used_at))
    }

    /// Puts the grant of a token in place, cutting work that ran under a former one if that allowed more.
    pub(crate) fn put(&self, hash: &SecretHash, grant: Grant, last_used: Option<Timestamp>) {
        let key = key_of(hash);
        let token = grant.token();
        let mut shard = self.by_key[shard_of_key(&key)].write();
        let former = match shard.find_entry(spread_key(&key), |entry| entry.key == key) {
            Ok(found) => Some(found.remove().0),
            Err(_) => None,
        };
        self.unlink_token(token);
        let used_at = former
            .as_ref()
            .map_or(NEVER, |entry| entry.used_at.load(Ordering::Relaxed));
        let entry = Arc::new(Entry {
            key,
            leash: Leash::default(),
            term: self.term,
            superseded: former.map_or_else(Vec::new, |former| self.retire(&former, &grant)),
            grant,
            used_at: AtomicI64::new(last_used.map_or(NEVER, Timestamp::micros).max(used_at)),
            is_use_noted: AtomicBool::new(false),
            is_doubted: AtomicBool::new(false),
        });
        shard.insert_unique(spread_key(&key), Arc::clone(&entry), |entry| {
            spread_key(&entry.key)
        });
        let mut tokens = self.by_token[shard_of_token(token)].write();
        tokens.insert_unique(spread_token(token), entry, |entry| {
            spread_token(entry.grant.token())
        });
    }

    /// Cuts a token off, with everything that runs under it. Its secret is remembered as revoked for a while.
    pub(crate) fn cut(&self, token: TokenRef) {
        let Some(entry) = self.unlink_token(token) else {
            return;
        };
        self.end(&entry, 1);
        let forgotten = {
            let mut revoked = self.revoked.lock();
            revoked.push_back(entry.key);
            if revoked.len() > REMEMBERED_REVOCATIONS {
                revoked.pop_front()
            } else {
                None
            }
        };
        if let Some(key) = forgotten {
            let mut shard = self.by_key[shard_of_key(&key)].write();
            if let Ok(found) = shard.find_entry(spread_key(&key), |entry| entry.key == key) {
                found.remove();
            }
        }
    }

    /// Marks everything that is there. What is put from now on has no mark.
    pub(crate) fn doubt_all(&self) {
        for shard in &self.by_token {
            for entry in shard.read().iter() {
                entry.is_doubted.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Cuts what still has the mark, a shard at a time: there may be millions.
    pub(crate) fn cut_doubted(&self) {
        for shard in &self.by_token {
            let entries = shard.read();
            let doubted = entries
                .iter()
                .filter(|entry| entry.is_doubted.load(Ordering::Relaxed));
            let tokens: Vec<_> = doubted.map(|entry| entry.grant.token()).collect();
            drop(entries);
            for token in tokens {
                self.cut(token);
            }
        }
    }

    /// How many tokens may be admitted.
    pub(crate) fn len(&self) -> usize {
        self.by_token.iter().map(|shard| shard.read().len()).sum()
    }

    #[cfg(test)]
    fn find_token(&self, token: TokenRef) -> Option<Arc<Entry>> {
        let shard = self.by_token[shard_of_token(token)].read();
        shard
            .find(spread_token(token), |entry| entry.grant.token() == token)
            .cloned()
    }

    /// Cuts an entry, to which `kept` references are the tables' own, and those that it superseded.
    fn end(&self, entry: &Arc<Entry>, kept: usize) {
        let before = self.revision();
        entry.leash.cut_now();
        self.endings.add(Arc::clone(entry), kept, before);
        for older in entry.superseded.iter().filter_map(Weak::upgrade) {
            older.leash.cut_now();
            self.endings.add(older, 0, before);
        }
    }

    /// Cuts a replaced entry when its successor may do less; otherwise hands on what work still hangs on.
    fn retire(&self, former: &Arc<Entry>, grant: &Grant) -> Vec<Weak<Entry>> {
        let keeps_rights = match (&former.grant, grant) {
            (Grant::Database(before), Grant::Database(after)) => before
                .permissions
                .iter()
                .all(|permission| after.permissions.covers(permission)),
            _ => false,
        };
        if !keeps_rights {
            self.end(former, 0);
            return Vec::new();
        }
        let still_held = former.superseded.iter().filter(|older| older.strong_count() > 0);
        let mut superseded: Vec<_> = still_held.cloned().collect();
        // Out of both tables, nobody can take a new reference: one left is this one.
        if Arc::strong_count(former) > 1 {
            superseded.push(Arc::downgrade(former));
        }
        superseded
    }

    fn unlink_token(&self, token: TokenRef) -> Option<Arc<Entry>> {
        let mut shard = self.by_token[shard_of_token(token)].write();
        let found = shard.find_entry(spread_token(token), |entry| entry.grant.token() == token);
        found.ok().map(|found| found.remove().0)
    }
}

const NEVER: i64 = i64::MIN;

fn key_of(hash: &SecretHash) -> Key {
    let mut key = [0; 32];
    key.copy_from_slice(&hash.as_bytes()[..32]);
    key
}

/// A cryptographic hash needs no second hashing.
fn spread_key(key: &Key) -> u64 {
    let [_, a, b, c, d, e, f, g, h, ..] = *key;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn shard_of_key(key: &Key) -> usize {
    usize::from(key[0])
}

/// Ids are random (UUID version 4): the last eight bytes spread well, version and variant bits lie before them.
fn spread_token(token: TokenRef) -> u64 {
    let bytes = match token {
        TokenRef::Database(id) => id.to_bytes(),
        TokenRef::Management(id) => id.to_bytes(),
        TokenRef::Session(id) => id.to_bytes(),
    };
    let [.., a, b, c, d, e, f, g, h] = bytes;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn shard_of_token(token: TokenRef) -> usize {
    (spread_token(token) >> 56) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescind_domain::{ClusterId, Permissions};

    fn grant(token: u8, permissions: &[(&str, &str)]) -> Grant {
        let set = permissions
            .iter()
            .map(|(action, resource)| rescind_domain::Permission {
                action: action.parse().expect("action"),
                resource: resource.parse().expect("resource"),
            });
        Grant::Database(DatabaseGrant {
            token: DatabaseTokenId::from_bytes([token; 16]),
            cluster: ClusterId::from_bytes([9; 16]),
            permissions: Arc::new(Permissions::new(set).expect("few")),
            expires_at: None,
        })
    }

    fn table() -> GrantTable {
        let stopwatch = Arc::new(rescind_testkit::FrozenStopwatch::default());
        GrantTable::new(Box::leak(Box::new(Term::endless(stopwatch))))
    }

    fn hash(of: u8) -> SecretHash {
        SecretHash::from_bytes([of; 64])
    }

    fn token(id: u8) -> TokenRef {
        TokenRef::Database(DatabaseTokenId::from_bytes([id; 16]))
    }

    #[test]
    fn a_cut_token_takes_its_running_work_with_it() {
        let table = table();
        table.put(&hash(1), grant(1, &[("read", "*")]), None);
        let running = table.find(&hash(1)).expect("known");
        table.cut(token(1));
        assert!(running.is_cut());
        assert!(table.find(&hash(1)).expect("remembered as revoked").is_cut());
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn more_rights_leave_running_work_alone_until_the_token_is_cut() {
        let table = table();
        table.put(&hash(1), grant(1, &[("read", "a")]), None);
        let running = table.find(&hash(1)).expect("known");
        table.put(&hash(1), grant(1, &[("read", "*")]), None);
        assert!(!running.is_cut());
        table.cut(token(1));
        assert!(running.is_cut());
    }

    #[test]
    fn running_work_is_cut_however_many_changes_came_in_between() {
        let table = table();
        table.put(&hash(1), grant(1, &[("read", "a")]), None);
        let oldest = table.find(&hash(1)).expect("known");
        table.put(&hash(1), grant(1, &[("read", "a")]), None);
        table.put(&hash(1), grant(1, &[("read", "*")]), None);
        let later = table.find(&hash(1)).expect("known");
        table.put(&hash(1), grant(1, &[("read", "*")]), None);
        assert!(!oldest.is_cut() && !later.is_cut());
        table.cut(token(1));
        assert!(oldest.is_cut() && later.is_cut());
    }

    #[test]
    fn changes_leave_nothing_behind_that_no_work_hangs_on() {
        let table = table();
        for _ in 0..100 {
            table.put(&hash(1), grant(1, &[("read", "a")]), None);
        }
        assert!(table.find(&hash(1)).expect("known").superseded.is_empty());
    }

    #[test]
    fn fewer_rights_cut_running_work_but_not_the_token() {
        let table = table();
        table.put(&hash(1), grant(1, &[("read", "*")]), None);
        let running = table.find(&hash(1)).expect("known");
        table.put(&hash(1), grant(1, &[("read", "a")]), None);
        assert!(running.is_cut());
        assert!(!table.find(&hash(1)).expect("known").is_cut());
    }

    #[test]
    fn uses_are_handed_out_once_and_survive_a_change_of_rights() {
        let table = table();
        table.put(&hash(1), grant(1, &[]), None);
        let now = Timestamp::from_micros(5_000_000);
        table.note_use(&table.find(&hash(1)).expect("known"), now);
        assert_eq!(table.take_used(), [(token(1), now)]);
        assert_eq!(table.take_used(), []);
        table.put(&hash(1), grant(1, &[("read", "*")]), None);
        assert_eq!(table.last_used(token(1)), Some(now));
    }

    #[test]
    fn only_so_many_revocations_are_remembered() {
        let table = table();
        let nth = |n: u32, at: usize| {
            let mut bytes = [0; 64];
            bytes[at..at + 4].copy_from_slice(&n.to_be_bytes());
            bytes
        };
        for n in 0..=u32::try_from(REMEMBERED_REVOCATIONS).expect("small") {
            let mut id = [0; 16];
            id[12..].copy_from_slice(&n.to_be_bytes());
            let Grant::Database(grant) = grant(0, &[]) else {
                unreachable!("made above")
            };
            let grant = DatabaseGrant {
                token: DatabaseTokenId::from_bytes(id),
                ..grant
            };
            table.put(&SecretHash::from_bytes(nth(n, 0)), Grant::Database(grant), None);
            table.cut(TokenRef::Database(DatabaseTokenId::from_bytes(id)));
        }
        assert!(table.find(&SecretHash::from_bytes(nth(0, 0))).is_none());
        assert!(table.find(&SecretHash::from_bytes(nth(1, 0))).is_some());
    }
}
