//! `/accounts/{account}/users/{user}/role`: what a user may do.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::UpdateUser;
use rescind_domain::{Role, Subject, User, UserId, Verb};

use super::{list, user_path, users_path};
use crate::answers::page_with;
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::paths::Named;
use crate::people::full_name;
use crate::problems::Problems;
use crate::visitors::Visitor;
use crate::words;

#[derive(Template)]
#[template(path = "users/role.html")]
struct Dialog {
    sheet: Sheet,
    name: String,
    email: String,
    role: &'static str,
    roles: &'static [(&'static str, &'static str, &'static str)],
    problems: Problems,
}

/// The roles: as forms send them, as people read them, and what they allow.
pub(super) const ROLES: &[(&str, &str, &str)] = &[
    ("admin", "Admin", "Does everything on this account."),
    (
        "member",
        "Member",
        "Sees databases. Makes database tokens; edits and revokes their own.",
    ),
    ("auditor", "Auditor", "Sees everything, changes nothing."),
];

/// `GET …/{user}/role`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<UserId>,
) -> Result<Response, Fault> {
    let user = app
        .authority
        .user(&visitor.caller, visitor.account_of()?, id)
        .await?;
    visitor.must(Verb::Update, Subject::User)?;
    let below = visitor.browser.query.clone();
    dialog(&app, &visitor, &user, &below, Problems::default()).await
}

/// `POST …/{user}/role`.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Named(id): Named<UserId>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let account = visitor.account_of()?;
    let user = app.authority.user(&visitor.caller, account, id).await?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let mut problems = Problems::default();
    let role: Result<Role, String> = form.fields.text("role").parse();
    let Some(role) = problems.take("role", role.map_err(|error| sentence(&error))) else {
        return dialog(&app, &visitor, &user, &back, problems).await;
    };
    let request = UpdateUser {
        role: Some(role),
        ..UpdateUser::default()
    };
    match app
        .authority
        .update_user(&visitor.caller, account, id, request)
        .await
    {
        Ok((user, proof)) => {
            let words = format!(
                "{} is {} now, in every session. {}",
                full_name(&user),
                words::role(user.role),
                words::receipt("In force", &proof)
            );
            Ok(form.done(
                &back.after(&users_path(account)),
                Notice::done(words).proven(&proof),
            ))
        }
        Err(rescind_authority::Error::Conflict(reason)) => {
            problems.add("role", sentence(&reason));
            dialog(&app, &visitor, &user, &back, problems).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    user: &User,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = problems.status();
    let action = user_path(user.account, user.id, "role");
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Change Role", action, cancel),
        name: full_name(user),
        email: user.email.to_string(),
        role: user.role.as_str(),
        roles: ROLES,
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
