//! The protocol of leases and fences (DESIGN section 4, docs/REVOCATION.md) as a model, checked exhaustively in small
//! scope by `stateright`. It depends on nothing of the house: what it proves is the order of things, and each module names
//! the one of `crates/authority` that must keep that order.
//!
//! **Modelled.** Processes that start, renew, read, apply, acknowledge, leave and crash (`leases`, `faults`); a restarted
//! process is a new one, as in the catalog. PostgreSQL with its rows, the lock of the counter, slow transactions, and
//! crashes that forget what was committed without waiting for the disk. A process that acts, waits and marks leases as
//! lapsed (`fences`). A request and the work admitted for it (`admission`). Real time in ticks, which every process counts
//! on its own clock of its own rate (`clocks`). No step is ever due, and none needs a signal: pauses, suspended machines, slow
//! networks, a PostgreSQL that cannot be reached and lost wake-ups are steps that come late or never.
//!
//! **Left out**, because leaving it out hides no broken promise:
//! * More than one request: a broken promise shows in one, and others at most delay an acknowledgement.
//! * More than one waiter: fences of one process share what they see, and who sees a lease first may mark it first.
//! * The waiter's own lease: a node that acts applies its change itself, and waits for the others as a guest does.
//! * Time between sending a request and its arrival: what had returned when it was sent is fewer, so less is promised.
//! * Time between reading the rows and returning, between marking and the decision to mark: what was seen stays true, and
//!   marking is a compare-and-set.
//! * Reading grants of a later moment than the feed: that only brings later changes forward.
//! * Permissions changed, users disabled, sessions ended: acts that give are as `create`, acts that take as `revoke`.
//!
//! **Assumed**, not shown: clocks are off in rate by no more than the drift; no tick passes between the last check and the
//! effect (a process that is stopped for longer exactly there acts late; no check of its own can help that); work that was
//! cut ends, instead of hanging for longer than nodes wait for it; PostgreSQL keeps what waited for the disk, also when it
//! fails over. Different states are told apart by 64 bits of hash: that two of ten million fall together has odds of one to
//! some hundred thousand.
//!
//! **Checked**: the promises G1 to G4 and that every act returns ([`Promise`]), in each of the scopes [`SHORT`] (by the
//! tests) and [`LONG`] (by `cargo run -p rescind-model -- --long`); and that each [`Mutant`] breaks a promise.

mod admission;
mod checks;
pub mod clocks;
mod faults;
mod fences;
mod leases;
mod mutants;
mod promises;
mod protocol;
mod scopes;
pub mod state;
mod steps;

pub use checks::{Find, Verdict, check, find, find_in};
pub use mutants::Mutant;
pub use promises::Promise;
pub use protocol::Protocol;
pub use scopes::{Act, Grain, Kind, LONG, SHORT, Scope};
pub use steps::Step;
