//! `POST …/databases/{databaseName}/tables`

use rescind_authority as authority;
use rescind_wire::{CreateTable, ErrorBody, Table};

use super::shown;
use crate::api::errors::Problem;
use crate::api::extract::{At, Body, DatabaseSegment};
use crate::api::receipts::Changed;

/// Create a table
///
/// Tables are otherwise made by the first write to them.
#[utoipa::path(
    post,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases/{databaseName}/tables",
    operation_id = "CreateClusterDatabaseTable",
    tag = "Tables",
    params(At, DatabaseSegment),
    request_body = CreateTable,
    responses(
        (
            status = 200,
            description = "Created.",
            body = Table,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "An active table has the name, or the database has as many tables as it may.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    At { asker, place, form }: At,
    DatabaseSegment(database): DatabaseSegment,
    Body(body): Body<CreateTable>,
) -> Result<Changed<Table>, Problem> {
    let new = body.parse()?;
    let request = authority::CreateTable {
        name: new.name,
        partition_template: new.partition_template,
    };
    let (created, receipt) = asker
        .authority
        .create_table(&asker.caller, place, database, request)
        .await?;
    Ok(Changed(receipt, shown(&created, form)))
}
