//! `/accounts/{account}/management-tokens`: the list, and every act on it.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use rescind_domain::{AccountId, ManagementToken, ManagementTokenId, Subject};

use crate::app::App;
use crate::pages::revoking;
use crate::tokens::AnyToken;

mod create;
mod facts;
mod list;
mod revoke;
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
            get(revoking::ask_several::<ManagementToken>).post(revoking::act_on_several::<ManagementToken>),
        )
        .route(&under("/{token}"), get(show::show))
        .route(
            &under("/{token}/revoke"),
            get(revoking::ask::<ManagementToken>).post(revoking::act::<ManagementToken>),
        )
}

/// Where the list of an account's management tokens is.
fn list_path(account: AccountId) -> String {
    format!("/accounts/{account}/management-tokens")
}

/// Where a management token's page is.
fn token_path(account: AccountId, token: ManagementTokenId) -> String {
    format!("/accounts/{account}/management-tokens/{token}")
}

/// What a management token has in common with tokens of the other kind.
fn common(token: &ManagementToken) -> AnyToken {
    AnyToken {
        subject: Subject::ManagementToken,
        id: token.id.to_string(),
        href: token_path(token.account, token.id),
        description: token.description.to_string(),
        created_by: token.created_by,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        state: token.state,
    }
}
