//! `/clusters/{cluster}/databases`: the list, and every act on it.

use rescind_authority::{DatabaseFilter, DatabaseQuery, DatabaseSort, Page, Place};
use rescind_domain::Database;

use crate::app::App;
use crate::errors::Fault;
use crate::visitors::Visitor;

/// How many databases pages know of. A cluster has dozens.
const MOST: u32 = Page::MAX;

/// The databases of a cluster, by name.
pub(crate) async fn databases(
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
pub(crate) async fn storage_used(app: &App, visitor: &Visitor, place: Place) -> Result<u64, Fault> {
    let sizes = app.figures.database_bytes().await;
    let own = databases(app, visitor, place, DatabaseFilter::Active).await?;
    let own = own.iter().filter_map(|database| sizes.get(&database.id));
    Ok(own.sum())
}
