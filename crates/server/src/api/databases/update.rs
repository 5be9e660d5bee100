//! `PATCH …/databases/{databaseName}`

use rescind_authority as authority;
use rescind_wire::{Database, UpdateDatabase};

use crate::api::errors::Problem;
use crate::api::extract::{At, Body, DatabaseSegment};
use crate::api::receipts::Changed;

/// Change a database's limits
///
/// What is left out stays as it is. A new column limit applies to tables made from now on. The answer shows no partition
/// template.
#[utoipa::path(
    patch,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases/{databaseName}",
    operation_id = "UpdateClusterDatabase",
    tag = "Databases",
    params(At, DatabaseSegment),
    request_body = UpdateDatabase,
    responses((
            status = 200,
            description = "The database as it is now.",
            body = Database,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ))
)]
pub(crate) async fn update(
    At { asker, place, form }: At,
    DatabaseSegment(name): DatabaseSegment,
    Body(body): Body<UpdateDatabase>,
) -> Result<Changed<Database>, Problem> {
    let patch = body.parse()?;
    let request = authority::UpdateDatabase {
        max_tables: patch.max_tables,
        max_columns: patch.max_columns,
        retention: patch.retention,
    };
    let (database, receipt) = asker
        .authority
        .update_database(&asker.caller, place, name, request)
        .await?;
    Ok(Changed(receipt, Database::of(&database, form).without_template()))
}
