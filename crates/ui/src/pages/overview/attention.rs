//! What an administrator should look at: tokens that end soon, tokens that nobody uses, and what was revoked last.

use rescind_authority::{AuditQuery, Page, Place, TokenColumn, TokenSearch};
use rescind_domain::{Act, AuditEvent, DatabaseToken, DatabaseTokenId, Subject, TokenStatus, Verb};

use crate::app::App;
use crate::errors::Fault;
use crate::people::{Person, who};
use crate::times::Age;
use crate::tokens::filters::{NEVER, UNUSED, never_used};
use crate::tokens::line;
use crate::visitors::Visitor;
use crate::words::grouped;

/// A day, in microseconds.
const DAY: i64 = 86_400 * 1_000_000;
/// An expiry within so many days is soon: two weeks leave time to replace a token.
const SOON: i64 = 14;
/// As many of each as the page shows; the lists behind have all.
const SHOWN: usize = 5;
/// As many tokens are counted that end soon.
const COUNTED: usize = 100;

/// A token worth a look.
pub(super) struct Noted {
    pub(super) description: String,
    pub(super) href: String,
    /// When it ends, or was made.
    pub(super) age: Age,
}

/// Tokens worth a look, and how many there are.
pub(super) struct Group {
    pub(super) tokens: Vec<Noted>,
    /// `3`, `100 or more`.
    pub(super) total: String,
    /// Where the list of them is.
    pub(super) all: String,
}

/// One revocation.
pub(super) struct Revocation {
    pub(super) description: String,
    /// The token's page; empty when it is not one of this cluster.
    pub(super) href: String,
    pub(super) age: Age,
    pub(super) person: Person,
    pub(super) revision: String,
}

/// All of it.
pub(super) struct Attention {
    pub(super) ending: Group,
    pub(super) unused: Group,
    /// Nothing for a visitor who may not read the audit log.
    pub(super) revocations: Option<Vec<Revocation>>,
    /// Where the audit log is.
    pub(super) log: String,
}

/// What is worth a look on this cluster.
pub(super) async fn attention(app: &App, visitor: &Visitor, place: Place) -> Result<Attention, Fault> {
    Ok(Attention {
        ending: ending(app, visitor, place).await?,
        unused: unused(app, visitor, place).await?,
        revocations: revocations(app, visitor, place).await?,
        log: format!(
            "/accounts/{}/audit-log?act={}",
            place.account,
            Act::DatabaseTokenRevoke
        ),
    })
}

fn list_path(place: Place) -> String {
    format!("/clusters/{}/database-tokens", place.cluster)
}

fn noted(visitor: &Visitor, token: &DatabaseToken, at: rescind_domain::Timestamp) -> Noted {
    Noted {
        description: line(token.description.as_str()),
        href: format!("/clusters/{}/database-tokens/{}", token.cluster, token.id),
        age: Age { at, now: visitor.now },
    }
}

async fn ending(app: &App, visitor: &Visitor, place: Place) -> Result<Group, Fault> {
    let search = TokenSearch {
        statuses: vec![TokenStatus::Active],
        sort: TokenColumn::ExpiresAt,
        rows: COUNTED,
        ..TokenSearch::default()
    };
    let found = app
        .authority
        .search_database_tokens(&visitor.caller, place, &search)
        .await?;
    let end = visitor.now.plus_micros(SOON * DAY);
    let ends = |token: &DatabaseToken| token.expires_at.filter(|at| *at < end);
    let soon: Vec<Noted> = found
        .items
        .iter()
        .filter_map(|token| Some(noted(visitor, token, ends(token)?)))
        .collect();
    Ok(Group {
        total: match soon.len() {
            COUNTED => format!("{COUNTED} or more"),
            few => few.to_string(),
        },
        tokens: soon.into_iter().take(SHOWN).collect(),
        all: format!("{}?sort=expires&dir=asc", list_path(place)),
    })
}

/// Those that are older than a day and were never used, the oldest first: nobody misses them, and whoever has them can
/// use them.
async fn unused(app: &App, visitor: &Visitor, place: Place) -> Result<Group, Fault> {
    let search = TokenSearch {
        statuses: vec![TokenStatus::Active],
        sort: TokenColumn::CreatedAt,
        rows: SHOWN,
        ..never_used(visitor.now)
    };
    let found = app
        .authority
        .search_database_tokens(&visitor.caller, place, &search)
        .await?;
    Ok(Group {
        total: grouped(found.total as u64),
        tokens: found
            .items
            .iter()
            .map(|token| noted(visitor, token, token.created_at))
            .collect(),
        all: format!("{}?{UNUSED}={NEVER}&sort=created&dir=asc", list_path(place)),
    })
}

async fn revocations(app: &App, visitor: &Visitor, place: Place) -> Result<Option<Vec<Revocation>>, Fault> {
    if !visitor.may(Verb::Read, Subject::AuditEvent) {
        return Ok(None);
    }
    let query = AuditQuery {
        act: Some(Act::DatabaseTokenRevoke),
        page: Page::first(SHOWN as u32),
        ..AuditQuery::all(place.account)
    };
    let events = app.authority.audit_events(&visitor.caller, &query).await?;
    let mut revocations = Vec::new();
    for event in &events.items {
        revocations.push(revocation(app, visitor, place, event).await?);
    }
    Ok(Some(revocations))
}

async fn revocation(
    app: &App,
    visitor: &Visitor,
    place: Place,
    event: &AuditEvent,
) -> Result<Revocation, Fault> {
    let description = event.details.iter().find(|(key, _)| key == "description");
    // The log is the account's; the token may be one of another cluster.
    let href = match event.subject.parse::<DatabaseTokenId>() {
        Ok(id) => match app.authority.database_token(&visitor.caller, place, id).await {
            Ok(token) => format!("{}/{}", list_path(place), token.id),
            Err(rescind_authority::Error::NotFound { .. }) => String::new(),
            Err(error) => return Err(error.into()),
        },
        Err(_) => String::new(),
    };
    Ok(Revocation {
        description: line(description.map_or("", |(_, text)| text)),
        href,
        age: Age {
            at: event.at,
            now: visitor.now,
        },
        person: who(app, visitor, event.actor).await,
        revision: event
            .revision
            .map_or_else(String::new, |revision| revision.to_string()),
    })
}
