//! `/accounts/{account}/management-tokens/{token}`: everything about one token.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::{AuditQuery, Page};
use rescind_domain::{Actor, ManagementTokenId, Subject, TokenStatus, Verb};

use super::{list_path, token_path};
use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::paths::Named;
use crate::people::{Person, who};
use crate::times::{Age, Moment};
use crate::tokens::line;
use crate::trails::{TrailEvent, trail};
use crate::visitors::Visitor;
use crate::words::{Chip, act_in_words};

/// Something that was done with the token.
struct Done {
    at: Moment,
    age: Age,
    act: String,
    subject: String,
}

#[derive(Template)]
#[template(path = "management_tokens/show.html")]
struct ShowPage {
    frame: Frame,
    status: Chip,
    id: ManagementTokenId,
    prefix: String,
    description: String,
    created: Moment,
    created_by: Person,
    expires: Option<(Moment, Age)>,
    revoked: Option<(Moment, Age)>,
    used: Option<Age>,
    client: Option<(String, String)>,
    done: Option<Vec<Done>>,
    trail: Option<Vec<TrailEvent>>,
    revoke: String,
}

/// So many of its acts are shown; the audit log has all.
const ACTS: u32 = 20;

/// `GET …/{token}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<ManagementTokenId>,
) -> Result<Response, Fault> {
    let account = visitor.account_of()?;
    let authority = &app.authority;
    let token = authority.management_token(&visitor.caller, account, id).await?;
    let client = authority
        .management_token_last_client(&visitor.caller, account, id)
        .await?;
    let status = token.state.status(token.expires_at, visitor.now);
    let age = |at| Age { at, now: visitor.now };
    let may = visitor.may(Verb::Delete, Subject::ManagementToken) && status != TokenStatus::Revoked;
    let title = line(token.description.as_str());
    let frame = visitor
        .frame(&app, Section::ManagementTokens, title.clone())
        .under("Management Tokens", list_path(account));
    page(&ShowPage {
        frame,
        status: status.into(),
        id,
        prefix: token.prefix.as_str().to_owned(),
        description: title,
        created: Moment(token.created_at),
        created_by: who(&app, &visitor, token.created_by).await,
        expires: token.expires_at.map(|at| (Moment(at), age(at))),
        revoked: token.state.revoked_at().map(|at| (Moment(at), age(at))),
        used: token
            .last_used_at
            .max(client.as_ref().map(|last| last.at))
            .map(age),
        client: client.map(|last| (last.client.address.to_string(), last.client.agent.to_string())),
        done: done_with(&app, &visitor, id).await?,
        trail: trail(&app, &visitor, account, id).await?,
        revoke: match may {
            true => format!("{}/revoke", token_path(account, id)),
            false => String::new(),
        },
    })
}

async fn done_with(app: &App, visitor: &Visitor, id: ManagementTokenId) -> Result<Option<Vec<Done>>, Fault> {
    if !visitor.may(Verb::Read, Subject::AuditEvent) {
        return Ok(None);
    }
    let query = AuditQuery {
        actor: Some(Actor::ManagementToken(id)),
        page: Page::first(ACTS),
        ..AuditQuery::all(visitor.account_of()?)
    };
    let events = app.authority.audit_events(&visitor.caller, &query).await?;
    let done = events.items.into_iter().map(|event| Done {
        at: Moment(event.at),
        age: Age {
            at: event.at,
            now: visitor.now,
        },
        act: act_in_words(event.act),
        subject: event.subject,
    });
    Ok(Some(done.collect()))
}
