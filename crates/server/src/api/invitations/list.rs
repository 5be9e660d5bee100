//! `GET /accounts/{accountId}/invitations`

use axum::extract::OriginalUri;
use axum::response::Response;
use rescind_authority::{Page, Paged};
use rescind_wire::{Invitation, PageQuery};

use crate::api::errors::Problem;
use crate::api::extract::{With, Within};
use crate::api::pages;

/// List invitations
///
/// The newest first, those that are over too. Without `limit` the list is complete.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/invitations",
    operation_id = "GetInvitations",
    tag = "Invitations",
    params(Within, PageQuery),
    responses((
            status = 200,
            description = "The invitations, without their links.",
            body = [Invitation],
            headers(
                ("Link" = String, description = "With `limit`, while there is more: `<…>; rel=\"next\"` (RFC 8288)."),
                ("Rescind-Total-Count" = i64, description = "With `limit`: elements over all pages.")
            )
        ))
)]
pub(crate) async fn list(
    With(within, query): With<Within, PageQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let asked = rescind_wire::Page::parse(query.limit, query.cursor)?;
    let asker = within.asker.clone();
    let fetch = move |page: Page| {
        let Within { asker, account } = within.clone();
        async move {
            let found = asker.authority.invitations(&asker.caller, account, &page).await?;
            let shown = |invitation| Invitation::of(invitation, asker.now);
            Ok(Paged {
                items: found.items.iter().map(shown).collect(),
                next: found.next,
                total: found.total,
            })
        }
    };
    pages::answer(asker, &uri, asked, fetch).await
}
