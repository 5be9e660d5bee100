//! `/profile/password`: a new password; the other sessions end with the old one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::header;
use rescind_authority::{Error, SignInError, SignedIn};

use super::show::build;
use crate::answers::page_with;
use crate::app::App;
use crate::cookies::Cookie;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::forms::Submission;
use crate::notices::Notice;
use crate::post::Mail;
use crate::problems::Problems;
use crate::visitors::Visitor;
use crate::words::count;

#[derive(Template)]
#[template(path = "profile/password.html")]
struct Dialog {
    sheet: Sheet,
    email: String,
    problems: Problems,
}

/// `GET /profile/password`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    dialog(&app, &visitor, Problems::default()).await
}

/// `POST /profile/password`.
pub(crate) async fn submit(State(app): State<Arc<App>>, form: Submission) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let fields = &form.fields;
    let (current, new) = (fields.raw("current_password"), fields.raw("password"));
    let mut problems = Problems::default();
    if new != fields.raw("password_again") {
        problems.add(
            "password_again",
            "The two passwords differ. Type the same one twice.",
        );
        return dialog(&app, &visitor, problems).await;
    }
    let client = visitor.browser.client.clone();
    let changed = app
        .authority
        .change_password(&visitor.caller, current.to_owned(), new.to_owned(), client)
        .await;
    match changed {
        Ok(signed_in) => {
            tell_of_new_password(&app, &signed_in);
            let words = "The password is changed. All your other sessions are ended.";
            let mut response = form.done("/profile", Notice::done(words));
            let cookie = Cookie::Session.set(signed_in.secret.expose(), None, app.secure);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            return Ok(response);
        }
        Err(SignInError::Wrong) => problems.add("current_password", "This is not your current password."),
        Err(SignInError::Throttled { retry_after }) => {
            let wait = count(retry_after.as_secs().max(1), "second");
            problems.add(
                "current_password",
                format!("Too many attempts. Try again in {wait}."),
            );
        }
        Err(SignInError::Failed(Error::Invalid { message, .. })) => {
            problems.add("password", sentence(&message))
        }
        Err(SignInError::Failed(error)) => return Err(error.into()),
    }
    dialog(&app, &visitor, problems).await
}

/// Tells the user by mail, where there is a mail server: a person who did not do this must hear of it. The answer does
/// not wait for it: it brings the only cookie that is of use from now on.
pub(crate) fn tell_of_new_password(app: &App, signed_in: &SignedIn) {
    let Some(post) = app.post.clone() else {
        return;
    };
    let client = &signed_in.session.client;
    let mail = Mail {
        to: signed_in.user.email.clone(),
        subject: "Your Rescind password was changed".to_owned(),
        text: format!(
            "Your password was changed at {}, from {} ({}).\n\nIf it was not you, ask an administrator to disable your user \
             at once.\n",
            signed_in.session.created_at.to_rfc3339(0),
            client.address,
            client.agent
        ),
    };
    tokio::spawn(async move {
        if let Err(error) = post.send(mail).await {
            tracing::warn!(%error, "a user was not told by mail of a new password");
        }
    });
}

async fn dialog(app: &Arc<App>, visitor: &Visitor, problems: Problems) -> Result<Response, Fault> {
    let mut page = build(app, visitor).await?;
    let status = problems.status();
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Change Password", "/profile/password", "/profile"),
        email: visitor.user.email.to_string(),
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
