//! `PUT …/databases/{databaseName}/tables/{tableId}/undelete`

use rescind_wire::{ErrorBody, IdentifiedTable};

use super::shown;
use crate::api::errors::Problem;
use crate::api::extract::{At, DatabaseSegment, TableIdSegment};
use crate::api::receipts::Changed;

/// Restore a deleted table
///
/// By its id, within 7 days of its deletion. Takes no body.
#[utoipa::path(
    put,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases/{databaseName}/tables/{tableId}/undelete",
    operation_id = "UndeleteClusterDatabaseTable",
    tag = "Tables",
    params(At, DatabaseSegment, TableIdSegment),
    responses(
        (
            status = 200,
            description = "The table as it is now.",
            body = IdentifiedTable,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "It is not deleted, was deleted too long ago, or an active table has its name.", body = ErrorBody)
    )
)]
pub(crate) async fn undelete(
    At { asker, place, form }: At,
    DatabaseSegment(database): DatabaseSegment,
    TableIdSegment(id): TableIdSegment,
) -> Result<Changed<IdentifiedTable>, Problem> {
    let (restored, receipt) = asker
        .authority
        .undelete_table(&asker.caller, place, database, id)
        .await?;
    Ok(Changed(
        receipt,
        shown(&restored, form).identified(restored.table.id),
    ))
}
