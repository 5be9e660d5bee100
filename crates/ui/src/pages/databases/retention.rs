//! `/clusters/{cluster}/databases/{database}/retention`: how long its points are kept.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::UpdateDatabase;
use rescind_domain::{Database, DatabaseId, Subject, Verb};

use super::{active, database_path, list, list_path};
use crate::answers::page_with;
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::paths::Named;
use crate::problems::Problems;
use crate::retention::{RetentionFields, UNITS, in_words};
use crate::visitors::Visitor;
use crate::words::receipt;

#[derive(Template)]
#[template(path = "databases/retention.html")]
struct Dialog {
    sheet: Sheet,
    name: String,
    now: String,
    retention: RetentionFields,
    units: [(&'static str, &'static str); 7],
    problems: Problems,
}

/// `GET …/{database}/retention`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<DatabaseId>,
) -> Result<Response, Fault> {
    visitor.must(Verb::Update, Subject::Database)?;
    let database = active(&app, &visitor, id).await?;
    let below = visitor.browser.query.clone();
    let typed = RetentionFields::of(database.limits.retention);
    dialog(&app, &visitor, &database, typed, &below, Problems::default()).await
}

/// `POST …/{database}/retention`.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Named(id): Named<DatabaseId>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let place = visitor.place()?;
    let database = active(&app, &visitor, id).await?;
    let typed = RetentionFields::read(&form.fields);
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let mut problems = Problems::default();
    let Some(retention) = typed.period(&mut problems) else {
        return dialog(&app, &visitor, &database, typed, &back, problems).await;
    };
    let request = UpdateDatabase {
        retention: Some(retention),
        ..UpdateDatabase::default()
    };
    let (database, proof) = app
        .authority
        .update_database(&visitor.caller, place, database.name, request)
        .await?;
    let words = format!(
        "Retention period of {}: {}. {}",
        database.name,
        in_words(retention),
        receipt("In force", &proof)
    );
    Ok(form.done(
        &back.after(&list_path(place.cluster)),
        Notice::done(words).proven(&proof),
    ))
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    database: &Database,
    retention: RetentionFields,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = problems.status();
    let action = format!("{}/retention", database_path(database.cluster, database.id));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Set Retention Period", action, cancel),
        name: database.name.to_string(),
        now: in_words(database.limits.retention),
        retention,
        units: UNITS,
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
