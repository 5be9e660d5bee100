//! `DELETE …/databases/{databaseName}/tables/{tableName}`

use crate::api::errors::Problem;
use crate::api::extract::{At, DatabaseSegment, TableSegment};
use crate::api::receipts::Gone;

/// Delete a table
///
/// It can be restored for 7 days.
#[utoipa::path(
    delete,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases/{databaseName}/tables/{tableName}",
    operation_id = "DeleteClusterDatabaseTable",
    tag = "Tables",
    params(At, DatabaseSegment, TableSegment),
    responses((
            status = 204,
            description = "Deleted, on every node.",
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ))
)]
pub(crate) async fn delete(
    At { asker, place, .. }: At,
    DatabaseSegment(database): DatabaseSegment,
    TableSegment(table): TableSegment,
) -> Result<Gone, Problem> {
    Ok(Gone(
        asker
            .authority
            .delete_table(&asker.caller, place, database, table)
            .await?,
    ))
}
