//! `DELETE /accounts/{accountId}/invitations/{invitationId}`

use axum::http::StatusCode;
use rescind_wire::ErrorBody;

use crate::api::errors::Problem;
use crate::api::extract::{InvitationSegment, Within};

/// Withdraw an invitation
///
/// Its link works no more. Withdrawing it again is no error.
#[utoipa::path(
    delete,
    path = "/accounts/{accountId}/invitations/{invitationId}",
    operation_id = "DeleteInvitation",
    tag = "Invitations",
    params(Within, InvitationSegment),
    responses(
        (status = 204, description = "Withdrawn."),
        (status = 409, description = "It was accepted.", body = ErrorBody)
    )
)]
pub(crate) async fn revoke(
    Within { asker, account }: Within,
    InvitationSegment(id): InvitationSegment,
) -> Result<StatusCode, Problem> {
    asker
        .authority
        .revoke_invitation(&asker.caller, account, id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
