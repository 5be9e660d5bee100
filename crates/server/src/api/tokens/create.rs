//! `POST …/tokens`

use rescind_authority as authority;
use rescind_wire::{CreateDatabaseToken, CreatedDatabaseToken, ErrorBody};

use crate::api::errors::Problem;
use crate::api::extract::{At, Body};
use crate::api::receipts::Changed;

/// Create a database token
///
/// The answer holds the secret, once. When it arrives, every node already honours the token.
#[utoipa::path(
    post,
    path = "/accounts/{accountId}/clusters/{clusterId}/tokens",
    operation_id = "CreateDatabaseToken",
    tag = "Database tokens",
    params(At),
    request_body = CreateDatabaseToken,
    responses(
        (
            status = 200,
            description = "Created.",
            body = CreatedDatabaseToken,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "Declared for clients' sake; creating a token conflicts with nothing.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    At { asker, place, form }: At,
    Body(body): Body<CreateDatabaseToken>,
) -> Result<Changed<CreatedDatabaseToken>, Problem> {
    let new = body.parse()?;
    let request = authority::CreateDatabaseToken {
        description: new.description,
        permissions: new.permissions,
        expires_at: new.expires_at,
    };
    let created = asker
        .authority
        .create_database_token(&asker.caller, place, request)
        .await?;
    let shown = CreatedDatabaseToken::of(&created.item, &created.secret, form);
    Ok(Changed(created.receipt, shown))
}
