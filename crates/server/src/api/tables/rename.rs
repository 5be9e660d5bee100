//! `PUT …/databases/{databaseName}/tables/{tableName}/rename`

use rescind_wire::{ErrorBody, IdentifiedTable, RenameTable};

use super::shown;
use crate::api::errors::Problem;
use crate::api::extract::{At, Body, DatabaseSegment, TableSegment};
use crate::api::receipts::Changed;

/// Rename a table
///
/// Its id stays, and the old name still reaches it until another table takes that name.
#[utoipa::path(
    put,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases/{databaseName}/tables/{tableName}/rename",
    operation_id = "RenameClusterDatabaseTable",
    tag = "Tables",
    params(At, DatabaseSegment, TableSegment),
    request_body = RenameTable,
    responses(
        (
            status = 200,
            description = "The table as it is now.",
            body = IdentifiedTable,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "An active table has the new name.", body = ErrorBody)
    )
)]
pub(crate) async fn rename(
    At { asker, place, form }: At,
    DatabaseSegment(database): DatabaseSegment,
    TableSegment(table): TableSegment,
    Body(body): Body<RenameTable>,
) -> Result<Changed<IdentifiedTable>, Problem> {
    let new_name = body.parse()?;
    let (renamed, receipt) = asker
        .authority
        .rename_table(&asker.caller, place, database, table, new_name)
        .await?;
    Ok(Changed(
        receipt,
        shown(&renamed, form).identified(renamed.table.id),
    ))
}
