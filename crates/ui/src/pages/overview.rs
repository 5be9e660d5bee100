//! `/clusters/{cluster}`: what the cluster is, what wants attention, and how it does.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;

mod attention;
mod metrics;
mod show;

/// The overview.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/clusters/{cluster}", get(show::show))
}
