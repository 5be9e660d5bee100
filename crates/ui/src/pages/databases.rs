//! `/clusters/{cluster}/databases`: the list, and every act on it.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use rescind_authority::{DatabaseFilter, DatabaseQuery, DatabaseSort, Page, Place};
use rescind_domain::{ClusterId, Database, DatabaseId, DatabaseState};

use crate::app::App;
use crate::errors::Fault;
use crate::visitors::Visitor;

mod create;
mod delete;
mod facts;
mod list;
mod restore;
mod retention;

/// The pages of databases. Their tables are pages of their own.
pub(crate) fn routes() -> Router<Arc<App>> {
    const LIST: &str = "/clusters/{cluster}/databases";
    let under = |rest: &str| format!("{LIST}{rest}");
    Router::new()
        .route(LIST, get(list::show))
        .route(&under("/new"), get(create::show).post(create::submit))
        .route(
            &under("/{database}/retention"),
            get(retention::show).post(retention::submit),
        )
        .route(
            &under("/{database}/delete"),
            get(delete::show).post(delete::submit),
        )
        .route(
            &under("/{database}/restore"),
            get(restore::show).post(restore::submit),
        )
}

/// Where the list of a cluster's databases is.
pub(super) fn list_path(cluster: ClusterId) -> String {
    format!("/clusters/{cluster}/databases")
}

/// Where a database's pages are.
pub(super) fn database_path(cluster: ClusterId, database: DatabaseId) -> String {
    format!("/clusters/{cluster}/databases/{database}")
}

/// How many databases pages know of. A cluster has dozens.
const MOST: u32 = Page::MAX;

/// The databases of a cluster, by name.
pub(super) async fn databases(
    app: &App,
    visitor: &Visitor,
    place: Place,
    filter: DatabaseFilter,
) -> Result<Vec<Database>, Fault> {
    let query = DatabaseQuery {
        filter,
        search: None,
        sort: DatabaseSort::Name,
        descending: false,
        page: Page::first(MOST),
    };
    let found = app.authority.databases(&visitor.caller, place, &query).await?;
    Ok(found.items)
}

/// How many bytes the databases of a cluster occupy.
pub(super) async fn storage_used(app: &App, visitor: &Visitor, place: Place) -> Result<u64, Fault> {
    let sizes = app.figures.database_bytes().await;
    let own = databases(app, visitor, place, DatabaseFilter::Active).await?;
    let own = own.iter().filter_map(|database| sizes.get(&database.id));
    Ok(own.sum())
}

/// The database of this id, for an act on one that serves.
pub(super) async fn active(app: &App, visitor: &Visitor, id: DatabaseId) -> Result<Database, Fault> {
    let place = visitor.place()?;
    let database = app.authority.database(&visitor.caller, place, id).await?;
    match database.state {
        DatabaseState::Active => Ok(database),
        DatabaseState::Deleted { .. } => Err(Fault::not_found("database")),
    }
}
