//! `GET /accounts/{accountId}`

use axum::Json;
use rescind_wire::Account;

use crate::api::errors::Problem;
use crate::api::extract::Within;

/// Read an account
#[utoipa::path(
    get,
    path = "/accounts/{accountId}",
    operation_id = "GetAccount",
    tag = "Accounts",
    params(Within),
    responses((status = 200, description = "The account.", body = Account))
)]
pub(crate) async fn get(Within { asker, account }: Within) -> Result<Json<Account>, Problem> {
    let account = asker.authority.account(&asker.caller, account).await?;
    Ok(Json(Account::from(&account)))
}
