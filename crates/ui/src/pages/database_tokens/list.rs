//! `/clusters/{cluster}/database-tokens`: found by search, filters and order, all of it on the server.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::Place;
use rescind_domain::{DatabaseToken, DatabaseTokenId, Resource, Subject, TokenStatus, Verb};

use super::{database_names, list_path, token_path};
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

/// The filter by database.
const DATABASE: &str = "database";

static SPEC: ListSpec = ListSpec {
    columns: &[
        ColumnSpec::sorted("status", "Status"),
        ColumnSpec::sorted("description", "Description"),
        ColumnSpec::sorted("id", "Token ID"),
        ColumnSpec::sorted("databases", "Databases"),
        ColumnSpec::sorted("created", "Created At").less(),
        ColumnSpec::sorted("expires", "Expires At"),
        ColumnSpec::sorted("used", "Last Used"),
    ],
    sort: "id",
    descending: false,
    filters: &[INACTIVE, DATABASE, CREATOR, UNUSED],
};

/// A row of the list.
pub(super) struct Row {
    pub(super) id: DatabaseTokenId,
    pub(super) href: String,
    pub(super) status: Chip,
    pub(super) is_gone: bool,
    pub(super) description: String,
    pub(super) databases: String,
    pub(super) created: Moment,
    pub(super) expires: Option<Moment>,
    pub(super) ends: Option<Age>,
    pub(super) used: Option<Age>,
    /// Where its dialogs are; empty where the visitor may not, or the token is revoked.
    pub(super) edit: String,
    pub(super) revoke: String,
}

/// The list as a page: alone, or below a dialog.
#[derive(Template)]
#[template(path = "database_tokens/list.html")]
pub(super) struct ListPage {
    pub(super) frame: Frame,
    list: ListView,
    rows: Vec<Row>,
    databases: Vec<String>,
    database: String,
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

/// `GET /clusters/{cluster}/database-tokens`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let state = state(&visitor, &visitor.browser.query)?;
    page(&build(&app, &visitor, state).await?)
}

/// The list's state as `fields` tell it: the query of its own address, or what a dialog carried along.
pub(super) fn state(visitor: &Visitor, fields: &Fields) -> Result<ListState, Fault> {
    Ok(SPEC.read(list_path(visitor.place()?.cluster), fields))
}

/// The page without a dialog.
pub(super) async fn build(
    app: &Arc<App>,
    visitor: &Visitor,
    mut state: ListState,
) -> Result<ListPage, Fault> {
    let place = visitor.place()?;
    let mut found = find(app, visitor, place, &state).await?;
    if state.step_back(found.total) {
        found = find(app, visitor, place, &state).await?;
    }
    let hidden_total = match found.total {
        0 => {
            let all = all_tokens();
            app.authority
                .search_database_tokens(&visitor.caller, place, &all)
                .await?
                .total
        }
        _ => 0,
    };
    let path = list_path(place.cluster);
    Ok(ListPage {
        frame: visitor.frame(app, Section::DatabaseTokens, "Database Tokens"),
        rows: found
            .items
            .iter()
            .map(|token| row(visitor, &state, token))
            .collect(),
        list: state.view(found.total),
        databases: database_names(app, visitor, place).await?,
        database: state.filter(DATABASE).to_owned(),
        unused: state.filter(UNUSED).to_owned(),
        unused_choices: UNUSED_CHOICES,
        is_own_only: state.filter(CREATOR) == "me",
        shows_inactive: !state.filter(INACTIVE).is_empty(),
        hidden: hidden(&state, hidden_total),
        may_create: visitor.may(Verb::Create, Subject::DatabaseToken),
        may_revoke: visitor.may(Verb::Delete, Subject::DatabaseToken),
        new: state.over(&format!("{path}/new")),
        revoke_several: format!("{path}/revoke"),
    })
}

async fn find(
    app: &Arc<App>,
    visitor: &Visitor,
    place: Place,
    state: &ListState,
) -> Result<rescind_authority::Found<DatabaseToken>, Fault> {
    let mut search = search(state, visitor);
    // A name that no database can have is no filter: the list shows all, and the filter's field shows none.
    search.database = state.filter(DATABASE).parse().ok();
    Ok(app
        .authority
        .search_database_tokens(&visitor.caller, place, &search)
        .await?)
}

fn row(visitor: &Visitor, state: &ListState, token: &DatabaseToken) -> Row {
    let status = token.state.status(token.expires_at, visitor.now);
    let href = token_path(token.cluster, token.id);
    let dialog = |verb, word: &str| {
        let may = visitor.may_with(verb, Subject::DatabaseToken, token.created_by);
        match may && status != TokenStatus::Revoked {
            true => state.over(&format!("{href}/{word}")),
            false => String::new(),
        }
    };
    Row {
        id: token.id,
        status: status.into(),
        is_gone: status != TokenStatus::Active,
        description: line(token.description.as_str()),
        databases: databases_of(token),
        created: Moment(token.created_at),
        expires: token.expires_at.map(Moment),
        ends: token
            .expires_at
            .filter(|_| status == TokenStatus::Active)
            .and_then(|at| soon(at, visitor.now)),
        used: token.last_used_at.map(|at| Age { at, now: visitor.now }),
        edit: dialog(Verb::Update, "edit"),
        revoke: dialog(Verb::Delete, "revoke"),
        href,
    }
}

/// `name`, or `name, + 1 more` (contract, admin-ui section 6).
pub(super) fn databases_of(token: &DatabaseToken) -> String {
    let mut names: Vec<&Resource> = token
        .permissions
        .iter()
        .map(|permission| &permission.resource)
        .collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => "None".to_owned(),
        [Resource::AllDatabases, ..] => "All Databases".to_owned(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first}, + {} more", rest.len()),
    }
}
