//! `/clusters/{cluster}/databases/{database}/delete`: who would miss it, then the act, then the proof.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::{Database, DatabaseId, DatabaseState, Subject, Verb};

use super::facts::Facts;
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
use crate::times::Moment;
use crate::visitors::Visitor;
use crate::words::{bytes, receipt};

#[derive(Template)]
#[template(path = "databases/delete.html")]
struct Dialog {
    sheet: Sheet,
    name: String,
    size: String,
    facts: Facts,
    restorable: Moment,
    /// What was typed.
    typed: String,
    /// Attributes of the field that holds it.
    pattern: String,
    problems: Problems,
}

/// `GET …/{database}/delete`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<DatabaseId>,
) -> Result<Response, Fault> {
    visitor.must(Verb::Delete, Subject::Database)?;
    let database = active(&app, &visitor, id).await?;
    let below = visitor.browser.query.clone();
    dialog(
        &app,
        &visitor,
        &database,
        String::new(),
        &below,
        Problems::default(),
    )
    .await
}

/// `POST …/{database}/delete`.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Named(id): Named<DatabaseId>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    visitor.must(Verb::Delete, Subject::Database)?;
    let place = visitor.place()?;
    let database = active(&app, &visitor, id).await?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let typed = form.fields.text("name").to_owned();
    let mut problems = Problems::default();
    if !form.fields.is_on("understood") {
        problems.add("understood", "Tick the box to delete the database.");
    }
    if typed != database.name.as_str() {
        let words = format!("Enter the name exactly as it is: {}", database.name);
        problems.add("name", words);
    }
    if !problems.is_empty() {
        return dialog(&app, &visitor, &database, typed, &back, problems).await;
    }
    let proof = app
        .authority
        .delete_database(&visitor.caller, place, database.name.clone())
        .await?;
    let words = format!(
        "Deleted database {}. It can be restored for 7 days. {}",
        database.name,
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
    typed: String,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let place = visitor.place()?;
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = problems.status();
    let sizes = app.figures.database_bytes().await;
    let action = format!("{}/delete", database_path(place.cluster, database.id));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Delete Database", action, cancel),
        name: database.name.to_string(),
        size: bytes(sizes.get(&database.id).copied().unwrap_or(0)),
        facts: Facts::of(app, visitor, place, database).await?,
        restorable: Moment(visitor.now.plus_micros(DatabaseState::RECOVERY_MICROS)),
        typed,
        // Of the characters that names may hold, none has a meaning of its own in a pattern.
        pattern: format!(
            r#"required autocomplete=off autocapitalize=none spellcheck=false pattern="{}""#,
            database.name
        ),
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
