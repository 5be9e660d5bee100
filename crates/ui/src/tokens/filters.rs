//! What stands around the rows of a list of tokens: search, filters, and what can be done from there.

use rescind_authority::{Creators, TokenColumn, TokenSearch};
use rescind_domain::{Subject, Timestamp, TokenStatus, Verb};

use super::DAY;
use super::creators::{self, CreatorChoices};
use crate::lists::ListState;
use crate::visitors::Known;
use crate::words::count;

/// The switch that also lists what does not work any more.
pub(crate) const INACTIVE: &str = "inactive";
/// The filter by who made a token.
pub(crate) const CREATOR: &str = "creator";
/// The filter by use: a number of days, [`NEVER`], or nothing.
pub(crate) const UNUSED: &str = "unused";
/// Only tokens that were never used, though there was a day to use them.
pub(crate) const NEVER: &str = "never";

/// For how long a token may have been unused, in days, and in words.
const UNUSED_CHOICES: [(&str, &str); 5] = [
    (NEVER, "Never used, and older than a day"),
    ("1", "Not used for a day"),
    ("7", "Not used for 7 days"),
    ("30", "Not used for 30 days"),
    ("90", "Not used for 90 days"),
];

/// The filters of a list and the acts it offers.
pub(crate) struct Tools {
    /// What the filter by use says.
    pub(crate) unused: String,
    /// What it may say, and in words.
    pub(crate) unused_choices: [(&'static str, &'static str); UNUSED_CHOICES.len()],
    /// The filter by creator.
    pub(crate) creators: CreatorChoices,
    /// Whether tokens are listed that do not work any more.
    pub(crate) shows_inactive: bool,
    /// What an empty list hides.
    pub(crate) hidden: Option<Hidden>,
    /// Where a token is made; empty where the visitor may not.
    pub(crate) new: String,
    /// Where several are revoked; empty where the visitor may not.
    pub(crate) revoke_several: String,
}

/// Tokens that an empty list hides because they do not work any more.
pub(crate) struct Hidden {
    /// How many: `1 token`.
    pub(crate) number: String,
    /// The list with them.
    pub(crate) shown: String,
}

impl Tools {
    /// Those of the list at `path`; `unlisted` tokens are there where it has no rows.
    pub(crate) fn of(
        visitor: &Known,
        state: &ListState,
        subject: Subject,
        path: &str,
        creators: &Creators,
        unlisted: usize,
    ) -> Self {
        let when = |verb, path: String| match visitor.may(verb, subject) {
            true => path,
            false => String::new(),
        };
        Self {
            unused: state.filter(UNUSED).to_owned(),
            unused_choices: UNUSED_CHOICES,
            creators: CreatorChoices::of(visitor.user.id, creators, state.filter(CREATOR)),
            shows_inactive: !state.filter(INACTIVE).is_empty(),
            hidden: (unlisted > 0).then(|| Hidden {
                number: count(unlisted as u64, "token"),
                shown: state.with_filter(INACTIVE, "1").href(),
            }),
            new: when(Verb::Create, state.over(&format!("{path}/new"))),
            revoke_several: when(Verb::Delete, format!("{path}/revoke")),
        }
    }
}

/// What the list's state asks of the index. The filter by database is the caller's to add.
pub(crate) fn search(state: &ListState, visitor: &Known) -> TokenSearch {
    let statuses = if state.filter(INACTIVE).is_empty() {
        vec![TokenStatus::Active]
    } else {
        vec![TokenStatus::Active, TokenStatus::Expired, TokenStatus::Revoked]
    };
    let days = state
        .filter(UNUSED)
        .parse::<i64>()
        .ok()
        .filter(|days| (1..=3_650).contains(days));
    let by_use = match state.filter(UNUSED) {
        NEVER => never_used(visitor.now),
        _ => TokenSearch {
            unused_since: days.map(|days| visitor.now.plus_micros(-days * DAY)),
            ..TokenSearch::default()
        },
    };
    TokenSearch {
        text: state.search.clone(),
        statuses,
        creator: creators::wanted(state.filter(CREATOR), visitor.user.id),
        sort: column(state.sort),
        descending: state.descending,
        offset: state.offset(),
        rows: state.rows,
        ..by_use
    }
}

/// Asks for tokens that were never used and are older than a day.
pub(crate) fn never_used(now: Timestamp) -> TokenSearch {
    TokenSearch {
        // Nothing was used before the epoch.
        unused_since: Some(Timestamp::from_micros(0)),
        created_before: Some(now.plus_micros(-DAY)),
        ..TokenSearch::default()
    }
}

/// Asks how many tokens there are at all.
pub(crate) fn all_tokens() -> TokenSearch {
    TokenSearch {
        rows: 1,
        ..TokenSearch::default()
    }
}

fn column(key: &str) -> TokenColumn {
    match key {
        "status" => TokenColumn::Status,
        "description" => TokenColumn::Description,
        "databases" => TokenColumn::Databases,
        "created" => TokenColumn::CreatedAt,
        "expires" => TokenColumn::ExpiresAt,
        "used" => TokenColumn::LastUsedAt,
        _ => TokenColumn::Id,
    }
}
