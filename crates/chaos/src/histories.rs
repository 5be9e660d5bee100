//! What clients saw: every act and every use of a token, when it was sent, when its answer came and what that said.
//!
//! All times are of one monotonic clock, because all clients are in one process.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

/// Microseconds since the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(pub u64);

/// Where moments come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeline(Instant);

/// A token's place in [`History::tokens`].
pub(crate) type TokenNumber = usize;
/// A node's place among the nodes.
pub(crate) type NodeNumber = usize;
/// A person's place in [`History::people`].
pub(crate) type PersonNumber = usize;

/// What kind of secret a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reads and writes a database.
    Database,
    /// Administers an account.
    Management,
    /// What a program got by the device flow; administers as its user.
    Session,
    /// The cookie of somebody who signed in with a browser.
    Browser,
}

/// A token that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What kind of secret it is.
    pub(crate) kind: Kind,
    /// Its id; `None` when the answer to its creation never came.
    pub(crate) id: Option<String>,
    /// Whose session it is, if what happens to that person happens to it.
    pub(crate) owner: Option<PersonNumber>,
}

/// A user to whom things happen as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// Its id.
    pub(crate) id: String,
}

/// One thing that a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// A query.
    Read,
    /// A write.
    Write,
    /// An administrative request.
    Manage,
    /// A page that everybody sees who is signed in.
    Visit,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rights {
    /// Query the database.
    pub(crate) read: bool,
    /// Write to it.
    pub(crate) write: bool,
    /// Administer.
    pub(crate) manage: bool,
    /// Look at pages.
    pub(crate) visit: bool,
}

/// What an act changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The token comes into being.
    Create(Rights),
    /// Its rights are replaced.
    Update(Rights),
    /// It ends.
    Revoke,
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done. `complete`: and every node acts by it.
    Done {
        /// Whether the receipt names nobody who is still awaited.
        complete: bool,
    },
    /// It was refused with this status: nothing was changed.
    Rejected(u16),
    /// No answer, or one that leaves open whether it was done: it may take effect at any time from then on.
    Uncertain(String),
    /// The client did not wait for the answer: the same, but nobody is to blame.
    Abandoned,
}

/// An administrative act on one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    /// On which token.
    pub(crate) token: TokenNumber,
    /// Through which node.
    pub(crate) node: NodeNumber,
    /// What it changes.
    pub(crate) change: Change,
    /// The moment before it was sent.
    pub(crate) began: Moment,
    /// The moment after its answer had come, or after the client had given up.
    pub(crate) ended: Moment,
    /// What came of it.
    pub(crate) outcome: Outcome,
}

/// What happens to a person as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// It can no longer sign in, and its sessions end.
    Disable,
    /// It can sign in again.
    Enable,
    /// It has another role, which allows its sessions so much.
    Become(Rights),
    /// It is gone for good, with its sessions.
    Delete,
    /// It has a new password; sessions that began with another end.
    Password,
}

/// An administrative act on one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonAct {
    /// On whom.
    pub(crate) person: PersonNumber,
    /// Through which node.
    pub(crate) node: NodeNumber,
    /// What.
    pub(crate) treatment: Treatment,
    /// The moment before it was sent.
    pub(crate) began: Moment,
    /// The moment after its answer had come, or after the client had given up.
    pub(crate) ended: Moment,
    /// What came of it.
    pub(crate) outcome: Outcome,
}

/// A complete receipt that does not say of every node that it acts by the change: the others hold no lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lapse {
    /// The moment before its act was sent.
    pub(crate) began: Moment,
    /// The moment after it had come.
    pub(crate) ended: Moment,
    /// Which nodes.
    pub(crate) nodes: Vec<NodeNumber>,
}

/// What came of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The node did what was asked.
    Admitted,
    /// 401 or 403.
    Refused(u16),
    /// 503: the node cannot know.
    Unavailable,
    /// No complete answer.
    Broken,
    /// A status that nothing in the run explains.
    Odd(u16),
}

/// A request that presents one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    /// Which.
    pub(crate) token: TokenNumber,
    /// To which node.
    pub(crate) node: NodeNumber,
    /// What it needs.
    pub(crate) right: Right,
    /// The moment before it was begun.
    pub(crate) began: Moment,
    /// The moment before its last piece was sent; the same as `began` but for slow uploads.
    pub(crate) sent: Moment,
    /// The moment after its answer had come.
    pub(crate) ended: Moment,
    /// What came of it.
    pub(crate) reply: Reply,
    /// The number of the point that it wrote, if it was a write.
    pub(crate) point: Option<u64>,
}

/// How an answer ended that has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The connection broke off.
    BrokenOff,
    /// It looked complete.
    Whole,
    /// The client would not read any more.
    Left,
}

/// A query without end, whose answer a client read for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    /// The token that it was asked with.
    pub(crate) token: TokenNumber,
    /// Of which node.
    pub(crate) node: NodeNumber,
    /// The moment before it was asked.
    pub(crate) began: Moment,
    /// The moment after each piece had been read, and how many bytes had come by then.
    pub(crate) marks: Vec<(Moment, u64)>,
    /// How it ended.
    pub(crate) finish: Finish,
}

/// What a fault disturbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbed {
    /// One node, or its way to the catalog.
    Node(NodeNumber),
    /// The catalog, and so every node.
    Catalog,
}

/// A fault that was injected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disturbance {
    /// In words, such as `node 2 paused`.
    pub(crate) what: String,
    /// Whom.
    pub(crate) disturbed: Disturbed,
    /// Until when nothing passed between that node and the catalog, if nothing did.
    pub(crate) cut_off_until: Option<Moment>,
    /// The moment before it began.
    pub(crate) began: Moment,
    /// The moment after it was over.
    pub(crate) ended: Moment,
}

/// What the catalog says of a token, through one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Whether it is revoked.
    pub(crate) revoked: bool,
    /// What it may do.
    pub(crate) rights: Rights,
}

/// What the catalog says of a user, through one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundUser {
    /// Whether it can sign in.
    pub(crate) enabled: bool,
    /// What its role allows its sessions.
    pub(crate) rights: Rights,
}

/// What one node said when everything was over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sighting {
    /// Which node.
    pub(crate) node: NodeNumber,
    /// Tokens by id.
    pub(crate) tokens: BTreeMap<String, Found>,
    /// Users by id.
    pub(crate) users: BTreeMap<String, FoundUser>,
    /// Accounts by id.
    pub(crate) accounts: BTreeSet<String>,
    /// How many events the audit log has, by the subject's id and the act, such as `database_token.create`.
    pub(crate) events: BTreeMap<(String, String), usize>,
    /// Points that it can read.
    pub(crate) points: BTreeSet<u64>,
}

/// Everything that the checker needs to know of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct History {
    /// How many nodes there were.
    pub(crate) nodes: usize,
    /// All tokens that were asked for.
    pub(crate) tokens: Vec<Token>,
    /// All acts on them.
    pub(crate) acts: Vec<Act>,
    /// All uses of them.
    pub(crate) uses: Vec<Use>,
    /// All people to whom things happened as a whole.
    pub(crate) people: Vec<Person>,
    /// What happened to them.
    pub(crate) treatments: Vec<PersonAct>,
    /// All queries without end.
    pub(crate) streams: Vec<Stream>,
    /// Complete receipts that name lapsed nodes.
    pub(crate) lapses: Vec<Lapse>,
    /// The account that the first start made.
    pub(crate) account: String,
    /// Nodes that hold the profile of a first start.
    pub(crate) founders: Vec<NodeNumber>,
    /// Whether the wall clock of a node is wrong by days: it, and whoever heard of it, may take sessions for expired.
    pub(crate) is_time_wrong: bool,
    /// All faults.
    pub(crate) disturbances: Vec<Disturbance>,
    /// The kinds of the faults, in the same order.
    pub(crate) kinds: Vec<&'static str>,
    /// When the last fault was over.
    pub(crate) calm: Moment,
    /// For each node, when it admitted after that, if it did within the time it had.
    pub(crate) recovered: Vec<Option<Moment>>,
    /// From then on every node had recovered, so that each request must be answered.
    pub(crate) settled: Option<Moment>,
    /// What each node said at the end.
    pub(crate) sightings: Vec<Sighting>,
    /// Nodes that ended, or failed to end, when nobody asked them to: in words.
    pub(crate) deaths: Vec<String>,
    /// How often PostgreSQL said that its disk was full: that the fault was one.
    pub(crate) starved: usize,
    /// How often a node loaded everything anew, because the changes that it had missed were forgotten.
    pub(crate) reloads: usize,
    /// What is wrong with the audit log as a whole, and where secrets are that are not to be told: in words.
    pub(crate) tales: Vec<String>,
}

impl Moment {
    /// How long after `earlier` this is; zero when it is not.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The moment so much later.
    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self(self.0 + micros(duration))
    }
}

impl Timeline {
    /// A timeline that begins now.
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// This moment.
    pub(crate) fn now(&self) -> Moment {
        Moment(micros(self.0.elapsed()))
    }
}

impl Rights {
    /// To administer.
    pub(crate) const MANAGE: Self = Self {
        manage: true,
        ..Self::NOTHING
    };
    /// What the role of an administrator allows a session.
    pub(crate) const ADMIN: Self = Self {
        manage: true,
        ..Self::AUDITOR
    };
    /// What the role of an auditor allows a session.
    pub(crate) const AUDITOR: Self = Self {
        visit: true,
        ..Self::NOTHING
    };
    const NOTHING: Self = Self::of(false, false);

    /// To query, to write, or both.
    pub(crate) const fn of(read: bool, write: bool) -> Self {
        Self {
            read,
            write,
            manage: false,
            visit: false,
        }
    }

    /// Whether they hold this one.
    pub(crate) const fn has(self, right: Right) -> bool {
        match right {
            Right::Read => self.read,
            Right::Write => self.write,
            Right::Manage => self.manage,
            Right::Visit => self.visit,
        }
    }
}

impl Change {
    /// Whether the token may do this after it.
    pub(crate) const fn grants(self, right: Right) -> bool {
        match self {
            Self::Create(rights) | Self::Update(rights) => rights.has(right),
            Self::Revoke => false,
        }
    }
}

impl Outcome {
    /// Whether it was done for certain.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// Whether it was done and every node acts by it.
    pub(crate) const fn is_complete(&self) -> bool {
        matches!(self, Self::Done { complete: true })
    }

    /// Whether it may have been done.
    pub(crate) const fn may_be_done(&self) -> bool {
        !matches!(self, Self::Rejected(_))
    }
}

impl Act {
    /// Whether it was done for certain.
    pub(crate) const fn is_done(&self) -> bool {
        self.outcome.is_done()
    }

    /// Whether it was done and every node acts by it.
    pub(crate) const fn is_complete(&self) -> bool {
        self.outcome.is_complete()
    }

    /// Whether it may have been done.
    pub(crate) const fn may_be_done(&self) -> bool {
        self.outcome.may_be_done()
    }
}

impl Treatment {
    /// What it does to the sessions that there are.
    pub(crate) const fn upon_sessions(self) -> Option<Change> {
        match self {
            Self::Disable | Self::Delete | Self::Password => Some(Change::Revoke),
            Self::Become(rights) => Some(Change::Update(rights)),
            Self::Enable => None,
        }
    }

    /// Its name in the audit log.
    pub(crate) const fn event(self) -> &'static str {
        match self {
            Self::Disable => "user.disable",
            Self::Enable => "user.enable",
            Self::Become(_) => "user.update",
            Self::Delete => "user.delete",
            Self::Password => "user.password",
        }
    }
}

impl Kind {
    /// Whether it ends by itself after some time.
    pub(crate) const fn expires(self) -> bool {
        matches!(self, Self::Session | Self::Browser)
    }

    /// The act's name in the audit log; `None` where the log says it in another way.
    pub(crate) const fn event(self, change: Change) -> Option<&'static str> {
        match (self, change) {
            (Self::Database, Change::Create(_)) => Some("database_token.create"),
            (Self::Database, Change::Update(_)) => Some("database_token.update"),
            (Self::Database, Change::Revoke) => Some("database_token.revoke"),
            (Self::Management, Change::Create(_)) => Some("management_token.create"),
            (Self::Management, Change::Revoke) => Some("management_token.revoke"),
            (Self::Management, Change::Update(_)) | (Self::Session | Self::Browser, _) => None,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |has: bool, letter: char| if has { letter } else { '-' };
        let Self {
            read,
            write,
            manage,
            visit,
        } = *self;
        let marks = [(read, 'r'), (write, 'w'), (manage, 'm'), (visit, 'v')];
        marks
            .into_iter()
            .try_for_each(|(has, letter)| write!(f, "{}", mark(has, letter)))
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, node, .. } = self;
        write!(f, "{} - {} node {node} token {token}: ", self.began, self.ended)?;
        match self.change {
            Change::Create(rights) => write!(f, "create {rights}")?,
            Change::Update(rights) => write!(f, "update {rights}")?,
            Change::Revoke => write!(f, "revoke")?,
        }
        write!(f, " -> {}", self.outcome)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { complete: true } => write!(f, "done on every node"),
            Self::Done { complete: false } => write!(f, "done, incomplete"),
            Self::Rejected(status) => write!(f, "rejected {status}"),
            Self::Uncertain(why) => write!(f, "uncertain: {why}"),
            Self::Abandoned => write!(f, "nobody waited for it"),
        }
    }
}

impl fmt::Display for PersonAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { person, node, .. } = self;
        write!(f, "{} - {} node {node} person {person}: ", self.began, self.ended)?;
        write!(f, "{} -> {}", self.treatment.event(), self.outcome)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, node, .. } = self;
        let (ended, bytes) = self.marks.last().copied().unwrap_or((self.began, 0));
        write!(f, "{} - {ended} node {node} token {token}: ", self.began)?;
        write!(f, "{bytes} bytes of an answer without end -> {:?}", self.finish)
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, node, .. } = self;
        write!(f, "{} - {} node {node} token {token}: ", self.began, self.ended)?;
        write!(f, "{:?} -> {:?}", self.right, self.reply)?;
        match self.point {
            Some(point) => write!(f, " (point {point})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - {} FAULT {}", self.began, self.ended, self.what)
    }
}
