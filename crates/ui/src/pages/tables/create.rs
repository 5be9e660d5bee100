//! `/clusters/{cluster}/databases/{database}/tables/new`: a form over the list.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rescind_authority::{CreateTable, Error};
use rescind_domain::{Database, DatabaseId, Subject, TableName, Verb};

use super::partitioning::{MOST_PARTS, Partitioning, TIME_FORMATS};
use super::{list, list_path};
use crate::answers::page_with;
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::pages::databases::active;
use crate::paths::Named;
use crate::problems::Problems;
use crate::visitors::Visitor;
use crate::words::receipt;

#[derive(Template)]
#[template(path = "tables/create.html")]
struct Dialog {
    sheet: Sheet,
    database: String,
    /// The name typed.
    typed: String,
    partitioning: Partitioning,
    time_formats: [(&'static str, &'static str); 3],
    most_parts: usize,
    /// How it is partitioned without more words.
    inherited: String,
    problems: Problems,
}

/// `GET …/new`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<DatabaseId>,
) -> Result<Response, Fault> {
    visitor.must(Verb::Create, Subject::Table)?;
    let database = active(&app, &visitor, id).await?;
    let below = visitor.browser.query.clone();
    let typed = (String::new(), Partitioning::blank());
    dialog(
        &app,
        &visitor,
        &database,
        typed,
        &below,
        (StatusCode::OK, Problems::default()),
    )
    .await
}

/// `POST …/new`.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Named(id): Named<DatabaseId>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    visitor.must(Verb::Create, Subject::Table)?;
    let place = visitor.place()?;
    let database = active(&app, &visitor, id).await?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let (partitioning, is_rearranged) = Partitioning::read(&form.fields);
    let typed = (form.fields.text("name").to_owned(), partitioning);
    let mut problems = Problems::default();
    if is_rearranged {
        return dialog(
            &app,
            &visitor,
            &database,
            typed,
            &back,
            (StatusCode::OK, problems),
        )
        .await;
    }
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    let name: Result<TableName, _> = typed.0.parse();
    let name = problems.take("name", name.map_err(|error| sentence(&error.to_string())));
    let partition_template = typed.1.template(&mut problems);
    let Some(name) = name.filter(|_| problems.is_empty()) else {
        return dialog(&app, &visitor, &database, typed, &back, (wrong, problems)).await;
    };
    let request = CreateTable {
        name,
        partition_template,
    };
    let created = app
        .authority
        .create_table(&visitor.caller, place, database.name.clone(), request)
        .await;
    match created {
        Ok((made, proof)) => {
            let words = format!(
                "Created table {} in {}. {}",
                made.table.name,
                made.database.name,
                receipt("In force", &proof)
            );
            let location = back.after(&list_path(place.cluster, database.id));
            Ok(form.done(&location, Notice::done(words).proven(&proof)))
        }
        // The name is taken, or the database is full.
        Err(Error::Conflict(reason)) => {
            problems.add("name", sentence(&reason));
            dialog(&app, &visitor, &database, typed, &back, (wrong, problems)).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    database: &Database,
    (name, partitioning): (String, Partitioning),
    below: &Fields,
    (status, problems): (StatusCode, Problems),
) -> Result<Response, Fault> {
    let state = list::state(database, below);
    let cancel = state.href();
    let mut page = list::build(app, visitor, database, state).await?;
    let action = format!("{}/new", list_path(database.cluster, database.id));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Create Table", action, cancel),
        database: database.name.to_string(),
        typed: name,
        partitioning,
        time_formats: TIME_FORMATS,
        most_parts: MOST_PARTS,
        inherited: match &database.partition_template {
            Some(template) => format!(
                "Partitioned as its database says: {}.",
                super::partitioning::in_words(template)
            ),
            None => "Partitioned by day.".to_owned(),
        },
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
