//! `/accounts/{account}/users` and `/accounts/{account}/invitations`: the people of an account, and who is invited.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use rescind_domain::{AccountId, UserId};

use crate::app::App;

mod acts;
mod invitation;
mod invitations;
mod invite;
mod list;
mod role;

/// The pages of users and invitations.
pub(crate) fn routes() -> Router<Arc<App>> {
    const USERS: &str = "/accounts/{account}/users";
    const INVITATIONS: &str = "/accounts/{account}/invitations";
    let user = |rest: &str| format!("{USERS}{rest}");
    let invitation = |rest: &str| format!("{INVITATIONS}{rest}");
    Router::new()
        .route(USERS, get(list::show))
        .route(&user("/invite"), get(invite::show).post(invite::submit))
        .route(&user("/{user}/role"), get(role::show).post(role::submit))
        .route(
            &user("/{user}/disable"),
            get(acts::disable).post(acts::disable_now),
        )
        .route(&user("/{user}/delete"), get(acts::delete).post(acts::delete_now))
        .route(
            &user("/{user}/sign-out"),
            get(acts::sign_out).post(acts::sign_out_now),
        )
        .route(&user("/{user}/enable"), post(acts::enable_now))
        .route(INVITATIONS, get(invitations::show))
        .route(&invitation("/{invitation}"), get(invitation::show))
        .route(
            &invitation("/{invitation}/revoke"),
            get(invitation::revoke).post(invitation::revoke_now),
        )
}

/// Where the list of an account's users is.
fn users_path(account: AccountId) -> String {
    format!("/accounts/{account}/users")
}

/// Where an act on a user is.
fn user_path(account: AccountId, user: UserId, act: &str) -> String {
    format!("/accounts/{account}/users/{user}/{act}")
}

/// Where the list of an account's invitations is.
fn invitations_path(account: AccountId) -> String {
    format!("/accounts/{account}/invitations")
}
