//! `/accounts/{account}/users`: who has accepted.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::Page;
use rescind_domain::{AccountId, Subject, User, UserState, Verb};

use super::{invitations_path, user_path, users_path};
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
        ColumnSpec::sorted("status", "Status"),
        ColumnSpec::sorted("first", "First Name"),
        ColumnSpec::sorted("last", "Last Name"),
        ColumnSpec::sorted("email", "Email"),
        ColumnSpec::sorted("role", "Roles"),
        ColumnSpec::sorted("joined", "Joined On"),
    ],
    sort: "email",
    descending: false,
    filters: &[],
};

/// A row of the list.
pub(super) struct Row {
    status: Chip,
    is_gone: bool,
    is_self: bool,
    first_name: String,
    last_name: String,
    email: String,
    role: &'static str,
    joined: Moment,
    acts: Option<Acts>,
}

/// Where the acts on a user are.
struct Acts {
    role: String,
    /// Empty when the user is disabled.
    disable: String,
    /// Empty when the user is enabled.
    enable: String,
    sign_out: String,
    delete: String,
}

/// The list as a page: alone, or below a dialog.
#[derive(Template)]
#[template(path = "users/list.html")]
pub(super) struct ListPage {
    pub(super) frame: Frame,
    list: ListView,
    rows: Vec<Row>,
    has_acts: bool,
    invite: String,
    invitations: String,
}

/// `GET /accounts/{account}/users`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let state = state(&visitor, &visitor.browser.query)?;
    page(&build(&app, &visitor, state).await?)
}

/// The list's state as `fields` tell it: the query of its own address, or what a dialog carried along.
pub(super) fn state(visitor: &Visitor, fields: &Fields) -> Result<ListState, Fault> {
    Ok(SPEC.read(users_path(visitor.account_of()?), fields))
}

/// So many pages of users are read at most: of more than 10,000 people the list shows the first.
const MOST_PAGES: usize = 10;

async fn everyone(app: &App, visitor: &Visitor, account: AccountId) -> Result<Vec<User>, Fault> {
    let mut users = Vec::new();
    let mut page = Page::first(Page::MAX);
    for _ in 0..MOST_PAGES {
        let found = app.authority.users(&visitor.caller, account, &page).await?;
        users.extend(found.items);
        match found.next {
            Some(next) => page = Page::after(Page::MAX, next),
            None => break,
        }
    }
    Ok(users)
}

/// The page without a dialog. People are few: they are read together and sorted here.
pub(super) async fn build(
    app: &Arc<App>,
    visitor: &Visitor,
    mut state: ListState,
) -> Result<ListPage, Fault> {
    let account = visitor.account_of()?;
    let mut users = everyone(app, visitor, account).await?;
    users.retain(|user| matches(user, &state.search));
    users.sort_by_cached_key(|user| key(user, state.sort));
    if state.descending {
        users.reverse();
    }
    state.step_back(users.len());
    let has_acts = visitor.may(Verb::Update, Subject::User);
    let shown = users.iter().skip(state.offset()).take(state.rows);
    Ok(ListPage {
        frame: visitor.frame(app, Section::Users, "Users"),
        rows: shown.map(|user| row(visitor, &state, user, has_acts)).collect(),
        list: state.view(users.len()),
        has_acts,
        invite: match visitor.may(Verb::Create, Subject::Invitation) {
            true => state.over(&format!("{}/invite", users_path(account))),
            false => String::new(),
        },
        invitations: match visitor.may(Verb::Read, Subject::Invitation) {
            true => invitations_path(account),
            false => String::new(),
        },
    })
}

fn matches(user: &User, search: &str) -> bool {
    let search = search.to_lowercase();
    [user.email.as_str(), &user.first_name, &user.last_name]
        .iter()
        .any(|text| text.to_lowercase().contains(&search))
        || user.id.to_string() == search
}

/// By what users are sorted; ties by address.
fn key(user: &User, column: &str) -> (String, String) {
    let first = match column {
        "status" => status(user).word.to_owned(),
        "first" => user.first_name.to_lowercase(),
        "last" => user.last_name.to_lowercase(),
        "role" => user.role.to_string(),
        "joined" => format!("{:020}", user.created_at.micros()),
        _ => String::new(),
    };
    (first, user.email.folded())
}

fn status(user: &User) -> Chip {
    match user.state {
        UserState::Enabled => Chip::new("check-circle", "Enabled", "good"),
        UserState::Disabled { .. } => Chip::new("ban", "Disabled", ""),
    }
}

fn row(visitor: &Visitor, state: &ListState, user: &User, has_acts: bool) -> Row {
    let is_disabled = user.state != UserState::Enabled;
    let to = |act: &str| user_path(user.account, user.id, act);
    let when = |wanted: bool, path: String| if wanted { path } else { String::new() };
    Row {
        status: status(user),
        is_gone: is_disabled,
        is_self: user.id == visitor.user.id,
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        email: user.email.to_string(),
        role: words::role(user.role),
        joined: Moment(user.created_at),
        acts: has_acts.then(|| Acts {
            role: state.over(&to("role")),
            disable: when(!is_disabled, state.over(&to("disable"))),
            enable: when(is_disabled, to("enable")),
            sign_out: when(!is_disabled, state.over(&to("sign-out"))),
            delete: state.over(&to("delete")),
        }),
    }
}
