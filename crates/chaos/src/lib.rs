//! For tests only: real nodes, a real PostgreSQL, real faults, and a checker of what clients saw.
//!
//! Nothing here knows how Rescind works: nodes are processes that are started, spoken to over HTTP, stopped and killed.
//! What clients saw is written down with its times (`histories`) and judged afterwards by a pure function (`checker`).

mod administrators;
mod bailiffs;
mod checker;
mod clusters;
mod disks;
mod faults;
mod hammers;
mod histories;
mod inspections;
mod logbooks;
mod nodes;
mod populations;
mod preparations;
mod proxies;
mod registrars;
mod reports;
mod runs;
mod setups;
mod storms;
mod streams;
mod uploads;
mod visitors;

pub use checker::{Broken, Violation};
pub use faults::{Fault, Planned};
pub use proxies::{Deed, Trap, Way};
pub use reports::Report;
pub use runs::run;
pub use setups::Setup;
