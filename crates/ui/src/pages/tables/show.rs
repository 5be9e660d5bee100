//! `/clusters/{cluster}/databases/{database}/tables/{table}`: its columns.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::{DatabaseId, TableId};

use super::{list_path, partitioning};
use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::figures::Column;
use crate::frame::{Frame, Section};
use crate::pages::databases::active;
use crate::paths::Named;
use crate::times::Moment;
use crate::visitors::Visitor;
use crate::words::{bytes, grouped};

#[derive(Template)]
#[template(path = "tables/show.html")]
struct TablePage {
    frame: Frame,
    id: TableId,
    database: String,
    list: String,
    size: String,
    created: Moment,
    partitioning: String,
    /// `4 of 250`.
    used: String,
    /// Name, what it is, and what it holds.
    columns: Vec<(String, &'static str, String)>,
}

/// `GET …/{table}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(database): Named<DatabaseId>,
    Named(id): Named<TableId>,
) -> Result<Response, Fault> {
    let place = visitor.place()?;
    let database = active(&app, &visitor, database).await?;
    let found = app
        .authority
        .table(&visitor.caller, place, database.id, id)
        .await?
        .table;
    if found.state.deleted_at().is_some() {
        return Err(Fault::not_found("table"));
    }
    let sizes = app.figures.table_bytes(database.id).await;
    let columns = app.figures.columns(database.id, id).await;
    let list = list_path(place.cluster, database.id);
    let template = found
        .partition_template
        .as_ref()
        .or(database.partition_template.as_ref());
    page(&TablePage {
        frame: visitor
            .frame(&app, Section::Tables, found.name.as_str())
            .under("Tables", list_path(place.cluster, database.id))
            .under(database.name.as_str(), list.clone()),
        id,
        database: database.name.to_string(),
        list,
        size: bytes(sizes.get(&id).copied().unwrap_or(0)),
        created: Moment(found.created_at),
        partitioning: template.map_or_else(|| "by day".to_owned(), partitioning::in_words),
        used: format!(
            "{} of {}",
            grouped(columns.len() as u64),
            grouped(found.max_columns.get().unsigned_abs().into())
        ),
        columns: columns.into_iter().map(in_words).collect(),
    })
}

fn in_words(column: Column) -> (String, &'static str, String) {
    let (role, kind) = match column.kind.as_str() {
        "time" => ("Time", "timestamp"),
        "tag" => ("Tag", "string"),
        "f64" => ("Field", "float"),
        "i64" => ("Field", "integer"),
        "u64" => ("Field", "unsigned integer"),
        other => ("Field", other),
    };
    let kind = kind.to_owned();
    (column.name, role, kind)
}
