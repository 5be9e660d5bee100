//! `POST …/databases`

use rescind_authority as authority;
use rescind_wire::{CreateDatabase, Database, ErrorBody};

use crate::api::errors::Problem;
use crate::api::extract::{At, Body};
use crate::api::receipts::Changed;

/// Create a database
#[utoipa::path(
    post,
    path = "/accounts/{accountId}/clusters/{clusterId}/databases",
    operation_id = "CreateClusterDatabase",
    tag = "Databases",
    params(At),
    request_body = CreateDatabase,
    responses(
        (
            status = 200,
            description = "Created.",
            body = Database,
            headers(("Rescind-Revision" = i64, description = "The revision by which every node now acts."))
        ),
        (status = 409, description = "An active database has the name.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    At { asker, place, form }: At,
    Body(body): Body<CreateDatabase>,
) -> Result<Changed<Database>, Problem> {
    let new = body.parse()?;
    let request = authority::CreateDatabase {
        name: new.name,
        limits: new.limits,
        partition_template: new.partition_template,
    };
    let (database, receipt) = asker
        .authority
        .create_database(&asker.caller, place, request)
        .await?;
    Ok(Changed(receipt, Database::of(&database, form)))
}
