//! `/clusters/{cluster}/databases/{database}/tables/{table}/restore`: back with its data.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rescind_authority::{Error, TableOf};
use rescind_domain::{DatabaseId, DatabaseState, Subject, TableId, Timestamp, Verb};

use super::{list, list_path, table_path};
use crate::answers::{page_with, see};
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::pages::databases::active;
use crate::paths::Named;
use crate::problems::Problems;
use crate::times::{Age, Moment};
use crate::visitors::Visitor;
use crate::words::receipt;

#[derive(Template)]
#[template(path = "tables/restore.html")]
struct Dialog {
    sheet: Sheet,
    database: String,
    name: String,
    deleted: Moment,
    age: Age,
    restorable: Moment,
    problems: Problems,
}

/// `GET …/{table}/restore`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(database): Named<DatabaseId>,
    Named(id): Named<TableId>,
) -> Result<Response, Fault> {
    visitor.must(Verb::Update, Subject::Table)?;
    let place = visitor.place()?;
    active(&app, &visitor, database).await?;
    let below = visitor.browser.query.clone();
    let found = app.authority.table(&visitor.caller, place, database, id).await?;
    match found.table.state.deleted_at() {
        Some(at) => dialog(&app, &visitor, &found, at, &below, Problems::default()).await,
        None => {
            let words = format!("Table {} is not deleted.", found.table.name);
            let location = below.after(&list_path(place.cluster, database));
            Ok(see(&location, Some(Notice::told(words))))
        }
    }
}

/// `POST …/{table}/restore`.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Named(database): Named<DatabaseId>,
    Named(id): Named<TableId>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let place = visitor.place()?;
    let name = active(&app, &visitor, database).await?.name;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let location = back.after(&list_path(place.cluster, database));
    match app
        .authority
        .undelete_table(&visitor.caller, place, name, id)
        .await
    {
        Ok((restored, proof)) => {
            let words = format!(
                "Restored table {} in {}. {}",
                restored.table.name,
                restored.database.name,
                receipt("In force", &proof)
            );
            Ok(form.done(&location, Notice::done(words).proven(&proof)))
        }
        // Its name is taken, its time is over, or somebody else was faster.
        Err(Error::Conflict(reason)) => {
            let found = app.authority.table(&visitor.caller, place, database, id).await?;
            match found.table.state.deleted_at() {
                Some(at) => {
                    let mut problems = Problems::default();
                    problems.add("name", sentence(&reason));
                    dialog(&app, &visitor, &found, at, &back, problems).await
                }
                None => {
                    let words = format!("Table {} was restored before.", found.table.name);
                    Ok(form.done(&location, Notice::told(words)))
                }
            }
        }
        Err(error) => Err(error.into()),
    }
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    TableOf { table, database }: &TableOf,
    deleted_at: Timestamp,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(database, below);
    let cancel = state.href();
    let mut page = list::build(app, visitor, database, state).await?;
    let status = match problems.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::CONFLICT,
    };
    let action = format!("{}/restore", table_path(database.cluster, database.id, table.id));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Restore Table", action, cancel),
        database: database.name.to_string(),
        name: table.name.to_string(),
        deleted: Moment(deleted_at),
        age: Age {
            at: deleted_at,
            now: visitor.now,
        },
        restorable: Moment(deleted_at.plus_micros(DatabaseState::RECOVERY_MICROS)),
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
