//! `POST /accounts/{accountId}/management-tokens`

use rescind_authority as authority;
use rescind_wire::{CreateManagementToken, CreatedManagementToken};

use crate::api::errors::Problem;
use crate::api::extract::{Body, Within};
use crate::api::receipts::Changed;

/// Create a management token
///
/// The answer holds the secret, once. When it arrives, every node already honours the token.
#[utoipa::path(
    post,
    path = "/accounts/{accountId}/management-tokens",
    operation_id = "CreateManagementToken",
    tag = "Management tokens",
    params(Within),
    request_body = CreateManagementToken,
    responses((
            status = 200,
            description = "Created.",
            body = CreatedManagementToken,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ))
)]
pub(crate) async fn create(
    Within { asker, account }: Within,
    Body(body): Body<CreateManagementToken>,
) -> Result<Changed<CreatedManagementToken>, Problem> {
    let new = body.parse()?;
    let request = authority::CreateManagementToken {
        description: new.description,
        expires_at: new.expires_at,
    };
    let created = asker
        .authority
        .create_management_token(&asker.caller, account, request)
        .await?;
    let shown = CreatedManagementToken::of(&created.item, &created.secret);
    Ok(Changed(created.receipt, shown))
}
