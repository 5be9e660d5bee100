//! `GET …/tokens/{tokenId}`

use axum::Json;
use rescind_wire::DatabaseToken;

use crate::api::errors::Problem;
use crate::api::extract::{At, TokenSegment};

/// Read a database token
///
/// A revoked one too; never its secret.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/clusters/{clusterId}/tokens/{tokenId}",
    operation_id = "GetDatabaseToken",
    tag = "Database tokens",
    params(At, TokenSegment),
    responses((status = 200, description = "The token.", body = DatabaseToken))
)]
pub(crate) async fn get(
    At { asker, place, form }: At,
    TokenSegment(id): TokenSegment,
) -> Result<Json<DatabaseToken>, Problem> {
    let token = asker.authority.database_token(&asker.caller, place, id).await?;
    Ok(Json(DatabaseToken::of(&token, form)))
}
