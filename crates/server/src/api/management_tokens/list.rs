//! `GET /accounts/{accountId}/management-tokens`

use axum::extract::OriginalUri;
use axum::response::Response;
use rescind_authority::{Page, Paged};
use rescind_wire::{ManagementToken, ManagementTokenListQuery};

use crate::api::errors::Problem;
use crate::api::extract::{With, Within};
use crate::api::listings::TokenListing;
use crate::api::pages;

/// List management tokens
///
/// Revoked and expired ones too, unless `status` says otherwise. Without `limit` the list is complete.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/management-tokens",
    operation_id = "GetManagementTokens",
    tag = "Management tokens",
    params(Within, ManagementTokenListQuery),
    responses((
            status = 200,
            description = "The tokens.",
            body = [ManagementToken],
            headers(
                ("Link" = String, description = "With `limit`, while there is more: `<…>; rel=\"next\"` (RFC 8288)."),
                ("Rescind-Total-Count" = i64, description = "With `limit`: elements over all pages.")
            )
        ))
)]
pub(crate) async fn list(
    With(within, query): With<Within, ManagementTokenListQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let listing = TokenListing::parse(
        query.status.as_deref(),
        query.search,
        query.sort.as_deref(),
        query.order,
    )?;
    let asked = rescind_wire::Page::parse(query.limit, query.cursor)?;
    let asker = within.asker.clone();
    let fetch = move |page: Page| {
        let Within { asker, account } = within.clone();
        let query = listing.query(asker.now, page);
        async move {
            let found = asker
                .authority
                .management_tokens(&asker.caller, account, &query)
                .await?;
            let items = found.items.iter().map(ManagementToken::from).collect();
            Ok(Paged {
                items,
                next: found.next,
                total: found.total,
            })
        }
    };
    pages::answer(asker, &uri, asked, fetch).await
}
