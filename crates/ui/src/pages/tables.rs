//! `/clusters/{cluster}/databases/{database}/tables`: the tables of a database, and every act on them.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use rescind_domain::{ClusterId, DatabaseId, TableId};

use crate::app::App;

mod choose;
mod create;
mod list;
mod partitioning;
mod restore;
mod show;

/// The pages of tables.
pub(crate) fn routes() -> Router<Arc<App>> {
    const LIST: &str = "/clusters/{cluster}/databases/{database}/tables";
    let under = |rest: &str| format!("{LIST}{rest}");
    Router::new()
        .route("/clusters/{cluster}/tables", get(choose::show))
        .route(LIST, get(list::show))
        .route(&under("/new"), get(create::show).post(create::submit))
        .route(&under("/{table}"), get(show::show))
        .route(
            &under("/{table}/restore"),
            get(restore::show).post(restore::submit),
        )
}

/// Where the list of a database's tables is.
fn list_path(cluster: ClusterId, database: DatabaseId) -> String {
    format!("/clusters/{cluster}/databases/{database}/tables")
}

/// Where a table's page is.
fn table_path(cluster: ClusterId, database: DatabaseId, table: TableId) -> String {
    format!("/clusters/{cluster}/databases/{database}/tables/{table}")
}
