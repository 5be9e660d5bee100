//! What the pages of both kinds of tokens share: filters, expiry, and how a new secret is handed over.

use rescind_authority::{RevokeOutcome, Revoked, TokenColumn, TokenSearch};
use rescind_domain::{Actor, LastClient, Receipt, Timestamp, TokenState, TokenStatus};

use crate::fields::Fields;
use crate::lists::ListState;
use crate::notices::Notice;
use crate::problems::Problems;
use crate::times::{self, Age};
use crate::visitors::Known;
use crate::words::{count, grouped, receipt};

/// The switch that also lists what does not work any more.
pub(crate) const INACTIVE: &str = "inactive";
/// The filter by who made a token: `me`, or nothing.
pub(crate) const CREATOR: &str = "creator";
/// The filter by use: a number of days, [`NEVER`], or nothing.
pub(crate) const UNUSED: &str = "unused";
/// Only tokens that were never used, though there was a day to use them.
pub(crate) const NEVER: &str = "never";

/// For how long a token may have been unused, in days, and in words.
pub(crate) const UNUSED_CHOICES: [(&str, &str); 5] = [
    (NEVER, "Never used, and older than a day"),
    ("1", "Not used for a day"),
    ("7", "Not used for 7 days"),
    ("30", "Not used for 30 days"),
    ("90", "Not used for 90 days"),
];

/// A day, in microseconds.
const DAY: i64 = 86_400 * 1_000_000;

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
    let is_own = state.filter(CREATOR) == "me";
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
        creator: is_own.then_some(Actor::User(visitor.user.id)),
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

/// Tokens that an empty list hides because they do not work any more.
pub(crate) struct Hidden {
    /// How many: `1 token`.
    pub(crate) number: String,
    /// The list with them.
    pub(crate) shown: String,
}

/// Asks how many tokens there are at all.
pub(crate) fn all_tokens() -> TokenSearch {
    TokenSearch {
        rows: 1,
        ..TokenSearch::default()
    }
}

/// What a list without rows hides, of `total` tokens that there are at all.
pub(crate) fn hidden(state: &ListState, total: usize) -> Option<Hidden> {
    (total > 0).then(|| Hidden {
        number: count(total as u64, "token"),
        shown: state.with_filter(INACTIVE, "1").href(),
    })
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

/// An expiry within a week is worth a word.
pub(crate) fn soon(at: Timestamp, now: Timestamp) -> Option<Age> {
    (at < now.plus_micros(7 * DAY)).then_some(Age { at, now })
}

/// A description for one line: its beginning, or what stands for none.
pub(crate) fn line(description: &str) -> String {
    let text: String = description.chars().take(200).collect();
    match text.trim() {
        "" => "No description".to_owned(),
        text => text.to_owned(),
    }
}

/// When a token was last used, and by whom, if that is known.
pub(crate) struct LastUse {
    /// When.
    pub(crate) age: Age,
    /// From which address, and by which client: empty where it does not say its name.
    pub(crate) client: Option<(String, String)>,
}

impl LastUse {
    /// Whether it was within the last 24 hours.
    pub(crate) fn is_of_today(&self) -> bool {
        self.age.at > self.age.now.plus_micros(-DAY)
    }
}

/// The last use of a token. Its moment is known of every token that was used; the client is not, of tokens used before
/// clients were kept, and of some of very many that are used at once.
pub(crate) fn last_use(at: Option<Timestamp>, client: Option<LastClient>, now: Timestamp) -> Option<LastUse> {
    let age = Age { at: at?, now };
    let client = client.map(|last| (last.client.address.to_string(), last.client.agent.to_string()));
    Some(LastUse { age, client })
}

/// What came of revoking several: others may have been faster, or have made them.
pub(crate) fn revoked<Id>(outcomes: &[Revoked<Id>], proof: &Receipt) -> Notice {
    let now = outcomes.iter().filter(|one| one.outcome == RevokeOutcome::Now);
    let now = now.count();
    let told = receipt("Refused", proof);
    let words = format!("Revoked {}.", count(now as u64, "token"));
    let notice = match outcomes.len() - now {
        0 => Notice::done(format!("{words} {told}")),
        others => Notice::told(format!(
            "{words} {} more had been revoked before, or may not be revoked by you. {told}",
            grouped(others as u64)
        )),
    };
    notice.proven(proof)
}

/// Said instead of an error when somebody else was faster.
pub(crate) fn already_revoked(description: &str, state: TokenState) -> Option<Notice> {
    let at = state.revoked_at()?;
    Some(Notice::told(format!(
        "“{}” was revoked before, at {}.",
        line(description),
        at.to_rfc3339(0)
    )))
}

/// The part of a form that says when a token shall end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expiry {
    /// Whether it shall.
    pub(crate) is_on: bool,
    /// The date typed.
    pub(crate) date: String,
    /// The time typed.
    pub(crate) time: String,
    /// The zone of both ([`times::from_fields`]).
    pub(crate) offset: String,
    /// The first date that makes sense.
    pub(crate) earliest: String,
}

impl Expiry {
    /// An empty one.
    pub(crate) fn blank(now: Timestamp) -> Self {
        Self {
            earliest: times::date_of(now.plus_micros(-DAY)),
            ..Self::default()
        }
    }

    /// What was typed.
    pub(crate) fn read(fields: &Fields, now: Timestamp) -> Self {
        Self {
            is_on: fields.is_on("expires"),
            date: fields.text("expiration_date").to_owned(),
            time: fields.text("expiration_time").to_owned(),
            offset: fields.text("offset").to_owned(),
            ..Self::blank(now)
        }
    }

    /// The moment meant; notes what is wrong with it.
    pub(crate) fn moment(&self, now: Timestamp, problems: &mut Problems) -> Option<Timestamp> {
        if !self.is_on {
            return None;
        }
        if self.date.is_empty() {
            problems.add("expiration_date", "Enter a date, or switch Expiration off.");
        }
        if self.time.is_empty() {
            problems.add("expiration_time", "Enter a time, such as 23:59.");
        }
        if self.date.is_empty() || self.time.is_empty() {
            return None;
        }
        let moment = times::from_fields(&self.date, &self.time, &self.offset);
        match moment {
            None => problems.add(
                "expiration_date",
                "Enter the date as YYYY-MM-DD and the time as HH:MM.",
            ),
            Some(moment) if moment <= now => problems.add("expiration_date", "Must lie in the future."),
            Some(_) => {}
        }
        moment
    }
}

/// A ready-made piece of text for a client.
pub(crate) struct Snippet {
    /// Which client.
    pub(crate) name: &'static str,
    /// What to put there.
    pub(crate) text: String,
}

/// What a profile says besides where the server does not speak TLS.
pub(crate) fn tls_of_profile(url: &str) -> &'static str {
    match url.starts_with("https:") {
        true => "",
        false => "\n\n[profile.tls]\ndisable = true",
    }
}

/// The host and the port of an address, as profiles want them.
pub(crate) fn host_and_port(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let usual = if url.starts_with("https:") { "443" } else { "80" };
    rest.rsplit_once(':').unwrap_or((rest, usual))
}
