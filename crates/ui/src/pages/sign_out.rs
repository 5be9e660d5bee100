//! `/sign-out`: ends the session, on the server and in the browser.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};
use rescind_domain::Receipt;

use crate::answers::see;
use crate::app::App;
use crate::cookies::Cookie;
use crate::errors::Fault;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::words::receipt;

/// `POST /sign-out`.
pub(crate) async fn submit(State(app): State<Arc<App>>, form: Submission) -> Result<Response, Fault> {
    let Some(session) = form.visitor.caller.session() else {
        return Ok(farewell(&app, "You are logged out."));
    };
    let proof = app.authority.end_session(&form.visitor.caller, session).await?;
    Ok(farewell(&app, &own_session_ended(&proof)))
}

/// What to say to whoever ended the session that it came with: not that it is over while a node may still admit it.
pub(crate) fn own_session_ended(proof: &Receipt) -> String {
    match proof.is_complete() {
        true => "You are logged out.".to_owned(),
        false => format!("You are logged out here. {}", receipt("Refused", proof)),
    }
}

/// To the sign-in page, without the cookie.
pub(crate) fn farewell(app: &App, words: &str) -> Response {
    let mut response = see("/sign-in", Some(Notice::done(words)));
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, Cookie::Session.remove(app.secure));
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    response
}
