//! `/clusters/{cluster}/databases/{database}/restore`: back with tables and data.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rescind_authority::Error;
use rescind_domain::{Database, DatabaseId, DatabaseState, Subject, Timestamp, Verb};

use super::{database_path, list, list_path};
use crate::answers::{page_with, see};
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::paths::Named;
use crate::problems::Problems;
use crate::times::{Age, Moment};
use crate::visitors::Visitor;
use crate::words::receipt;

#[derive(Template)]
#[template(path = "databases/restore.html")]
struct Dialog {
    sheet: Sheet,
    name: String,
    deleted: Moment,
    age: Age,
    restorable: Moment,
    problems: Problems,
}

/// `GET …/{database}/restore`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<DatabaseId>,
) -> Result<Response, Fault> {
    visitor.must(Verb::Update, Subject::Database)?;
    let place = visitor.place()?;
    let below = visitor.browser.query.clone();
    let database = app.authority.database(&visitor.caller, place, id).await?;
    match database.state.deleted_at() {
        Some(at) => dialog(&app, &visitor, &database, at, &below, Problems::default()).await,
        None => {
            let words = format!("Database {} is not deleted.", database.name);
            Ok(see(
                &below.after(&list_path(place.cluster)),
                Some(Notice::told(words)),
            ))
        }
    }
}

/// `POST …/{database}/restore`.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Named(id): Named<DatabaseId>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let place = visitor.place()?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let location = back.after(&list_path(place.cluster));
    match app.authority.undelete_database(&visitor.caller, place, id).await {
        Ok((database, proof)) => {
            let words = format!(
                "Restored database {}. {}",
                database.name,
                receipt("In force", &proof)
            );
            Ok(form.done(&location, Notice::done(words).proven(&proof)))
        }
        // Its name is taken, its time is over, or somebody else was faster.
        Err(Error::Conflict(reason)) => {
            let database = app.authority.database(&visitor.caller, place, id).await?;
            match database.state.deleted_at() {
                Some(at) => {
                    let mut problems = Problems::default();
                    problems.add("name", sentence(&reason));
                    dialog(&app, &visitor, &database, at, &back, problems).await
                }
                None => {
                    let words = format!("Database {} was restored before.", database.name);
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
    database: &Database,
    deleted_at: Timestamp,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = match problems.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::CONFLICT,
    };
    let action = format!("{}/restore", database_path(database.cluster, database.id));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Restore Database", action, cancel),
        name: database.name.to_string(),
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
