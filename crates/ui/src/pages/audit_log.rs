//! `/accounts/{account}/audit-log`: every administrative act, the newest first.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::{AuditQuery, Cursor, Page};
use rescind_domain::{AccountId, Act, Actor, AuditEvent, Revision, Timestamp};

use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::people::{Person, who};
use crate::times::{Age, Moment};
use crate::visitors::Visitor;
use crate::words::act_in_words;

struct Row {
    at: Moment,
    age: Age,
    person: Person,
    act: String,
    /// What it was done to: its own words if the event has them, and its id.
    subject: String,
    subject_href: String,
    id: String,
    details: String,
    revision: String,
    sequence: i64,
}

/// What is asked of the log.
struct Filters {
    act: String,
    actor: String,
    subject: String,
    from: String,
    to: String,
}

#[derive(Template)]
#[template(path = "audit_log.html")]
struct LogPage {
    frame: Frame,
    rows: Vec<Row>,
    filters: Filters,
    kinds: &'static [(&'static str, &'static str)],
    /// The one act that is asked for, in words; empty when a whole kind or any is.
    exact: String,
    path: String,
    older: String,
    newest: String,
}

/// The groups of acts: the beginning of their words, and what people call them.
const KINDS: &[(&str, &str)] = &[
    ("database_token.", "Database tokens"),
    ("management_token.", "Management tokens"),
    ("database.", "Databases"),
    ("table.", "Tables"),
    ("user.", "Users"),
    ("invitation.", "Invitations"),
    ("session.", "Sessions"),
    ("sign_in.", "Failed logins"),
    ("device.", "Devices"),
    ("account.", "Account"),
    ("cluster.", "Clusters"),
];

const ROWS: u32 = 50;

/// `GET /accounts/{account}/audit-log`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let account = visitor.account_of()?;
    let path = format!("/accounts/{account}/audit-log");
    let fields = visitor.browser.query.clone();
    let filters = Filters {
        act: fields.text("act").to_owned(),
        actor: fields.text("actor").to_owned(),
        subject: fields.text("subject").to_owned(),
        from: fields.text("from").to_owned(),
        to: fields.text("to").to_owned(),
    };
    let query = query(account, &visitor, &filters, &fields);
    let exact = filters
        .act
        .parse::<Act>()
        .map_or_else(|_| String::new(), act_in_words);
    let found = app.authority.audit_events(&visitor.caller, &query).await?;
    let mut rows = Vec::new();
    for event in found.items {
        rows.push(row(&app, &visitor, event).await);
    }
    let state = fields.clone().with("after", "");
    let older = found.next.map_or_else(String::new, |cursor| {
        state.clone().with("after", &cursor.to_string()).after(&path)
    });
    let newest = match fields.text("after") {
        "" => String::new(),
        _ => state.after(&path),
    };
    page(&LogPage {
        frame: visitor.frame(&app, Section::AuditLog, "Audit Log"),
        rows,
        filters,
        kinds: KINDS,
        exact,
        path,
        older,
        newest,
    })
}

/// What makes no sense counts as not said: the log shows more then, never less.
fn query(account: AccountId, visitor: &Visitor, filters: &Filters, fields: &Fields) -> AuditQuery {
    let actor = match filters.actor.as_str() {
        "me" => Some(Actor::User(visitor.user.id)),
        text => text.parse().ok(),
    };
    let day = |date: &str, plus: i64| -> Option<Timestamp> {
        let start: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
        Some(start.plus_micros(plus * 86_400_000_000))
    };
    let is_kind = KINDS.iter().any(|(prefix, _)| *prefix == filters.act);
    let is_known = is_kind || filters.act.parse::<Act>().is_ok();
    AuditQuery {
        actor,
        act_prefix: is_known.then(|| filters.act.clone()),
        subject: Some(filters.subject.clone()).filter(|subject| !subject.is_empty()),
        from: day(&filters.from, 0),
        to: day(&filters.to, 1),
        page: Page {
            after: fields.text("after").parse::<Cursor>().ok(),
            ..Page::first(ROWS)
        },
        ..AuditQuery::all(account)
    }
}

async fn row(app: &App, visitor: &Visitor, event: AuditEvent) -> Row {
    let detail = |name: &str| {
        let found = event.details.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.clone())
    };
    let subject = ["description", "name", "email"]
        .iter()
        .find_map(|name| detail(name));
    let details: Vec<String> = event
        .details
        .iter()
        .filter(|(name, value)| {
            !value.is_empty() && !["description", "name", "email", "revision"].contains(&name.as_str())
        })
        .map(|(name, value)| format!("{}: {value}", name.replace('_', " ")))
        .collect();
    Row {
        at: Moment(event.at),
        age: Age {
            at: event.at,
            now: visitor.now,
        },
        person: who(app, visitor, event.actor).await,
        act: act_in_words(event.act),
        subject: subject.unwrap_or_default(),
        subject_href: page_of(visitor, event.act, &event.subject),
        id: event.subject,
        details: details.join(" · "),
        revision: match event.revision {
            Some(revision) => revision.to_string(),
            // A receipt took none: it is that of the act it is about.
            None => detail("revision").unwrap_or_default(),
        },
        sequence: event.sequence,
    }
}

/// The page of what an act was done to; empty where there is none.
fn page_of(visitor: &Visitor, act: Act, subject: &str) -> String {
    let account = visitor.account.id;
    let kind = act.as_str().split('.').next().unwrap_or_default();
    // The receipt of several tokens is that of their revision, which has no page.
    if subject.parse::<Revision>().is_ok() {
        return String::new();
    }
    match (kind, visitor.clusters.as_slice()) {
        ("database_token", [only]) => format!("/clusters/{}/database-tokens/{subject}", only.id),
        ("management_token", _) => format!("/accounts/{account}/management-tokens/{subject}"),
        ("invitation", _) => format!("/accounts/{account}/invitations/{subject}"),
        _ => String::new(),
    }
}
