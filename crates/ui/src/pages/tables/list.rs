//! `/clusters/{cluster}/databases/{database}/tables`: what there is, and how large it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::{DatabaseFilter, Page, TableQuery};
use rescind_domain::{Database, DatabaseId, Subject, Table, TableId, Verb};

use super::{list_path, table_path};
use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::lists::{ColumnSpec, ListSpec, ListState, ListView};
use crate::pages::databases::{active, databases};
use crate::paths::Named;
use crate::retention;
use crate::times::Age;
use crate::visitors::Visitor;
use crate::words::{bytes, grouped};

/// The switch that also lists what is deleted.
const DELETED: &str = "deleted";
/// The most pages of the catalog that are read: more tables than a database may have.
const MOST_PAGES: usize = 20;

static SPEC: ListSpec = ListSpec {
    columns: &[
        ColumnSpec::sorted("name", "Table Name"),
        ColumnSpec::number("id", "Table ID"),
        ColumnSpec::number("size", "Table Size"),
    ],
    sort: "name",
    descending: false,
    filters: &[DELETED],
};

/// A row of the list.
struct Row {
    id: TableId,
    name: String,
    /// Its columns; empty when it is deleted.
    href: String,
    deleted: Option<Age>,
    size: String,
    /// Where the dialog is; empty where the visitor may not, or it makes no sense.
    restore: String,
}

/// The list as a page: alone, or below a dialog.
#[derive(Template)]
#[template(path = "tables/list.html")]
pub(super) struct ListPage {
    pub(super) frame: Frame,
    list: ListView,
    rows: Vec<Row>,
    database: String,
    databases: Vec<String>,
    /// Where choosing another database leads.
    choose: String,
    database_size: String,
    retention: String,
    /// `3 of 500`.
    used: String,
    shows_deleted: bool,
    may_create: bool,
    new: String,
}

/// `GET …/tables`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<DatabaseId>,
) -> Result<Response, Fault> {
    let database = active(&app, &visitor, id).await?;
    let state = state(&database, &visitor.browser.query);
    page(&build(&app, &visitor, &database, state).await?)
}

/// The list's state as `fields` tell it: the query of its own address, or what a dialog carried along.
pub(super) fn state(database: &Database, fields: &Fields) -> ListState {
    SPEC.read(list_path(database.cluster, database.id), fields)
}

/// The page without a dialog.
pub(super) async fn build(
    app: &Arc<App>,
    visitor: &Visitor,
    database: &Database,
    mut state: ListState,
) -> Result<ListPage, Fault> {
    let place = visitor.place()?;
    let shows_deleted = !state.filter(DELETED).is_empty();
    let sizes = app.figures.table_bytes(database.id).await;
    let mut found = tables(app, visitor, database).await?;
    let serving = found
        .iter()
        .filter(|table| table.state.deleted_at().is_none())
        .count();
    let sought = state.search.to_lowercase();
    found.retain(|table| {
        let is_found =
            table.name.as_str().to_lowercase().contains(&sought) || table.id.to_string().contains(&sought);
        is_found && (shows_deleted || table.state.deleted_at().is_none())
    });
    sort(&mut found, &sizes, &state);
    state.step_back(found.len());
    let shown = found.iter().skip(state.offset()).take(state.rows);
    let all = databases(app, visitor, place, DatabaseFilter::Active).await?;
    Ok(ListPage {
        frame: visitor.frame(app, Section::Tables, "Tables"),
        rows: shown
            .map(|table| row(visitor, &state, &sizes, database, table))
            .collect(),
        list: state.view(found.len()),
        database: database.name.to_string(),
        databases: all.iter().map(|one| one.name.to_string()).collect(),
        choose: format!("/clusters/{}/tables", place.cluster),
        database_size: bytes(sizes.values().sum()),
        retention: retention::in_words(database.limits.retention),
        used: format!(
            "{} of {}",
            grouped(serving as u64),
            grouped(database.limits.max_tables.get().unsigned_abs().into())
        ),
        shows_deleted,
        may_create: visitor.may(Verb::Create, Subject::Table),
        new: state.over(&format!("{}/new", list_path(place.cluster, database.id))),
    })
}

/// Every table of the database, deleted ones included.
async fn tables(app: &App, visitor: &Visitor, database: &Database) -> Result<Vec<Table>, Fault> {
    let place = visitor.place()?;
    let mut tables = Vec::new();
    let mut query = TableQuery {
        filter: DatabaseFilter::All,
        page: Page::first(Page::MAX),
        ..TableQuery::default()
    };
    for _ in 0..MOST_PAGES {
        let found = app
            .authority
            .tables(&visitor.caller, place, &database.name, &query)
            .await?;
        tables.extend(found.items);
        let Some(next) = found.next else { break };
        query.page = Page::after(Page::MAX, next);
    }
    Ok(tables)
}

fn sort(found: &mut [Table], sizes: &BTreeMap<TableId, u64>, state: &ListState) {
    found.sort_by_cached_key(|table| {
        let number = match state.sort {
            "id" => table.id.get().unsigned_abs(),
            "size" => sizes.get(&table.id).copied().unwrap_or(0),
            _ => 0,
        };
        (number, table.name.as_str().to_lowercase(), table.id)
    });
    if state.descending {
        found.reverse();
    }
}

fn row(
    visitor: &Visitor,
    state: &ListState,
    sizes: &BTreeMap<TableId, u64>,
    database: &Database,
    table: &Table,
) -> Row {
    let path = table_path(database.cluster, database.id, table.id);
    let deleted_at = table.state.deleted_at();
    Row {
        id: table.id,
        name: table.name.to_string(),
        size: match deleted_at {
            // Of what is deleted, nothing is measured.
            Some(_) => String::new(),
            None => bytes(sizes.get(&table.id).copied().unwrap_or(0)),
        },
        deleted: deleted_at.map(|at| Age { at, now: visitor.now }),
        restore: match deleted_at.is_some() && visitor.may(Verb::Update, Subject::Table) {
            true => state.over(&format!("{path}/restore")),
            false => String::new(),
        },
        href: match deleted_at {
            Some(_) => String::new(),
            None => path,
        },
    }
}
