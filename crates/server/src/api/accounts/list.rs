//! `GET /accounts`

use axum::Json;
use rescind_wire::Account;

use crate::api::errors::Problem;
use crate::api::extract::Asker;

/// List accounts
///
/// Those that the caller may see: its own.
#[utoipa::path(
    get,
    path = "/accounts",
    operation_id = "GetAccounts",
    tag = "Accounts",
    responses((status = 200, description = "The accounts.", body = [Account]))
)]
pub(crate) async fn list(asker: Asker) -> Result<Json<Vec<Account>>, Problem> {
    let accounts = asker.authority.accounts(&asker.caller).await?;
    Ok(Json(accounts.iter().map(Account::from).collect()))
}
