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
        return Ok(farewell(&app, Notice::done("You are logged out.")));
    };
    let proof = app.authority.end_session(&form.visitor.caller, session).await?;
    Ok(farewell(&app, own_session_ended(&proof)))
}

/// What to say to whoever ended the session that it came with: not that it is over while a node may still admit it.
pub(crate) fn own_session_ended(proof: &Receipt) -> Notice {
    if proof.is_complete() {
        return Notice::done("You are logged out.");
    }
    let words = format!("You are logged out here. {}", receipt("Refused", proof));
    Notice::done(words).proven(proof)
}

/// To the page Log In, without the cookie.
pub(crate) fn farewell(app: &App, notice: Notice) -> Response {
    let mut response = see("/sign-in", Some(notice));
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, Cookie::Session.remove(app.secure));
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::proofs::{APPLIED, proof_of};
    use rescind_domain::NodeState;

    #[test]
    fn nobody_is_told_that_it_is_over_while_a_node_may_admit_the_session() {
        let over = own_session_ended(&proof_of([APPLIED, NodeState::Lapsed]));
        assert_eq!(
            (over.text.as_str(), over.class()),
            ("You are logged out.", "good")
        );
        let awaited = own_session_ended(&proof_of([APPLIED, NodeState::Awaited]));
        insta::assert_snapshot!(awaited.text);
        assert_eq!((awaited.nodes.len(), awaited.class()), (2, "warn"));
    }
}
