//! Steps: everything that may happen next. No step is ever due: what a process does late, or never, covers pauses, lost
//! signals and slow networks.

use crate::Mutant;
use crate::protocol::Protocol;
use crate::scopes::Grain;

/// One thing that happens. Nodes and acts are named by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A tick of real time passes.
    Tick,
    /// A tick passes while the clock of this node stands still.
    TickBut(usize),

    /// A process starts and loads everything that the catalog holds.
    Start(usize),
    /// It sends a renewal; if its lease has lapsed or it has none, that begins one.
    Send(usize),
    /// The statement of a mutant reads the changes before it commits the renewal.
    Glance(usize),
    /// The renewal is committed.
    Renew(usize),
    /// The node gives the renewal up, or its answer.
    GiveUp(usize),
    /// A renewal that was given up is committed after all.
    RenewLate(usize),
    /// The node reads the feed.
    Read(usize),
    /// It applies what it read, and cuts work.
    Apply(usize),
    /// It acknowledges what it applied.
    Acknowledge(usize),
    /// The same, and the signal is lost.
    AcknowledgeUnheard(usize),
    /// It crashes.
    Crash(usize),
    /// It shuts down and gives its lease up.
    Leave(usize),

    /// PostgreSQL crashes and forgets what was committed without waiting for the disk.
    CrashDatabase,
    /// PostgreSQL writes to disk what it had not yet.
    Flush,
    /// Old changes leave the feed.
    Prune,
    /// The row of a lapsed node is deleted.
    Forget(usize),

    /// An act's transaction begins.
    Begin(usize),
    /// It commits.
    Commit(usize),
    /// The waiter sees the number of a node's lease.
    Look(usize),
    /// It decides to mark the node as lapsed, in a mutant that takes two steps.
    Doom(usize),
    /// It marks the node's lease as lapsed.
    MarkLapsed(usize),
    /// It looked at the rows and goes back to sleep, in a mutant that needs to be woken.
    Sleep(usize),
    /// The act returns.
    Return(usize),

    /// A request that bears a token arrives at a node.
    Arrive {
        /// The node.
        node: usize,
        /// The token.
        token: u8,
    },
    /// The term is checked, in a mutant that does so too late.
    CheckTerm(usize),
    /// The token is looked up; its entry is the tether.
    LookUp(usize),
    /// The tether is registered, in a mutant that does so too late.
    Tether(usize),
    /// Term and tether are checked for the last time.
    CheckLast(usize),
    /// The work takes effect.
    Effect(usize),
}

impl Protocol {
    /// What happens in a step, for people.
    #[must_use]
    pub fn tell(&self, step: Step) -> String {
        let node = |node: usize, does: &str| format!("node {}: {does}", node + 1);
        let act = |act: usize, does: &str| format!("{}: {does}", self.scope.acts[act]);
        match step {
            Step::Tick => "a tick passes".to_owned(),
            Step::TickBut(i) => node(i, "is suspended with its clock while a tick passes"),
            Step::Start(i) => node(i, "starts and loads everything"),
            Step::Send(i) if self.scope.grain == Grain::Coarse => {
                node(i, "renews its lease, reads the changes and applies them")
            }
            Step::Send(i) => node(i, "sends a renewal"),
            Step::Glance(i) => node(i, "its statement reads the changes"),
            Step::Renew(i) => node(i, "its renewal is committed"),
            Step::GiveUp(i) => node(i, "gives the renewal up"),
            Step::RenewLate(i) => node(i, "a renewal that it gave up is committed after all"),
            Step::Read(i) if self.is(Mutant::ReadWithRenewal) || self.is(Mutant::ReadBeforeRenewal) => {
                node(i, "applies what it read before")
            }
            Step::Read(i) if self.scope.grain == Grain::Fine => node(i, "reads the changes"),
            Step::Read(i) => node(i, "reads the changes and applies them"),
            Step::Apply(i) => node(i, "applies what it read"),
            Step::Acknowledge(i) => node(i, "acknowledges"),
            Step::AcknowledgeUnheard(i) => node(i, "acknowledges, and the signal is lost"),
            Step::Crash(i) => node(i, "crashes"),
            Step::Leave(i) => node(i, "shuts down and gives its lease up"),
            Step::CrashDatabase => "PostgreSQL crashes and restarts".to_owned(),
            Step::Flush => "PostgreSQL flushes its log".to_owned(),
            Step::Prune => "the feed is pruned".to_owned(),
            Step::Forget(i) => node(i, "its row is deleted"),
            Step::Begin(o) => act(o, "its transaction takes a revision"),
            Step::Commit(o) => act(o, "is committed"),
            Step::Look(i) => node(i, "its lease number is seen by the waiter"),
            Step::Doom(i) => node(i, "its lease is over, thinks the waiter"),
            Step::MarkLapsed(i) => node(i, "is marked as lapsed"),
            Step::Sleep(o) => act(o, "looked at the rows and sleeps until a signal comes"),
            Step::Return(o) => act(o, "RETURNS"),
            Step::Arrive { node: i, token } => {
                node(i, &format!("a request with token {} arrives", token_name(token)))
            }
            Step::CheckTerm(i) => node(i, "checks its term for the request"),
            Step::LookUp(i) => node(i, "looks the token up"),
            Step::Tether(i) => node(i, "registers the tether"),
            Step::CheckLast(i) => node(i, "checks term and tether a last time"),
            Step::Effect(i) => node(i, "the work takes effect"),
        }
    }
}

/// Tokens are called A and B.
pub(crate) fn token_name(token: u8) -> char {
    char::from(b'A' + token)
}
