//! Who speaks at the other end of a connection, as far as can be told.

use std::fmt;
use std::net::IpAddr;

/// What a program calls itself: the first 200 characters of a `User-Agent`, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Agent(String);

impl Agent {
    /// How many characters are kept.
    pub const CHARS: usize = 200;

    /// Cuts and cleans what a client sent.
    pub fn new(text: &str) -> Self {
        Self(
            text.chars()
                .filter(|c| !c.is_control())
                .take(Self::CHARS)
                .collect(),
        )
    }

    /// The characters; empty if the client said nothing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Client {
    /// Its network address; behind a proxy that the server was not told of, the proxy's.
    pub address: IpAddr,
    /// What it calls itself. Anyone can claim anything.
    pub agent: Agent,
}
