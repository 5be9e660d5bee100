//! `GET …/tokens/{tokenId}/usage`

use axum::Json;
use rescind_domain::Hour;
use rescind_wire::TokenUsage;

use crate::api::errors::Problem;
use crate::api::extract::{At, TokenSegment};

/// How many hours before the present one are told: seven days.
const HOURS: i64 = 7 * 24;

/// Read what a database token is used for
///
/// Admitted requests by hour, database and action over seven days, and who came last. The last seconds may be missing;
/// a crash loses them. A help for whoever is about to revoke it, not a promise.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/clusters/{clusterId}/tokens/{tokenId}/usage",
    operation_id = "GetDatabaseTokenUsage",
    tag = "Database tokens",
    params(At, TokenSegment),
    responses((status = 200, description = "Its usage.", body = TokenUsage))
)]
pub(crate) async fn usage(
    At { asker, place, .. }: At,
    TokenSegment(id): TokenSegment,
) -> Result<Json<TokenUsage>, Problem> {
    let since = Hour::of(asker.now).before(HOURS);
    let hours = asker
        .authority
        .token_usage(&asker.caller, place, id, since)
        .await?;
    let last = asker.authority.last_client(&asker.caller, place, id).await?;
    Ok(Json(TokenUsage::of(&hours, last.as_ref())))
}
