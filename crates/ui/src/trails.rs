//! Trails: what the audit log says of one thing, on that thing's own page.

use rescind_authority::{AuditQuery, Page};
use rescind_domain::{AccountId, AuditEvent, Subject, Verb};

use crate::app::App;
use crate::errors::Fault;
use crate::people::{Person, who};
use crate::times::{Age, Moment};
use crate::visitors::Visitor;
use crate::words::excerpt;

/// An event of a trail.
pub(crate) struct TrailEvent {
    /// When.
    pub(crate) at: Moment,
    /// How long ago.
    pub(crate) age: Age,
    /// Who.
    pub(crate) person: Person,
    /// What was done.
    pub(crate) act: String,
    /// The revision that it took; empty if none.
    pub(crate) revision: String,
}

/// As many as a page shows; the audit log has all.
const SHOWN: u32 = 50;

/// The newest events about `subject`, or nothing for a visitor who may not read them.
pub(crate) async fn trail(
    app: &App,
    visitor: &Visitor,
    account: AccountId,
    subject: impl ToString,
) -> Result<Option<Vec<TrailEvent>>, Fault> {
    if !visitor.may(Verb::Read, Subject::AuditEvent) {
        return Ok(None);
    }
    let query = AuditQuery {
        subject: Some(subject.to_string()),
        page: Page::first(SHOWN),
        ..AuditQuery::all(account)
    };
    let events = app.authority.audit_events(&visitor.caller, &query).await?;
    let mut trail = Vec::new();
    for event in events.items {
        trail.push(told(app, visitor, &event).await);
    }
    Ok(Some(trail))
}

async fn told(app: &App, visitor: &Visitor, event: &AuditEvent) -> TrailEvent {
    let verb = event.act.as_str().rsplit('.').next().unwrap_or_default();
    let detail = |name: &str| {
        let found = event.details.iter().find(|(own, _)| own == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    TrailEvent {
        at: Moment(event.at),
        age: Age {
            at: event.at,
            now: visitor.now,
        },
        person: who(app, visitor, event.actor).await,
        act: match verb {
            "create" => "Created".to_owned(),
            "update" => "Changed".to_owned(),
            "revoke" => "Revoked".to_owned(),
            "accept" => "Accepted".to_owned(),
            // `node-1 applied 3 ms, node-2 lapsed`.
            "receipt" => format!("Receipt: {}", excerpt(&detail("nodes"), 200)),
            other => other.to_owned(),
        },
        revision: match event.revision {
            Some(revision) => revision.to_string(),
            None => detail("revision"),
        },
    }
}
