//! `/clusters/{cluster}/database-tokens/{token}`: everything about one token.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::{Action, DatabaseTokenId, Hour, Subject, TokenStatus, Usage, Verb};

use super::facts::by_database;
use super::permissions::{PermissionRow, PermissionRows, actions, called};
use super::{list_path, token_path};
use crate::answers::page;
use crate::app::App;
use crate::charts::{Bars, Series};
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::paths::Named;
use crate::people::{Person, who};
use crate::times::{Age, Moment};
use crate::tokens::line;
use crate::trails::{TrailEvent, trail};
use crate::visitors::Visitor;
use crate::words::{Chip, grouped};

#[derive(Template)]
#[template(path = "database_tokens/show.html")]
struct ShowPage {
    frame: Frame,
    status: Chip,
    id: DatabaseTokenId,
    prefix: String,
    description: String,
    created: Moment,
    created_by: Person,
    expires: Option<(Moment, Age)>,
    revoked: Option<(Moment, Age)>,
    used: Option<Age>,
    client: Option<(String, String)>,
    permissions: Vec<PermissionRow>,
    chart: String,
    by_database: Vec<(String, String, String)>,
    trail: Option<Vec<TrailEvent>>,
    edit: String,
    revoke: String,
}

/// A week, in hours.
const WEEK: i64 = 7 * 24;

/// `GET …/{token}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<DatabaseTokenId>,
) -> Result<Response, Fault> {
    let place = visitor.place()?;
    let authority = &app.authority;
    let token = authority.database_token(&visitor.caller, place, id).await?;
    let now = Hour::of(visitor.now);
    let usage = authority
        .token_usage(&visitor.caller, place, id, now.before(WEEK - 1))
        .await?;
    let client = authority.last_client(&visitor.caller, place, id).await?;
    let status = token.state.status(token.expires_at, visitor.now);
    let href = token_path(place.cluster, id);
    let age = |at| Age { at, now: visitor.now };
    let dialog = |verb, word: &str| {
        let may = visitor.may_with(verb, Subject::DatabaseToken, token.created_by);
        match may && status != TokenStatus::Revoked {
            true => format!("{href}/{word}"),
            false => String::new(),
        }
    };
    let frame = visitor
        .frame(&app, Section::DatabaseTokens, line(token.description.as_str()))
        .under("Database Tokens", list_path(place.cluster));
    page(&ShowPage {
        frame,
        status: status.into(),
        id,
        prefix: token.prefix.as_str().to_owned(),
        description: token.description.to_string(),
        created: Moment(token.created_at),
        created_by: who(&app, &visitor, token.created_by).await,
        expires: token.expires_at.map(|at| (Moment(at), age(at))),
        revoked: token.state.revoked_at().map(|at| (Moment(at), age(at))),
        used: token
            .last_used_at
            .max(client.as_ref().map(|last| last.at))
            .map(age),
        client: client.map(|last| (last.client.address.to_string(), last.client.agent.to_string())),
        permissions: PermissionRows::of(&token.permissions, Vec::new()).rows,
        chart: chart(&usage, now).render()?,
        by_database: by_database(&usage)
            .into_iter()
            .map(|(name, writes, queries)| (name, grouped(writes), grouped(queries)))
            .collect(),
        trail: trail(&app, &visitor, token.account, id).await?,
        edit: dialog(Verb::Update, "edit"),
        revoke: dialog(Verb::Delete, "revoke"),
    })
}

/// Requests per hour of the last seven days, up to `now`.
fn chart(usage: &[Usage], now: Hour) -> Bars {
    let first = now.before(WEEK - 1);
    let hours = (0..WEEK).map(|hour| Hour::new(first.number() + hour));
    let of = |hour: Hour, action: Action| -> u64 {
        let own = usage
            .iter()
            .filter(|one| one.hour == hour && one.action == action);
        own.map(|one| one.requests).sum()
    };
    let mut writes = Vec::new();
    let mut queries = Vec::new();
    let mut rows = Vec::new();
    let mut ticks = Vec::new();
    for (place, hour) in hours.enumerate() {
        let start = hour.start().to_rfc3339(0);
        if hour.number().rem_euclid(24) == 0 {
            ticks.push((place, start[5..10].to_owned()));
        }
        let counts = vec![of(hour, Action::Write), of(hour, Action::Read)];
        writes.push(counts[0]);
        queries.push(counts[1]);
        rows.push((start[..16].replace('T', " "), counts));
    }
    Bars {
        title: "Use in the last 7 days".to_owned(),
        unit: "requests per hour, UTC",
        series: vec![
            Series {
                label: "Writes",
                values: writes,
            },
            Series {
                label: "Queries",
                values: queries,
            },
        ],
        ticks,
        axis: "Hour",
        rows,
    }
}

impl ShowPage {
    /// A permission's database and actions, as people read them.
    fn words(&self, row: &PermissionRow) -> (String, &'static str) {
        (called(&row.database).to_owned(), actions(row))
    }
}
