//! `DELETE /accounts/{accountId}/management-tokens/{tokenId}`

use crate::api::errors::Problem;
use crate::api::extract::{ManagementTokenSegment, Within};
use crate::api::receipts::Gone;

/// Revoke a management token
///
/// The one that asks, too. What it made stays. When the answer arrives, every node refuses it. Revoking it again is no
/// error.
#[utoipa::path(
    delete,
    path = "/accounts/{accountId}/management-tokens/{tokenId}",
    operation_id = "DeleteManagementToken",
    tag = "Management tokens",
    params(Within, ManagementTokenSegment),
    responses((
            status = 204,
            description = "Revoked, on every node.",
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ))
)]
pub(crate) async fn revoke(
    Within { asker, account }: Within,
    ManagementTokenSegment(id): ManagementTokenSegment,
) -> Result<Gone, Problem> {
    Ok(Gone(
        asker
            .authority
            .revoke_management_token(&asker.caller, account, id)
            .await?,
    ))
}
