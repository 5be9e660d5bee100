//! `DELETE /accounts/{accountId}/users/{userId}`

use rescind_wire::ErrorBody;

use crate::api::errors::Problem;
use crate::api::extract::{UserSegment, Within};
use crate::api::receipts::Gone;

/// Delete a user
///
/// For good, with its sessions and access tokens; tokens that it made stay. When the answer arrives, every node refuses
/// the user. The audit log keeps its id and address.
#[utoipa::path(
    delete,
    path = "/accounts/{accountId}/users/{userId}",
    operation_id = "DeleteUser",
    tag = "Users",
    params(Within, UserSegment),
    responses(
        (
            status = 204,
            description = "Deleted, on every node.",
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "Nobody would be left to administer the account.", body = ErrorBody)
    )
)]
pub(crate) async fn delete(
    Within { asker, account }: Within,
    UserSegment(id): UserSegment,
) -> Result<Gone, Problem> {
    let receipt = asker.authority.delete_user(&asker.caller, account, id).await?;
    Ok(Gone(receipt))
}
