//! `PUT …/databases/{databaseName}/rename`

use rescind_wire::{ErrorBody, IdentifiedDatabase, RenameDatabase};

use crate::api::errors::Problem;
use crate::api::extract::{At, Body, DatabaseSegment};
use crate::api::receipts::Changed;

/// Rename a database
///
/// Its id stays. Tokens go by name: those for the old name no longer open it.
#[utoipa::path(
    put,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases/{databaseName}/rename",
    operation_id = "RenameClusterDatabase",
    tag = "Databases",
    params(At, DatabaseSegment),
    request_body = RenameDatabase,
    responses(
        (
            status = 200,
            description = "The database as it is now.",
            body = IdentifiedDatabase,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "An active database has the new name.", body = ErrorBody)
    )
)]
pub(crate) async fn rename(
    At { asker, place, form }: At,
    DatabaseSegment(name): DatabaseSegment,
    Body(body): Body<RenameDatabase>,
) -> Result<Changed<IdentifiedDatabase>, Problem> {
    let new_name = body.parse()?;
    let renamed = asker
        .authority
        .rename_database(&asker.caller, place, name, new_name)
        .await?;
    Ok(Changed(renamed.1, IdentifiedDatabase::of(&renamed.0, form)))
}
