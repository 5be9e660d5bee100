//! `POST /accounts/{accountId}/management-tokens/revoke`

use rescind_wire::{RevokeTokens, RevokedTokens};

use crate::api::errors::Problem;
use crate::api::extract::{Body, MANY_IDS, Within};
use crate::api::receipts::Changed;
use crate::api::revocations::shown;

/// Revoke several management tokens
///
/// The one that asks, too, which comes last. Each id has its own outcome. When the answer arrives, every node refuses
/// those that are revoked, and what they had running has been cut. Very many are revoked piece by piece: an error may come
/// when part is done, and says so. Repeating it is no error, does the rest, and waits for all of it.
#[utoipa::path(
    post,
    path = "/accounts/{accountId}/management-tokens/revoke",
    operation_id = "RevokeManagementTokens",
    tag = "Management tokens",
    params(Within),
    request_body = RevokeTokens,
    responses((
            status = 200,
            description = "What became of each, in the order given.",
            body = RevokedTokens,
            headers(("Rescind-Revision" = i64, description = "The last of its revisions, by which every node now acts."))
        ))
)]
pub(crate) async fn revoke_many(
    Within { asker, account }: Within,
    Body(body): Body<RevokeTokens, MANY_IDS>,
) -> Result<Changed<RevokedTokens>, Problem> {
    let (outcomes, receipt) = asker
        .authority
        .revoke_management_tokens(&asker.caller, account, body.parse()?)
        .await?;
    let shown = shown(&outcomes, &receipt);
    Ok(Changed(receipt, shown))
}
