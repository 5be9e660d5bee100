//! `/accounts/{account}/users/invite`: a form over the list, then the one-time link.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::{Created, Invite};
use rescind_domain::{Email, Invitation, Role, Subject, Verb};

use super::role::ROLES;
use super::{invitations_path, list, users_path};
use crate::answers::{page, page_with};
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::frame::{Frame, Section};
use crate::people::full_name;
use crate::post::Mail;
use crate::problems::Problems;
use crate::times::Moment;
use crate::visitors::Visitor;
use crate::words;

#[derive(Template)]
#[template(path = "users/invite.html")]
struct Dialog {
    sheet: Sheet,
    email: String,
    role: String,
    roles: &'static [(&'static str, &'static str, &'static str)],
    is_mailed: bool,
    problems: Problems,
}

#[derive(Template)]
#[template(path = "users/invited.html")]
struct InvitedPage {
    frame: Frame,
    email: String,
    role: &'static str,
    expires: Moment,
    /// Empty where only the invited person shall see it.
    link: String,
    mailed: Mailed,
    is_known: bool,
    list: String,
}

/// What became of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mailed {
    /// There is no mail server: the link is handed over by hand.
    No,
    /// The mail server took it.
    Yes,
    /// It did not: why.
    Failed(String),
}

/// `GET …/users/invite`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    visitor.must(Verb::Create, Subject::Invitation)?;
    let below = visitor.browser.query.clone();
    let typed = (String::new(), Role::Member.as_str().to_owned());
    dialog(&app, &visitor, typed, &below, Problems::default()).await
}

/// `POST …/users/invite`.
pub(crate) async fn submit(State(app): State<Arc<App>>, mut form: Submission) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let account = visitor.account_of()?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let typed = (
        form.fields.text("email").to_owned(),
        form.fields.text("role").to_owned(),
    );
    let mut problems = Problems::default();
    let email: Result<Email, _> = typed.0.parse();
    let email = problems.take("email", email.map_err(|error| sentence(&error.to_string())));
    let role: Result<Role, String> = typed.1.parse();
    let role = problems.take("role", role.map_err(|error| sentence(&error)));
    let (Some(email), Some(role)) = (email, role) else {
        return dialog(&app, &visitor, typed, &back, problems).await;
    };
    let is_known = app.authority.user_by_email(&visitor.caller, &email).await.is_ok();
    let invite = Invite {
        email,
        first_name: String::new(),
        last_name: String::new(),
        role,
    };
    match app.authority.invite(&visitor.caller, account, invite).await {
        Ok(created) => {
            let words = "The invitation was made; its link was shown then and cannot be shown again.";
            form.remember(&invitations_path(account), words);
            handed_over(&app, &visitor, &created, is_known).await
        }
        Err(rescind_authority::Error::Conflict(reason)) => {
            problems.add("email", sentence(&reason));
            dialog(&app, &visitor, typed, &back, problems).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn handed_over(
    app: &App,
    visitor: &Visitor,
    created: &Created<Invitation>,
    is_known: bool,
) -> Result<Response, Fault> {
    let invitation = &created.item;
    let link = format!("{}/invitations/{}", app.public_url, created.secret.expose());
    let mailed = send(app, visitor, invitation, &link).await;
    let is_for_them_only = is_known && mailed == Mailed::Yes;
    let list = users_path(invitation.account);
    page(&InvitedPage {
        frame: visitor
            .frame(app, Section::Users, "Invitation made")
            .under("Users", &list),
        email: invitation.email.to_string(),
        role: words::role(invitation.role),
        expires: Moment(invitation.expires_at),
        link: if is_for_them_only { String::new() } else { link },
        mailed,
        is_known,
        list: invitations_path(invitation.account),
    })
}

async fn send(app: &App, visitor: &Visitor, invitation: &Invitation, link: &str) -> Mailed {
    let Some(post) = &app.post else {
        return Mailed::No;
    };
    let mail = Mail::invitation(invitation, link, &full_name(&visitor.user));
    match post.send(mail).await {
        Ok(()) => Mailed::Yes,
        Err(error) => Mailed::Failed(sentence(&error.to_string())),
    }
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    (email, role): (String, String),
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = problems.status();
    let action = format!("{}/invite", users_path(visitor.account_of()?));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Invite User", action, cancel),
        email,
        role,
        roles: ROLES,
        is_mailed: app.post.is_some(),
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
