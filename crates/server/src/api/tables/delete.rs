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
            headers(
            ("Rescind-Revision" = i64, description = "The revision by which every node now acts."),
            ("Rescind-Nodes" = String, description = "Nodes that act by it, of all that held a lease: `1/1`."),
            ("Rescind-Effective-Ms" = i64, description = "How long that took, in milliseconds.")
        )
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
