//! `GET /accounts/{accountId}/management-tokens/{tokenId}`

use axum::Json;
use rescind_wire::ManagementToken;

use crate::api::errors::Problem;
use crate::api::extract::{ManagementTokenSegment, Within};

/// Read a management token
///
/// A revoked one too; never its secret.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/management-tokens/{tokenId}",
    operation_id = "GetManagementToken",
    tag = "Management tokens",
    params(Within, ManagementTokenSegment),
    responses((status = 200, description = "The token.", body = ManagementToken))
)]
pub(crate) async fn get(
    Within { asker, account }: Within,
    ManagementTokenSegment(id): ManagementTokenSegment,
) -> Result<Json<ManagementToken>, Problem> {
    let token = asker
        .authority
        .management_token(&asker.caller, account, id)
        .await?;
    Ok(Json(ManagementToken::from(&token)))
}
