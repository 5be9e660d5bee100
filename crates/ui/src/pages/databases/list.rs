//! `/clusters/{cluster}/databases`: what there is, how long it is kept and how large it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::DatabaseFilter;
use rescind_domain::{Database, DatabaseId, Subject, Verb};

use super::{database_path, databases, list_path};
use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::lists::{ColumnSpec, ListSpec, ListState, ListView};
use crate::retention::in_words;
use crate::times::Age;
use crate::visitors::Visitor;
use crate::words::{bytes, grouped};

/// The switch that also lists what is deleted.
const DELETED: &str = "deleted";

static SPEC: ListSpec = ListSpec {
    columns: &[
        ColumnSpec::sorted("name", "Name"),
        ColumnSpec::number("id", "Database ID"),
        ColumnSpec::number("tables", "Max Tables"),
        ColumnSpec::number("columns", "Max Columns Per Table"),
        ColumnSpec::sorted("retention", "Retention Period"),
        ColumnSpec::number("size", "Size"),
    ],
    sort: "name",
    descending: false,
    filters: &[DELETED],
};

/// A row of the list.
struct Row {
    id: DatabaseId,
    name: String,
    /// Its tables; empty when it is deleted.
    href: String,
    deleted: Option<Age>,
    max_tables: String,
    max_columns: String,
    retention: String,
    size: String,
    /// Where its dialogs are; empty where the visitor may not, or it makes no sense.
    set_retention: String,
    delete: String,
    restore: String,
}

/// The list as a page: alone, or below a dialog.
#[derive(Template)]
#[template(path = "databases/list.html")]
pub(super) struct ListPage {
    pub(super) frame: Frame,
    list: ListView,
    rows: Vec<Row>,
    shows_deleted: bool,
    may_create: bool,
    new: String,
}

/// `GET /clusters/{cluster}/databases`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let state = state(&visitor, &visitor.browser.query)?;
    page(&build(&app, &visitor, state).await?)
}

/// The list's state as `fields` tell it: the query of its own address, or what a dialog carried along.
pub(super) fn state(visitor: &Visitor, fields: &Fields) -> Result<ListState, Fault> {
    Ok(SPEC.read(list_path(visitor.place()?.cluster), fields))
}

/// The page without a dialog.
pub(super) async fn build(
    app: &Arc<App>,
    visitor: &Visitor,
    mut state: ListState,
) -> Result<ListPage, Fault> {
    let place = visitor.place()?;
    let shows_deleted = !state.filter(DELETED).is_empty();
    let filter = match shows_deleted {
        true => DatabaseFilter::All,
        false => DatabaseFilter::Active,
    };
    let sizes = app.figures.database_bytes().await;
    let mut found = databases(app, visitor, place, filter).await?;
    let sought = state.search.to_ascii_lowercase();
    found.retain(|database| {
        let name = database.name.as_str().to_ascii_lowercase();
        name.contains(&sought) || database.id.to_string().contains(&sought)
    });
    sort(&mut found, &sizes, &state);
    state.step_back(found.len());
    let shown = found.iter().skip(state.offset()).take(state.rows);
    Ok(ListPage {
        frame: visitor.frame(app, Section::Databases, "Databases"),
        rows: shown
            .map(|database| row(visitor, &state, &sizes, database))
            .collect(),
        list: state.view(found.len()),
        shows_deleted,
        may_create: visitor.may(Verb::Create, Subject::Database),
        new: state.over(&format!("{}/new", list_path(place.cluster))),
    })
}

fn sort(found: &mut [Database], sizes: &BTreeMap<DatabaseId, u64>, state: &ListState) {
    let size = |database: &Database| sizes.get(&database.id).copied().unwrap_or(0);
    found.sort_by_cached_key(|database| {
        let number = match state.sort {
            "id" => database.id.get(),
            "tables" => database.limits.max_tables.get().into(),
            "columns" => database.limits.max_columns.get().into(),
            // For ever is longer than any period.
            "retention" => match database.limits.retention.nanos() {
                0 => i64::MAX,
                nanos => nanos,
            },
            "size" => i64::try_from(size(database)).unwrap_or(i64::MAX),
            _ => 0,
        };
        let name = database.name.as_str().to_ascii_lowercase();
        (number, name, database.id)
    });
    if state.descending {
        found.reverse();
    }
}

fn row(visitor: &Visitor, state: &ListState, sizes: &BTreeMap<DatabaseId, u64>, database: &Database) -> Row {
    let path = database_path(database.cluster, database.id);
    let deleted_at = database.state.deleted_at();
    let dialog =
        |verb, word: &str, is_possible: bool| match is_possible && visitor.may(verb, Subject::Database) {
            true => state.over(&format!("{path}/{word}")),
            false => String::new(),
        };
    let is_active = deleted_at.is_none();
    Row {
        id: database.id,
        name: database.name.to_string(),
        href: if is_active {
            format!("{path}/tables")
        } else {
            String::new()
        },
        deleted: deleted_at.map(|at| Age { at, now: visitor.now }),
        max_tables: grouped(database.limits.max_tables.get().unsigned_abs().into()),
        max_columns: grouped(database.limits.max_columns.get().unsigned_abs().into()),
        retention: in_words(database.limits.retention),
        size: match sizes.get(&database.id) {
            // Of what is deleted, nothing is measured.
            None if !is_active => String::new(),
            size => bytes(size.copied().unwrap_or(0)),
        },
        set_retention: dialog(Verb::Update, "retention", is_active),
        delete: dialog(Verb::Delete, "delete", is_active),
        restore: dialog(Verb::Update, "restore", !is_active),
    }
}
