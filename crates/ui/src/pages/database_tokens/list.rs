//! `/clusters/{cluster}/database-tokens`: found by search, filters and order, all of it on the server.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::Place;
use rescind_domain::{DatabaseToken, Resource, Subject, Verb};

use super::{common, database_names, list_path};
use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::lists::{ColumnSpec, ListSpec, ListState, ListView};
use crate::tokens::filters::{CREATOR, INACTIVE, Tools, UNUSED, all_tokens, search};
use crate::tokens::rows::Row as TokenRow;
use crate::visitors::Visitor;

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
struct Row {
    token: TokenRow,
    databases: String,
    /// Where its dialog is; empty where the visitor may not, or the token is revoked.
    edit: String,
}

/// The list as a page: alone, or below a dialog.
#[derive(Template)]
#[template(path = "database_tokens/list.html")]
pub(crate) struct ListPage {
    pub(super) frame: Frame,
    list: ListView,
    rows: Vec<Row>,
    tools: Tools,
    databases: Vec<String>,
    database: String,
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
    let unlisted = match found.total {
        0 => {
            let all = all_tokens();
            app.authority
                .search_database_tokens(&visitor.caller, place, &all)
                .await?
                .total
        }
        _ => 0,
    };
    let creators = app
        .authority
        .database_token_creators(&visitor.caller, place)
        .await?;
    let path = list_path(place.cluster);
    Ok(ListPage {
        frame: visitor.frame(app, Section::DatabaseTokens, "Database Tokens"),
        rows: found
            .items
            .iter()
            .map(|token| row(visitor, &state, token))
            .collect(),
        list: state.view(found.total),
        tools: Tools::of(
            visitor,
            &state,
            Subject::DatabaseToken,
            &path,
            &creators,
            unlisted,
        ),
        databases: database_names(app, visitor, place).await?,
        database: state.filter(DATABASE).to_owned(),
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
    let common = common(token);
    Row {
        databases: databases_of(token),
        edit: common.dialog(visitor, state, Verb::Update, "edit"),
        token: TokenRow::of(visitor, state, common),
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
