//! `GET …/tokens`

use axum::extract::OriginalUri;
use axum::response::Response;
use rescind_authority::{Page, Paged};
use rescind_wire::{DatabaseToken, DatabaseTokenListQuery};

use crate::api::errors::Problem;
use crate::api::extract::{At, With};
use crate::api::listings::TokenListing;
use crate::api::pages;

/// List database tokens
///
/// Revoked and expired ones too, unless `status` says otherwise. Without `limit` the list is complete.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/clusters/{clusterId}/tokens",
    operation_id = "GetDatabaseTokens",
    tag = "Database tokens",
    params(At, DatabaseTokenListQuery),
    responses((
            status = 200,
            description = "The tokens.",
            body = [DatabaseToken],
            headers(
                ("Link" = String, description = "With `limit`, while there is more: `<…>; rel=\"next\"` (RFC 8288)."),
                ("Rescind-Total-Count" = i64, description = "With `limit`: elements over all pages.")
            )
        ))
)]
pub(crate) async fn list(
    With(at, query): With<At, DatabaseTokenListQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let database = query.parse_database()?;
    let listing = TokenListing::parse(
        query.status.as_deref(),
        query.search,
        query.sort.as_deref(),
        query.order,
    )?;
    let asked = rescind_wire::Page::parse(query.limit, query.cursor)?;
    let asker = at.asker.clone();
    let fetch = move |page: Page| {
        let (at, database) = (at.clone(), database.clone());
        let query = listing.query(at.asker.now, page);
        async move {
            let At { asker, place, form } = at;
            let found = asker
                .authority
                .database_tokens(&asker.caller, place, database.as_ref(), &query)
                .await?;
            let items = found
                .items
                .iter()
                .map(|token| DatabaseToken::of(token, form))
                .collect();
            Ok(Paged {
                items,
                next: found.next,
                total: found.total,
            })
        }
    };
    pages::answer(asker, &uri, asked, fetch).await
}
