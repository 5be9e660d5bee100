//! `/accounts/{account}/management-tokens`: found by search, filters and order, all of it on the server.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::Found;
use rescind_domain::{ManagementToken, ManagementTokenId, Subject, TokenStatus, Verb};

use super::{list_path, token_path};
use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::lists::{ColumnSpec, ListSpec, ListState, ListView};
use crate::times::{Age, Moment};
use crate::tokens::{
    CREATOR, Hidden, INACTIVE, UNUSED, UNUSED_CHOICES, all_tokens, hidden, line, search, soon,
};
use crate::visitors::Visitor;
use crate::words::Chip;

static SPEC: ListSpec = ListSpec {
    columns: &[
        ColumnSpec::sorted("status", "Status"),
        ColumnSpec::sorted("description", "Description"),
        ColumnSpec::sorted("id", "Token ID"),
        ColumnSpec::sorted("created", "Created At").less(),
        ColumnSpec::sorted("expires", "Expires At"),
        ColumnSpec::sorted("used", "Last Used"),
    ],
    sort: "id",
    descending: false,
    filters: &[INACTIVE, CREATOR, UNUSED],
};

/// A row of the list.
pub(super) struct Row {
    id: ManagementTokenId,
    href: String,
    status: Chip,
    is_gone: bool,
    description: String,
    created: Moment,
    expires: Option<Moment>,
    ends: Option<Age>,
    used: Option<Age>,
    /// Where its dialog is; empty where the visitor may not, or the token is revoked.
    revoke: String,
}

/// The list as a page: alone, or below a dialog.
#[derive(Template)]
#[template(path = "management_tokens/list.html")]
pub(super) struct ListPage {
    pub(super) frame: Frame,
    list: ListView,
    rows: Vec<Row>,
    unused: String,
    unused_choices: [(&'static str, &'static str); UNUSED_CHOICES.len()],
    is_own_only: bool,
    shows_inactive: bool,
    hidden: Option<Hidden>,
    may_create: bool,
    may_revoke: bool,
    new: String,
    revoke_several: String,
}

/// `GET /accounts/{account}/management-tokens`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let state = state(&visitor, &visitor.browser.query)?;
    page(&build(&app, &visitor, state).await?)
}

/// The list's state as `fields` tell it: the query of its own address, or what a dialog carried along.
pub(super) fn state(visitor: &Visitor, fields: &Fields) -> Result<ListState, Fault> {
    Ok(SPEC.read(list_path(visitor.account_of()?), fields))
}

/// The page without a dialog.
pub(super) async fn build(
    app: &Arc<App>,
    visitor: &Visitor,
    mut state: ListState,
) -> Result<ListPage, Fault> {
    let mut found = find(app, visitor, &state).await?;
    if state.step_back(found.total) {
        found = find(app, visitor, &state).await?;
    }
    let account = visitor.account_of()?;
    let hidden_total = match found.total {
        0 => {
            let all = all_tokens();
            app.authority
                .search_management_tokens(&visitor.caller, account, &all)
                .await?
                .total
        }
        _ => 0,
    };
    let path = list_path(account);
    Ok(ListPage {
        frame: visitor.frame(app, Section::ManagementTokens, "Management Tokens"),
        rows: found
            .items
            .iter()
            .map(|token| row(visitor, &state, token))
            .collect(),
        list: state.view(found.total),
        unused: state.filter(UNUSED).to_owned(),
        unused_choices: UNUSED_CHOICES,
        is_own_only: state.filter(CREATOR) == "me",
        shows_inactive: !state.filter(INACTIVE).is_empty(),
        hidden: hidden(&state, hidden_total),
        may_create: visitor.may(Verb::Create, Subject::ManagementToken),
        may_revoke: visitor.may(Verb::Delete, Subject::ManagementToken),
        new: state.over(&format!("{path}/new")),
        revoke_several: format!("{path}/revoke"),
    })
}

async fn find(app: &Arc<App>, visitor: &Visitor, state: &ListState) -> Result<Found<ManagementToken>, Fault> {
    let search = search(state, visitor);
    let account = visitor.account_of()?;
    Ok(app
        .authority
        .search_management_tokens(&visitor.caller, account, &search)
        .await?)
}

fn row(visitor: &Visitor, state: &ListState, token: &ManagementToken) -> Row {
    let status = token.state.status(token.expires_at, visitor.now);
    let href = token_path(token.account, token.id);
    let may = visitor.may(Verb::Delete, Subject::ManagementToken) && status != TokenStatus::Revoked;
    Row {
        id: token.id,
        status: status.into(),
        is_gone: status != TokenStatus::Active,
        description: line(token.description.as_str()),
        created: Moment(token.created_at),
        expires: token.expires_at.map(Moment),
        ends: token
            .expires_at
            .filter(|_| status == TokenStatus::Active)
            .and_then(|at| soon(at, visitor.now)),
        used: token.last_used_at.map(|at| Age { at, now: visitor.now }),
        revoke: match may {
            true => state.over(&format!("{href}/revoke")),
            false => String::new(),
        },
        href,
    }
}
