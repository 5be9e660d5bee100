//! `PATCH /accounts/{accountId}/users/{userId}`

use axum::response::{IntoResponse as _, Response};
use rescind_authority as authority;
use rescind_wire::{ErrorBody, UpdateUser, User, UserPatch};

use crate::api::errors::Problem;
use crate::api::extract::{Body, UserSegment, Within};
use crate::api::receipts::Changed;

/// Change a user
///
/// Its names or its role, or, in a request of its own, its state. When the answer arrives, every node acts by it: a
/// disabled user's sessions and access tokens are refused. Somebody must be left who can log in and administer.
#[utoipa::path(
    patch,
    path = "/accounts/{accountId}/users/{userId}",
    operation_id = "UpdateUser",
    tag = "Users",
    params(Within, UserSegment),
    request_body = UpdateUser,
    responses(
        (
            status = 200,
            description = "The user as it is now.",
            body = User,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "Nobody would be left to administer the account.", body = ErrorBody)
    )
)]
pub(crate) async fn update(
    Within { asker, account }: Within,
    UserSegment(id): UserSegment,
    Body(body): Body<UpdateUser>,
) -> Result<Response, Problem> {
    let (authority, caller) = (&asker.authority, &asker.caller);
    let receipt = match body.parse()? {
        UserPatch::Details {
            first_name,
            last_name,
            role,
        } => {
            let request = authority::UpdateUser {
                first_name,
                last_name,
                role,
            };
            let (user, receipt) = authority.update_user(caller, account, id, request).await?;
            return Ok(Changed(receipt, User::from(&user)).into_response());
        }
        UserPatch::Enable => authority.enable_user(caller, account, id).await?,
        UserPatch::Disable => authority.disable_user(caller, account, id).await?,
    };
    // Whoever disables oneself cannot read it any more, but it is done.
    let user = authority.user(caller, account, id).await?;
    Ok(Changed(receipt, User::from(&user)).into_response())
}
