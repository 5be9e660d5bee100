//! `/receipts/{revision}`: waits again for nodes that had not answered in the time that a page has.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use rescind_domain::Revision;

use crate::app::App;
use crate::errors::Fault;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::paths::{Named, local};
use crate::words::receipt;

/// `POST /receipts/{revision}`: back to the page that told of it, which tells what is known by then.
pub(crate) async fn wait(
    State(app): State<Arc<App>>,
    Named(revision): Named<Revision>,
    form: Submission,
) -> Result<Response, Fault> {
    let caller = &form.visitor.caller;
    let proof = app.authority.wait_again(caller, revision).await?;
    let location = local(form.fields.raw("back"));
    Ok(form.done(
        &location,
        Notice::done(receipt("In force", &proof)).proven(&proof),
    ))
}
