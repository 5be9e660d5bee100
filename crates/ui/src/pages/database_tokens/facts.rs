//! What a database token was used for, as facts: what revoking it would break.

use std::collections::BTreeMap;

use rescind_authority::Place;
use rescind_domain::{Action, DatabaseTokenId, Hour, LastClient, Usage};

use crate::app::App;
use crate::errors::Fault;
use crate::times::Age;
use crate::visitors::Visitor;
use crate::words::{count, grouped};

/// What the dialogs say of a token's use.
pub(super) struct Facts {
    /// When it was last used.
    pub(super) used: Option<Age>,
    /// From where.
    pub(super) address: String,
    /// By which client.
    pub(super) agent: String,
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
        id: DatabaseTokenId,
    ) -> Result<Self, Fault> {
        let since = Hour::of(visitor.now).before(24);
        let usage = app
            .authority
            .token_usage(&visitor.caller, place, id, since)
            .await?;
        let client = app.authority.last_client(&visitor.caller, place, id).await?;
        Ok(Self::from(visitor, &usage, client))
    }

    fn from(visitor: &Visitor, usage: &[Usage], client: Option<LastClient>) -> Self {
        let of = |action| {
            usage
                .iter()
                .filter(|use_| use_.action == action)
                .map(|use_| use_.requests)
                .sum()
        };
        let (address, agent) = client.as_ref().map_or_else(Default::default, |last| {
            (last.client.address.to_string(), last.client.agent.to_string())
        });
        Self {
            used: client.map(|last| Age {
                at: last.at,
                now: visitor.now,
            }),
            address,
            agent,
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
            (0, 0) => "It was not used in the last 24 hours.".to_owned(),
            (writes, queries) => format!(
                "It is in use: {} and {} in the last 24 hours.",
                count(writes, "write"),
                in_queries(queries)
            ),
        }
    }

    /// How often it was used in the last 24 hours.
    pub(super) fn last_day(&self) -> String {
        format!("{}, {}", count(self.writes, "write"), in_queries(self.queries))
    }

    /// Whether something used it in the last 24 hours.
    pub(super) fn is_in_use(&self) -> bool {
        self.writes + self.queries > 0
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
