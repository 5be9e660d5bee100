//! `PATCH …/tokens/{tokenId}`

use rescind_authority as authority;
use rescind_wire::{DatabaseToken, ErrorBody, UpdateDatabaseToken};

use crate::api::errors::Problem;
use crate::api::extract::{At, Body, TokenSegment};
use crate::api::receipts::Changed;

/// Change a database token
///
/// Permissions replace the former ones as a whole. When the answer arrives, every node acts by it, and work that ran
/// under permissions taken away has been cut.
#[utoipa::path(
    patch,
    path = "/accounts/{accountId}/clusters/{clusterId}/tokens/{tokenId}",
    operation_id = "UpdateDatabaseToken",
    tag = "Database tokens",
    params(At, TokenSegment),
    request_body = UpdateDatabaseToken,
    responses(
        (
            status = 200,
            description = "The token as it is now.",
            body = DatabaseToken,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "The token is revoked.", body = ErrorBody)
    )
)]
pub(crate) async fn update(
    At { asker, place, form }: At,
    TokenSegment(id): TokenSegment,
    Body(body): Body<UpdateDatabaseToken>,
) -> Result<Changed<DatabaseToken>, Problem> {
    let patch = body.parse()?;
    let request = authority::UpdateDatabaseToken {
        description: patch.description,
        permissions: patch.permissions,
        if_unchanged: None,
    };
    let (token, receipt) = asker
        .authority
        .update_database_token(&asker.caller, place, id, request)
        .await?;
    Ok(Changed(receipt, DatabaseToken::of(&token, form)))
}
