//! `GET …/databases`

use axum::extract::OriginalUri;
use axum::response::Response;
use rescind_authority::{DatabaseQuery, DatabaseSort, Page, Paged};
use rescind_wire::{Database, DatabaseDetails, DatabaseListQuery, FieldError, StatusFilter};
use serde::Serialize;

use crate::api::errors::Problem;
use crate::api::extract::{At, With};
use crate::api::listings::filter;
use crate::api::pages;

/// An element of the list: as documented, or with what Rescind adds.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(crate) enum ListedDatabase {
    /// With `details=true`.
    Detailed(DatabaseDetails),
    /// As documented.
    Plain(Database),
}

/// List databases
///
/// By name. `details=true` adds ids, times and deleted ones.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases",
    operation_id = "GetClusterDatabases",
    tag = "Databases",
    params(At, DatabaseListQuery),
    responses((status = 200, description = "The databases.", body = [ListedDatabase]))
)]
pub(crate) async fn list(
    With(at, query): With<At, DatabaseListQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let is_detailed = query.details.unwrap_or_default();
    let status = query.status.unwrap_or_default();
    if status != StatusFilter::Active && !is_detailed {
        let message = "needs details=true, or deleted databases would look like active ones";
        return Err(FieldError::new("status", message).into());
    }
    let asker = at.asker.clone();
    let fetch = move |page: Page| {
        let At { asker, place, form } = at.clone();
        let query = DatabaseQuery {
            filter: filter(status),
            search: None,
            sort: DatabaseSort::Name,
            descending: false,
            page,
        };
        async move {
            let found = asker.authority.databases(&asker.caller, place, &query).await?;
            let shown = |database| match is_detailed {
                true => ListedDatabase::Detailed(DatabaseDetails::of(database, form)),
                false => ListedDatabase::Plain(Database::of(database, form)),
            };
            let items = found.items.iter().map(shown).collect();
            Ok(Paged {
                items,
                next: found.next,
                total: found.total,
            })
        }
    };
    pages::answer(asker, &uri, rescind_wire::Page::default(), fetch).await
}
