//! Every page, by its address.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;

use crate::app::App;
use crate::errors::Fault;

mod accounts;
mod audit_log;
mod clusters;
mod database_tokens;
mod databases;
mod device;
mod help;
mod home;
mod invitations;
mod management_tokens;
mod nodes;
mod overview;
mod profile;
mod receipts;
mod revoking;
pub(crate) mod sign_in;
mod sign_out;
mod tables;
mod users;

/// Which address leads to which page. One line a page; `{cluster}` and `{account}` are read by
/// [`Known::place`](crate::visitors::Known::place) and `account_of`.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home::show))
        .route("/help", get(help::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_out::submit))
        .route(
            "/invitations/{secret}",
            get(invitations::show).post(invitations::accept),
        )
        .route("/device", get(device::show).post(device::submit))
        .route("/nodes", get(nodes::show))
        .route("/receipts/{revision}", post(receipts::wait))
        .route("/accounts/{account}/clusters", get(clusters::show))
        .route("/accounts/{account}/audit-log", get(audit_log::show))
        .merge(accounts::routes())
        .merge(profile::routes())
        .merge(overview::routes())
        .merge(databases::routes())
        .merge(tables::routes())
        .merge(database_tokens::routes())
        .merge(management_tokens::routes())
        .merge(users::routes())
        .fallback(no_page)
        .method_not_allowed_fallback(no_method)
}

async fn no_page() -> Fault {
    Fault::not_found("page")
}

async fn no_method() -> Fault {
    let text = "Open the page by a link, or send its form from the page itself.";
    Fault::told(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address is not used this way",
        text,
    )
}
