//! What tokens were used for, hour by hour: what an administrator wants to know before revoking one.

use crate::{Action, Client, DatabaseName, Timestamp};

/// The hour that a moment belongs to: its number since the epoch, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    const MICROS: i64 = 3_600_000_000;

    /// The hour of `at`.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.micros().div_euclid(Self::MICROS))
    }

    /// The hour with this number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Hours since the epoch.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// When it begins.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(Self::MICROS))
    }

    /// The one `hours` earlier.
    pub const fn before(self, hours: i64) -> Self {
        Self(self.0.saturating_sub(hours))
    }
}

/// How often a database token was admitted within one hour, for one action on one database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Usage {
    /// Which hour.
    pub hour: Hour,
    /// On which database.
    pub database: DatabaseName,
    /// For what.
    pub action: Action,
    /// How many requests.
    pub requests: u64,
}

/// Who used a token last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastClient {
    /// When, to a few seconds.
    pub at: Timestamp,
    /// Who.
    pub client: Client,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_holds_its_own_moments_only() {
        let hour = Hour::of(Timestamp::from_micros(7_200_000_000));
        assert_eq!(hour.number(), 2);
        assert_eq!(Hour::of(hour.start().plus_micros(-1)), hour.before(1));
        assert_eq!(Hour::of(hour.start().plus_micros(3_599_999_999)), hour);
    }
}
