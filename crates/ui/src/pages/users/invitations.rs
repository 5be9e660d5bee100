//! `/accounts/{account}/invitations`: who was invited, and what came of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::Page;
use rescind_domain::{Invitation, InvitationId, InvitationStatus, Subject, Verb};

use super::{invitations_path, users_path};
use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::lists::{ColumnSpec, ListSpec, ListState, ListView};
use crate::times::Moment;
use crate::visitors::Visitor;
use crate::words::{self, Chip};

static SPEC: ListSpec = ListSpec {
    columns: &[
        ColumnSpec::sorted("id", "Invite ID"),
        ColumnSpec::sorted("email", "Email"),
        ColumnSpec::sorted("role", "Role"),
        ColumnSpec::sorted("invited", "Invited At"),
        ColumnSpec::sorted("status", "Status"),
    ],
    sort: "invited",
    descending: true,
    filters: &[],
};

/// A row of the list.
pub(super) struct Row {
    id: InvitationId,
    href: String,
    email: String,
    role: &'static str,
    invited: Moment,
    status: Chip,
    is_gone: bool,
    /// Where its dialog is; empty where the visitor may not, or it is not pending.
    revoke: String,
}

/// The list as a page: alone, or below a dialog.
#[derive(Template)]
#[template(path = "users/invitations.html")]
pub(super) struct ListPage {
    pub(super) frame: Frame,
    list: ListView,
    rows: Vec<Row>,
    invite: String,
    users: String,
}

/// `GET /accounts/{account}/invitations`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let state = state(&visitor, &visitor.browser.query)?;
    page(&build(&app, &visitor, state).await?)
}

/// The list's state as `fields` tell it: the query of its own address, or what a dialog carried along.
pub(super) fn state(visitor: &Visitor, fields: &Fields) -> Result<ListState, Fault> {
    Ok(SPEC.read(invitations_path(visitor.account_of()?), fields))
}

/// The page without a dialog. Invitations are few: they are read together and sorted here.
pub(super) async fn build(
    app: &Arc<App>,
    visitor: &Visitor,
    mut state: ListState,
) -> Result<ListPage, Fault> {
    let account = visitor.account_of()?;
    let all = app
        .authority
        .invitations(&visitor.caller, account, &Page::first(Page::MAX))
        .await?;
    let search = state.search.to_lowercase();
    let mut found: Vec<Invitation> = all
        .items
        .into_iter()
        .filter(|one| one.email.folded().contains(&search) || one.id.to_string().starts_with(&search))
        .collect();
    found.sort_by_cached_key(|one| key(one, state.sort, visitor));
    if state.descending {
        found.reverse();
    }
    state.step_back(found.len());
    let shown = found.iter().skip(state.offset()).take(state.rows);
    Ok(ListPage {
        frame: visitor.frame(app, Section::Users, "Users"),
        rows: shown.map(|one| row(visitor, &state, one)).collect(),
        list: state.view(found.len()),
        invite: match visitor.may(Verb::Create, Subject::Invitation) {
            true => format!("{}/invite", users_path(account)),
            false => String::new(),
        },
        users: users_path(account),
    })
}

/// By what invitations are sorted; ties by time.
fn key(one: &Invitation, column: &str, visitor: &Visitor) -> (String, i64) {
    let first = match column {
        "id" => one.id.to_string(),
        "email" => one.email.folded(),
        "role" => one.role.to_string(),
        "status" => one.state.status(one.expires_at, visitor.now).as_str().to_owned(),
        _ => String::new(),
    };
    (first, one.created_at.micros())
}

fn row(visitor: &Visitor, state: &ListState, one: &Invitation) -> Row {
    let status = one.state.status(one.expires_at, visitor.now);
    let href = format!("{}/{}", invitations_path(one.account), one.id);
    let may = visitor.may(Verb::Delete, Subject::Invitation) && status == InvitationStatus::Pending;
    Row {
        id: one.id,
        email: one.email.to_string(),
        role: words::role(one.role),
        invited: Moment(one.created_at),
        status: status.into(),
        is_gone: matches!(status, InvitationStatus::Expired | InvitationStatus::Revoked),
        revoke: match may {
            true => state.over(&format!("{href}/revoke")),
            false => String::new(),
        },
        href,
    }
}
