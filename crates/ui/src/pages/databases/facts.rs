//! Who works with a database, as facts: what deleting it would break.

use rescind_authority::{Place, TokenColumn, TokenSearch};
use rescind_domain::{Action, Database, DatabaseToken, Hour, TokenStatus, Usage};

use crate::app::App;
use crate::errors::Fault;
use crate::times::Age;
use crate::tokens::line;
use crate::visitors::Visitor;
use crate::words::count;

/// As many tokens are looked at: those that were used last.
const MOST: usize = 20;

/// A token that opens the database.
pub(super) struct Opener {
    pub(super) description: String,
    pub(super) used: Option<Age>,
    /// What it did on this database in the last 24 hours.
    pub(super) use_: String,
    pub(super) is_in_use: bool,
}

/// What the dialog says.
pub(super) struct Facts {
    /// Those that were used last.
    pub(super) tokens: Vec<Opener>,
    /// How many active tokens open it.
    pub(super) total: usize,
    /// The list of them.
    pub(super) list: String,
    /// Whether something uses it; empty if nothing does.
    pub(super) verdict: String,
}

impl Facts {
    /// The facts of one database.
    pub(super) async fn of(
        app: &App,
        visitor: &Visitor,
        place: Place,
        database: &Database,
    ) -> Result<Self, Fault> {
        let search = TokenSearch {
            statuses: vec![TokenStatus::Active],
            database: Some(database.name.clone()),
            sort: TokenColumn::LastUsedAt,
            descending: true,
            rows: MOST,
            ..TokenSearch::default()
        };
        let found = app
            .authority
            .search_database_tokens(&visitor.caller, place, &search)
            .await?;
        let since = Hour::of(visitor.now).before(23);
        let mut sums = (0, 0);
        let mut tokens = Vec::new();
        for token in &found.items {
            let usage = app
                .authority
                .token_usage(&visitor.caller, place, token.id, since)
                .await?;
            let (writes, queries) = on(database, &usage);
            sums = (sums.0 + writes, sums.1 + queries);
            tokens.push(opener(visitor, token, writes, queries));
        }
        let verdict = match sums {
            (0, 0) => String::new(),
            (writes, queries) => format!("In use: {} in the last 24 hours.", in_words(writes, queries)),
        };
        Ok(Self {
            tokens,
            total: found.total,
            list: format!(
                "/clusters/{}/database-tokens?database={}",
                place.cluster,
                form_urlencoded::byte_serialize(database.name.as_str().as_bytes()).collect::<String>()
            ),
            verdict,
        })
    }

    /// How many active tokens open it, in words.
    pub(super) fn total_in_words(&self) -> String {
        count(self.total as u64, "active token")
    }
}

fn opener(visitor: &Visitor, token: &DatabaseToken, writes: u64, queries: u64) -> Opener {
    Opener {
        description: line(token.description.as_str()),
        used: token.last_used_at.map(|at| Age { at, now: visitor.now }),
        use_: in_words(writes, queries),
        is_in_use: writes + queries > 0,
    }
}

/// Writes to and queries on this database.
fn on(database: &Database, usage: &[Usage]) -> (u64, u64) {
    let of = |action: Action| {
        let own = usage
            .iter()
            .filter(|one| one.action == action && one.database == database.name);
        own.map(|one| one.requests).sum::<u64>()
    };
    (of(Action::Write), of(Action::Read))
}

fn in_words(writes: u64, queries: u64) -> String {
    let queries_word = if queries == 1 { "query" } else { "queries" };
    format!(
        "{}, {} {queries_word}",
        count(writes, "write"),
        crate::words::grouped(queries)
    )
}
