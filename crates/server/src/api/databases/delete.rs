//! `DELETE …/databases/{databaseName}`

use crate::api::errors::Problem;
use crate::api::extract::{At, DatabaseSegment};
use crate::api::receipts::Gone;

/// Delete a database
///
/// It can be restored for 7 days. Tokens are not touched: they work again on a new database of the name.
#[utoipa::path(
    delete,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases/{databaseName}",
    operation_id = "DeleteClusterDatabase",
    tag = "Databases",
    params(At, DatabaseSegment),
    responses((
            status = 204,
            description = "Deleted, on every node.",
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ))
)]
pub(crate) async fn delete(
    At { asker, place, .. }: At,
    DatabaseSegment(name): DatabaseSegment,
) -> Result<Gone, Problem> {
    Ok(Gone(
        asker
            .authority
            .delete_database(&asker.caller, place, name)
            .await?,
    ))
}
