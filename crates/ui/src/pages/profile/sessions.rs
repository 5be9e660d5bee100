//! `/profile/sessions/…/end`: ends one's own sessions.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use rescind_domain::SessionId;

use crate::app::App;
use crate::errors::Fault;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::pages::sign_out::{farewell, own_session_ended};
use crate::paths::Named;
use crate::words::receipt;

/// `POST /profile/sessions/{session}/end`.
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Named(id): Named<SessionId>,
    form: Submission,
) -> Result<Response, Fault> {
    let proof = app.authority.end_session(&form.visitor.caller, id).await?;
    if form.visitor.caller.session() == Some(id) {
        return Ok(farewell(&app, own_session_ended(&proof)));
    }
    let words = format!("The session is ended. {}", receipt("Refused", &proof));
    Ok(form.done("/profile", Notice::done(words).proven(&proof)))
}

/// `POST /profile/sessions/end`: all of them, this one too unless `keep` is set.
pub(crate) async fn end_all(State(app): State<Arc<App>>, form: Submission) -> Result<Response, Fault> {
    let keep = form.fields.is_on("keep");
    let proof = app.authority.end_sessions(&form.visitor.caller, keep).await?;
    let told = |what: &str| Notice::done(format!("{what} {}", receipt("Refused", &proof))).proven(&proof);
    match keep {
        true => Ok(form.done("/profile", told("All other sessions are ended."))),
        false => Ok(farewell(&app, told("You are logged out everywhere."))),
    }
}
