//! What a database token was used for, as facts: what revoking it would break.

use std::collections::BTreeMap;

use rescind_authority::Place;
use rescind_domain::{Action, DatabaseToken, Hour, LastClient, Timestamp, Usage};

use crate::app::App;
use crate::errors::Fault;
use crate::tokens::{LastUse, last_use};
use crate::visitors::Visitor;
use crate::words::{count, grouped};

/// What the dialogs say of a token's use.
pub(super) struct Facts {
    /// When it was last used, and by whom.
    pub(super) last: Option<LastUse>,
    /// Requests that wrote, in the last 24 hours.
    pub(super) writes: u64,
    /// Requests that queried, in the last 24 hours.
    pub(super) queries: u64,
    /// On which databases, most used first, in the last 24 hours.
    pub(super) databases: Vec<String>,
}

impl Facts {
    /// The facts of one token.
    pub(super) async fn of(
        app: &App,
        visitor: &Visitor,
        place: Place,
        token: &DatabaseToken,
    ) -> Result<Self, Fault> {
        let (authority, caller) = (&app.authority, &visitor.caller);
        // The hour that has begun and the 23 before it: what is shown of 24 hours is never older than that.
        let since = Hour::of(visitor.now).before(23);
        let usage = authority.token_usage(caller, place, token.id, since).await?;
        let client = authority.last_client(caller, place, token.id).await?;
        Ok(Self::from(token.last_used_at, client, &usage, visitor.now))
    }

    fn from(used_at: Option<Timestamp>, client: Option<LastClient>, usage: &[Usage], now: Timestamp) -> Self {
        let of = |action| {
            let own = usage.iter().filter(|use_| use_.action == action);
            own.map(|use_| use_.requests).sum()
        };
        Self {
            last: last_use(used_at, client, now),
            writes: of(Action::Write),
            queries: of(Action::Read),
            databases: by_database(usage)
                .into_iter()
                .map(|(name, writes, queries)| {
                    format!("{name} ({}, {})", count(writes, "write"), in_queries(queries))
                })
                .collect(),
        }
    }

    /// The one fact that decides: whether something still uses it.
    pub(super) fn verdict(&self) -> String {
        match (self.writes, self.queries) {
            (0, 0) if self.is_in_use() => "It was used in the last 24 hours.".to_owned(),
            (0, 0) => "It was not used in the last 24 hours.".to_owned(),
            _ => format!("It is in use: {} in the last 24 hours.", self.counts(" and ")),
        }
    }

    /// How often it was used in the last 24 hours.
    pub(super) fn last_day(&self) -> String {
        match (self.writes, self.queries) {
            (0, 0) if self.is_in_use() => "used".to_owned(),
            _ => self.counts(", "),
        }
    }

    fn counts(&self, between: &str) -> String {
        format!(
            "{}{between}{}",
            count(self.writes, "write"),
            in_queries(self.queries)
        )
    }

    /// Whether something used it in the last 24 hours. Uses that were not counted, or in an hour that is counted no more,
    /// are known by when the last one was.
    pub(super) fn is_in_use(&self) -> bool {
        self.writes + self.queries > 0 || self.last.as_ref().is_some_and(LastUse::is_of_today)
    }
}

/// `1 query`, `12 queries`.
pub(super) fn in_queries(number: u64) -> String {
    let word = if number == 1 { "query" } else { "queries" };
    format!("{} {word}", grouped(number))
}

/// Writes and queries by database, most used first.
pub(super) fn by_database(usage: &[Usage]) -> Vec<(String, u64, u64)> {
    let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for one in usage {
        let sum = sums.entry(one.database.as_str()).or_default();
        match one.action {
            Action::Write => sum.0 += one.requests,
            Action::Read => sum.1 += one.requests,
        }
    }
    let mut rows: Vec<_> = sums
        .into_iter()
        .map(|(name, (writes, queries))| (name.to_owned(), writes, queries))
        .collect();
    rows.sort_by_key(|(_, writes, queries)| std::cmp::Reverse(writes + queries));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A use of which neither the client nor the count was kept is a use.
    #[test]
    fn what_was_used_is_never_called_unused() {
        let now = Timestamp::from_micros(1_767_323_045_000_000);
        let ago = |minutes: i64| now.plus_micros(-minutes * 60_000_000);
        let facts = |used_at| Facts::from(used_at, None, &[], now);

        let facts_now = facts(Some(ago(5)));
        assert_eq!(facts_now.verdict(), "It was used in the last 24 hours.");
        assert!(facts_now.is_in_use());
        assert!(facts_now.last.is_some_and(|last| last.client.is_none()));

        let facts_before = facts(Some(ago(25 * 60)));
        assert_eq!(facts_before.verdict(), "It was not used in the last 24 hours.");
        assert!(facts_before.last.is_some());

        assert!(facts(None).last.is_none());
    }
}
