//! Closures: why a node admits nothing at the moment (promise G3), in words for whoever has to open it again.

use std::error::Error as _;
use std::fmt;

use rescind_catalog::ServerFault;
use rescind_domain::Chain;

use crate::{Authority, Error};

/// Why a node admits nothing, as far as it knows. Tells strangers nothing about the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closure {
    /// Its catalog does not answer, or not in time.
    Away,
    /// The database has no connection left for it.
    Full,
    /// Changes that it had not seen were forgotten.
    Behind,
    /// The catalog went back, or is a newer release's by now.
    Final,
}

impl fmt::Display for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Away => "its catalog does not answer in time",
            Self::Full => "PostgreSQL has no connection left for it: max_connections is too low",
            Self::Behind => "it was cut off for long, and loads everything anew",
            Self::Final => {
                "the catalog went back, or was upgraded by a newer release: this node must be started anew"
            }
        })
    }
}

impl Authority {
    /// Why this node admits nothing; `None` while it does.
    pub fn closure(&self) -> Option<Closure> {
        (!self.is_current()).then(|| self.node.obstacle.closure())
    }
}

/// What a failure means for the node that it befell.
pub(crate) fn closure_of(error: &Error) -> Closure {
    match fault(error) {
        Some(ServerFault::Full(_)) => Closure::Full,
        _ => Closure::Away,
    }
}

/// What lies beneath an error, for the log: what is wrong with the server and what to do, or whatever was said.
pub(crate) fn cause(error: &Error) -> String {
    if let Some(fault) = fault(error) {
        return fault.to_string();
    }
    Chain(error.source().unwrap_or(error)).to_string()
}

fn fault(error: &Error) -> Option<ServerFault> {
    let Error::Unavailable(source) = error else {
        return None;
    };
    source.downcast_ref::<rescind_catalog::Error>()?.fault()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_beneath_is_said_once() {
        let silent = std::io::Error::other("nobody answers");
        let beneath = rescind_catalog::Error::Unavailable(Box::new(silent));
        let error = Error::from(beneath);
        assert_eq!(cause(&error), "the catalog is unavailable: nobody answers");
        assert_eq!(closure_of(&error), Closure::Away);
        let refused = Error::Conflict("taken".to_owned());
        assert_eq!(cause(&refused), "taken");
    }
}
