//! `PUT …/databases/{databaseId}/undelete`

use rescind_wire::{ErrorBody, IdentifiedDatabase};

use crate::api::errors::Problem;
use crate::api::extract::{At, DatabaseIdSegment};
use crate::api::receipts::Changed;

/// Restore a deleted database
///
/// By its id, within 7 days of its deletion. Takes no body.
#[utoipa::path(
    put,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases/{databaseId}/undelete",
    operation_id = "UndeleteClusterDatabase",
    tag = "Databases",
    params(At, DatabaseIdSegment),
    responses(
        (
            status = 200,
            description = "The database as it is now.",
            body = IdentifiedDatabase,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "It is not deleted, was deleted too long ago, or an active database has its name.", body = ErrorBody)
    )
)]
pub(crate) async fn undelete(
    At { asker, place, form }: At,
    DatabaseIdSegment(id): DatabaseIdSegment,
) -> Result<Changed<IdentifiedDatabase>, Problem> {
    let (database, receipt) = asker
        .authority
        .undelete_database(&asker.caller, place, id)
        .await?;
    Ok(Changed(receipt, IdentifiedDatabase::of(&database, form)))
}
