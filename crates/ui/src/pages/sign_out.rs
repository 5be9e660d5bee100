//! `/sign-out`: ends the session, on the server and in the browser.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};

use crate::answers::see;
use crate::app::App;
use crate::cookies::Cookie;
use crate::errors::Fault;
use crate::forms::Submission;
use crate::notices::Notice;

/// `POST /sign-out`.
pub(crate) async fn submit(State(app): State<Arc<App>>, form: Submission) -> Result<Response, Fault> {
    if let Some(session) = form.visitor.caller.session() {
        app.authority.end_session(&form.visitor.caller, session).await?;
    }
    Ok(farewell(&app, "You are logged out."))
}

/// To the sign-in page, without the cookie.
pub(crate) fn farewell(app: &App, words: &str) -> Response {
    let mut response = see("/sign-in", Some(Notice::done(words)));
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, Cookie::Session.remove(app.secure));
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    response
}
