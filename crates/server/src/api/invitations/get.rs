//! `GET /accounts/{accountId}/invitations/{invitationId}`

use axum::Json;
use rescind_wire::Invitation;

use crate::api::errors::Problem;
use crate::api::extract::{InvitationSegment, Within};

/// Read an invitation
///
/// Never its link.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/invitations/{invitationId}",
    operation_id = "GetInvitation",
    tag = "Invitations",
    params(Within, InvitationSegment),
    responses((status = 200, description = "The invitation.", body = Invitation))
)]
pub(crate) async fn get(
    Within { asker, account }: Within,
    InvitationSegment(id): InvitationSegment,
) -> Result<Json<Invitation>, Problem> {
    let invitation = asker.authority.invitation(&asker.caller, account, id).await?;
    Ok(Json(Invitation::of(&invitation, asker.now)))
}
