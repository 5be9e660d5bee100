//! `/clusters/{cluster}/databases/new`: a form over the list.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::{CreateDatabase, Error};
use rescind_domain::{DatabaseLimits, DatabaseName, MaxColumns, MaxTables, RetentionPeriod, Subject, Verb};

use super::{list, list_path};
use crate::answers::page_with;
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::problems::Problems;
use crate::retention::{RetentionFields, UNITS};
use crate::visitors::Visitor;
use crate::words::receipt;

#[derive(Template)]
#[template(path = "databases/create.html")]
struct Dialog {
    sheet: Sheet,
    typed: Typed,
    units: [(&'static str, &'static str); 7],
    problems: Problems,
}

/// What was typed.
struct Typed {
    name: String,
    retention: RetentionFields,
    has_limits: bool,
    max_tables: String,
    max_columns: String,
}

impl Typed {
    fn blank() -> Self {
        let limits = DatabaseLimits::default();
        Self {
            name: String::new(),
            retention: RetentionFields::of(RetentionPeriod::INFINITE),
            has_limits: false,
            max_tables: limits.max_tables.get().to_string(),
            max_columns: limits.max_columns.get().to_string(),
        }
    }

    fn read(fields: &Fields) -> Self {
        Self {
            name: fields.text("name").to_owned(),
            retention: RetentionFields::read(fields),
            has_limits: fields.is_on("limits"),
            max_tables: fields.text("max_tables").to_owned(),
            max_columns: fields.text("max_columns").to_owned(),
        }
    }

    fn meant(&self, problems: &mut Problems) -> Option<CreateDatabase> {
        let name: Result<DatabaseName, _> = self.name.parse();
        let name = name.map_err(|error| sentence(&error.to_string()));
        let name = problems.take("name", name);
        let retention = self.retention.period(problems);
        let mut limits = DatabaseLimits::default();
        if self.has_limits {
            let tables = self.max_tables.parse().ok().and_then(MaxTables::new);
            let reason = || format!("Enter a whole number from 1 to {}.", MaxTables::MAX);
            limits.max_tables = problems
                .take("max_tables", tables.ok_or_else(reason))
                .unwrap_or_default();
            let columns = self.max_columns.parse().ok().and_then(MaxColumns::new);
            let reason = || format!("Enter a whole number from 1 to {}.", MaxColumns::MAX);
            limits.max_columns = problems
                .take("max_columns", columns.ok_or_else(reason))
                .unwrap_or_default();
        }
        limits.retention = retention?;
        let request = CreateDatabase {
            name: name?,
            limits,
            partition_template: None,
        };
        problems.is_empty().then_some(request)
    }
}

/// `GET …/new`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    visitor.must(Verb::Create, Subject::Database)?;
    let below = visitor.browser.query.clone();
    dialog(&app, &visitor, Typed::blank(), &below, Problems::default()).await
}

/// `POST …/new`.
pub(crate) async fn submit(State(app): State<Arc<App>>, form: Submission) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let place = visitor.place()?;
    let typed = Typed::read(&form.fields);
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let mut problems = Problems::default();
    let Some(request) = typed.meant(&mut problems) else {
        return dialog(&app, &visitor, typed, &back, problems).await;
    };
    match app
        .authority
        .create_database(&visitor.caller, place, request)
        .await
    {
        Ok((database, proof)) => {
            let words = format!(
                "Created database {}. {}",
                database.name,
                receipt("In force", &proof)
            );
            Ok(form.done(
                &back.after(&list_path(place.cluster)),
                Notice::done(words).proven(&proof),
            ))
        }
        // The name is taken.
        Err(Error::Conflict(reason)) => {
            problems.add("name", sentence(&reason));
            dialog(&app, &visitor, typed, &back, problems).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    typed: Typed,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = problems.status();
    let action = format!("{}/new", list_path(visitor.place()?.cluster));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Create Database", action, cancel),
        typed,
        units: UNITS,
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
