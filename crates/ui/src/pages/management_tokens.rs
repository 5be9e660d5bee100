//! `/accounts/{account}/management-tokens`: the list, and every act on it.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use rescind_domain::{AccountId, ManagementTokenId};

use crate::app::App;

mod create;
mod facts;
mod list;
mod revoke;
mod revoke_several;
mod show;

/// The pages of management tokens.
pub(crate) fn routes() -> Router<Arc<App>> {
    const LIST: &str = "/accounts/{account}/management-tokens";
    let under = |rest: &str| format!("{LIST}{rest}");
    Router::new()
        .route(LIST, get(list::show))
        .route(&under("/new"), get(create::show).post(create::submit))
        .route(
            &under("/revoke"),
            get(revoke_several::show).post(revoke_several::submit),
        )
        .route(&under("/{token}"), get(show::show))
        .route(&under("/{token}/revoke"), get(revoke::show).post(revoke::submit))
}

/// Where the list of an account's management tokens is.
fn list_path(account: AccountId) -> String {
    format!("/accounts/{account}/management-tokens")
}

/// Where a management token's page is.
fn token_path(account: AccountId, token: ManagementTokenId) -> String {
    format!("/accounts/{account}/management-tokens/{token}")
}
