//! For tests only: a frozen clock, a seeded generator, real processes, a real browser, a throwaway PostgreSQL.
//!
//! This crate knows no crate of the house above the domain: it sees the server and `influxctl` as strangers do,
//! as programs that are started and spoken to. Whatever goes wrong here panics with what to do about it, because
//! its only caller is a test.

mod ambient;
mod binaries;
mod browser;
mod http;
mod influxctl;
mod leaks;
mod output;
mod postgres;
mod profiles;
mod scrub;
mod servers;

pub use ambient::{FrozenClock, FrozenStopwatch, SeededRng};
pub use binaries::binary;
pub use browser::{Browser, BrowserSetup, Cookie, Focus, Key, Row, Scheme, Violation};
pub use http::{Http, Reply};
pub use influxctl::{Influxctl, Outcome};
pub use postgres::{Ending, Postgres};
pub use profiles::Profile;
pub use rustix::process::Signal;
pub use scrub::scrub;
pub use servers::{ServerSetup, TestServer};
