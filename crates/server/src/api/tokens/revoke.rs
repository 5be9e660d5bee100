//! `DELETE …/tokens/{tokenId}`

use crate::api::errors::Problem;
use crate::api::extract::{At, TokenSegment};
use crate::api::receipts::Gone;

/// Revoke a database token
///
/// When the answer arrives, every node refuses the token, and what it had running has been cut. Revoking it again is no
/// error and waits for every node again.
#[utoipa::path(
    delete,
    path = "/accounts/{accountId}/clusters/{clusterId}/tokens/{tokenId}",
    operation_id = "DeleteDatabaseToken",
    tag = "Database tokens",
    params(At, TokenSegment),
    responses((
            status = 204,
            description = "Revoked, on every node.",
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ))
)]
pub(crate) async fn revoke(
    At { asker, place, .. }: At,
    TokenSegment(id): TokenSegment,
) -> Result<Gone, Problem> {
    Ok(Gone(
        asker
            .authority
            .revoke_database_token(&asker.caller, place, id)
            .await?,
    ))
}
