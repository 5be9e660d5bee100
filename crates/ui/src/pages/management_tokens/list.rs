//! `/accounts/{account}/management-tokens`: found by search, filters and order, all of it on the server.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::Found;
use rescind_domain::{ManagementToken, Subject};

use super::{common, list_path};
use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::lists::{ColumnSpec, ListSpec, ListState, ListView};
use crate::tokens::filters::{CREATOR, INACTIVE, Tools, UNUSED, all_tokens, search};
use crate::tokens::rows::Row;
use crate::visitors::Visitor;

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

/// The list as a page: alone, or below a dialog.
#[derive(Template)]
#[template(path = "management_tokens/list.html")]
pub(crate) struct ListPage {
    pub(super) frame: Frame,
    list: ListView,
    rows: Vec<Row>,
    tools: Tools,
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
    let unlisted = match found.total {
        0 => {
            let all = all_tokens();
            app.authority
                .search_management_tokens(&visitor.caller, account, &all)
                .await?
                .total
        }
        _ => 0,
    };
    let creators = app
        .authority
        .management_token_creators(&visitor.caller, account)
        .await?;
    let rows = found.items.iter();
    Ok(ListPage {
        frame: visitor.frame(app, Section::ManagementTokens, "Management Tokens"),
        rows: rows
            .map(|token| Row::of(visitor, &state, common(token)))
            .collect(),
        list: state.view(found.total),
        tools: Tools::of(
            visitor,
            &state,
            Subject::ManagementToken,
            &list_path(account),
            &creators,
            unlisted,
        ),
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
