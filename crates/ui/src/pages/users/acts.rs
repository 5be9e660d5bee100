//! What is done to a user as a whole: disabled, enabled, logged out everywhere, deleted. Each but enabling asks first.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::{Subject, User, UserId, Verb};

use super::{list, user_path, users_path};
use crate::answers::page_with;
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::pages::sign_out::farewell;
use crate::paths::Named;
use crate::people::full_name;
use crate::problems::Problems;
use crate::visitors::Visitor;
use crate::words::receipt;

/// One of the acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Disable,
    SignOut,
    Delete,
}

impl Act {
    fn path(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::SignOut => "sign-out",
            Self::Delete => "delete",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Disable => "Disable User",
            Self::SignOut => "Log Out Everywhere",
            Self::Delete => "Delete User",
        }
    }

    fn consequence(self) -> &'static str {
        match self {
            Self::Disable => {
                "All sessions of this user end on every node, in browsers and in influxctl. Tokens that the user made go on \
                 working. The user can be enabled again."
            }
            Self::SignOut => {
                "All sessions of this user end on every node, in browsers and in influxctl. The user can log in again."
            }
            Self::Delete => {
                "All sessions of this user end on every node, and the user is gone for good. Tokens that the user made go on \
                 working; the audit log keeps what the user did."
            }
        }
    }

    fn is_final(self) -> bool {
        self == Self::Delete
    }
}

#[derive(Template)]
#[template(path = "users/act.html")]
struct Dialog {
    sheet: Sheet,
    name: String,
    email: String,
    consequence: &'static str,
    verb: &'static str,
    is_final: bool,
    problems: Problems,
}

/// `GET …/{user}/disable`.
pub(crate) async fn disable(
    state: State<Arc<App>>,
    visitor: Visitor,
    id: Named<UserId>,
) -> Result<Response, Fault> {
    ask(state, visitor, id, Act::Disable).await
}

/// `POST …/{user}/disable`.
pub(crate) async fn disable_now(
    state: State<Arc<App>>,
    id: Named<UserId>,
    form: Submission,
) -> Result<Response, Fault> {
    act(state, id, form, Act::Disable).await
}

/// `GET …/{user}/sign-out`.
pub(crate) async fn sign_out(
    state: State<Arc<App>>,
    visitor: Visitor,
    id: Named<UserId>,
) -> Result<Response, Fault> {
    ask(state, visitor, id, Act::SignOut).await
}

/// `POST …/{user}/sign-out`.
pub(crate) async fn sign_out_now(
    state: State<Arc<App>>,
    id: Named<UserId>,
    form: Submission,
) -> Result<Response, Fault> {
    act(state, id, form, Act::SignOut).await
}

/// `GET …/{user}/delete`.
pub(crate) async fn delete(
    state: State<Arc<App>>,
    visitor: Visitor,
    id: Named<UserId>,
) -> Result<Response, Fault> {
    ask(state, visitor, id, Act::Delete).await
}

/// `POST …/{user}/delete`.
pub(crate) async fn delete_now(
    state: State<Arc<App>>,
    id: Named<UserId>,
    form: Submission,
) -> Result<Response, Fault> {
    act(state, id, form, Act::Delete).await
}

/// `POST …/{user}/enable`: takes nothing from anybody, so it asks nothing.
pub(crate) async fn enable_now(
    State(app): State<Arc<App>>,
    Named(id): Named<UserId>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = &form.visitor;
    let account = visitor.account_of()?;
    let user = app.authority.user(&visitor.caller, account, id).await?;
    let proof = app.authority.enable_user(&visitor.caller, account, id).await?;
    let words = format!(
        "{} is enabled and can log in again. {}",
        full_name(&user),
        receipt("In force", &proof)
    );
    Ok(form.done(&users_path(account), Notice::done(words).proven(&proof)))
}

async fn ask(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<UserId>,
    act: Act,
) -> Result<Response, Fault> {
    let user = app
        .authority
        .user(&visitor.caller, visitor.account_of()?, id)
        .await?;
    visitor.must(Verb::Update, Subject::User)?;
    let below = visitor.browser.query.clone();
    dialog(&app, &visitor, &user, act, &below, Problems::default()).await
}

async fn act(
    State(app): State<Arc<App>>,
    Named(id): Named<UserId>,
    form: Submission,
    act: Act,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let account = visitor.account_of()?;
    let user = app.authority.user(&visitor.caller, account, id).await?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let mut problems = Problems::default();
    if act.is_final() && !form.fields.is_on("understood") {
        problems.add("understood", "Tick the box to delete the user.");
        return dialog(&app, &visitor, &user, act, &back, problems).await;
    }
    let (authority, caller) = (&app.authority, &visitor.caller);
    let done = match act {
        Act::Disable => authority.disable_user(caller, account, id).await,
        Act::SignOut => authority.end_user_sessions(caller, account, id).await,
        Act::Delete => authority.delete_user(caller, account, id).await,
    };
    let proof = match done {
        Ok(proof) => proof,
        Err(rescind_authority::Error::Conflict(reason)) => {
            problems.add("act", sentence(&reason));
            return dialog(&app, &visitor, &user, act, &back, problems).await;
        }
        Err(error) => return Err(error.into()),
    };
    if id == visitor.user.id {
        let words = format!("You are logged out everywhere. {}", receipt("Refused", &proof));
        return Ok(farewell(&app, Notice::done(words).proven(&proof)));
    }
    let words = match act {
        Act::Disable => "is disabled",
        Act::SignOut => "is logged out everywhere",
        Act::Delete => "is deleted",
    };
    let words = format!("{} {words}. {}", full_name(&user), receipt("Refused", &proof));
    Ok(form.done(
        &back.after(&users_path(account)),
        Notice::done(words).proven(&proof),
    ))
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    user: &User,
    act: Act,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = problems.status();
    let action = user_path(user.account, user.id, act.path());
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, act.title(), action, cancel),
        name: full_name(user),
        email: user.email.to_string(),
        consequence: act.consequence(),
        verb: act.title(),
        is_final: act.is_final(),
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
