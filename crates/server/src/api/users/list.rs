//! `GET /accounts/{accountId}/users`

use axum::extract::OriginalUri;
use axum::response::Response;
use rescind_authority::{Page, Paged};
use rescind_wire::{PageQuery, User};

use crate::api::errors::Problem;
use crate::api::extract::{With, Within};
use crate::api::pages;

/// List users
///
/// By e-mail address, disabled ones too. Without `limit` the list is complete.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/users",
    operation_id = "GetUsers",
    tag = "Users",
    params(Within, PageQuery),
    responses((
            status = 200,
            description = "The users.",
            body = [User],
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
            let found = asker.authority.users(&asker.caller, account, &page).await?;
            Ok(Paged {
                items: found.items.iter().map(User::from).collect(),
                next: found.next,
                total: found.total,
            })
        }
    };
    pages::answer(asker, &uri, asked, fetch).await
}
