//! `GET …/databases/{databaseName}/tables`: an extension.

use axum::extract::OriginalUri;
use axum::response::Response;
use rescind_authority::{Page, Paged, TableQuery};
use rescind_wire::{Table, TableDetails, TableListQuery};

use crate::api::errors::Problem;
use crate::api::extract::{At, DatabaseSegment, With};
use crate::api::listings::filter;
use crate::api::pages;

/// List a database's tables
///
/// By name, with ids; `status` adds deleted ones.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases/{databaseName}/tables",
    operation_id = "GetClusterDatabaseTables",
    tag = "Tables",
    params(At, DatabaseSegment, TableListQuery),
    responses((status = 200, description = "The tables.", body = [TableDetails]))
)]
pub(crate) async fn list(
    With(at, query): With<At, TableListQuery>,
    DatabaseSegment(database): DatabaseSegment,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let status = query.status.unwrap_or_default();
    let asker = at.asker.clone();
    let fetch = move |page: Page| {
        let (At { asker, place, form }, database) = (at.clone(), database.clone());
        let query = TableQuery {
            filter: filter(status),
            search: None,
            descending: false,
            page,
        };
        async move {
            let found = asker
                .authority
                .tables(&asker.caller, place, &database, &query)
                .await?;
            let shown =
                |table| Table::of(table, place.account, place.cluster, &database, form).detailed(table);
            let items: Vec<TableDetails> = found.items.iter().map(shown).collect();
            Ok(Paged {
                items,
                next: found.next,
                total: found.total,
            })
        }
    };
    pages::answer(asker, &uri, rescind_wire::Page::default(), fetch).await
}
