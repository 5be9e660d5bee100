//! `/profile`: one's own account of oneself: name, password, sessions.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

mod password;
mod sessions;
mod show;

pub(crate) use password::tell_of_new_password;

/// The pages of the visitor's own profile.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/profile", get(show::show))
        .route("/profile/password", get(password::show).post(password::submit))
        .route("/profile/sessions/end", post(sessions::end_all))
        .route("/profile/sessions/{session}/end", post(sessions::end))
}
