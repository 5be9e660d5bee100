//! `GET /accounts/{accountId}/users/{userId}`

use axum::Json;
use rescind_wire::User;

use crate::api::errors::Problem;
use crate::api::extract::{UserSegment, Within};

/// Read a user
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/users/{userId}",
    operation_id = "GetUser",
    tag = "Users",
    params(Within, UserSegment),
    responses((status = 200, description = "The user.", body = User))
)]
pub(crate) async fn get(
    Within { asker, account }: Within,
    UserSegment(id): UserSegment,
) -> Result<Json<User>, Problem> {
    let user = asker.authority.user(&asker.caller, account, id).await?;
    Ok(Json(User::from(&user)))
}
