//! `/clusters/{cluster}/database-tokens/new`: a form over the list, then the secret, once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rescind_authority::{CreateDatabaseToken, Created, Place};
use rescind_domain::{DatabaseToken, Description, Permissions, Subject, Timestamp, Verb};

use super::permissions::{PermissionRow, PermissionRows, Rearranged, actions, called};
use super::snippets::{first_databases, snippets};
use super::{common, database_names, list, list_path, token_path};
use crate::answers::page_with;
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::frame::Section;
use crate::problems::Problems;
use crate::tokens::created::{HandedOver, handed_over};
use crate::tokens::expiry::Expiry;
use crate::visitors::Visitor;

#[derive(Template)]
#[template(path = "database_tokens/create.html")]
struct Dialog {
    sheet: Sheet,
    description: String,
    expiry: Expiry,
    permissions: PermissionRows,
    problems: Problems,
}

/// What was typed.
struct Typed {
    description: String,
    expiry: Expiry,
    permissions: PermissionRows,
}

impl Typed {
    fn meant(&self, now: Timestamp, problems: &mut Problems) -> Option<CreateDatabaseToken> {
        let description = checked_description(&self.description, problems);
        let expires_at = self.expiry.moment(now, problems);
        let permissions: Option<Permissions> = self.permissions.permissions(problems);
        let request = CreateDatabaseToken {
            description: description?,
            permissions: permissions?,
            expires_at,
        };
        problems.is_empty().then_some(request)
    }
}

/// A description, which people must give (contract, admin-ui section 6.1).
pub(super) fn checked_description(typed: &str, problems: &mut Problems) -> Option<Description> {
    if typed.is_empty() {
        problems.add(
            "description",
            "Say what the token is for: it is how people recognise it.",
        );
        return None;
    }
    let description: Result<Description, _> = typed.parse();
    problems.take(
        "description",
        description.map_err(|error| sentence(&error.to_string())),
    )
}

/// `GET …/new`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    visitor.must(Verb::Create, Subject::DatabaseToken)?;
    let names = database_names(&app, &visitor, visitor.place()?).await?;
    let typed = Typed {
        description: String::new(),
        expiry: Expiry::blank(visitor.now),
        permissions: PermissionRows::blank(names),
    };
    let below = visitor.browser.query.clone();
    dialog(&app, &visitor, typed, &below, StatusCode::OK, Problems::default()).await
}

/// `POST …/new`.
pub(crate) async fn submit(State(app): State<Arc<App>>, mut form: Submission) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    visitor.must(Verb::Create, Subject::DatabaseToken)?;
    let place = visitor.place()?;
    let names = database_names(&app, &visitor, place).await?;
    let (permissions, rearranged) = PermissionRows::read(&form.fields, names);
    let typed = Typed {
        description: form.fields.text("description").to_owned(),
        expiry: Expiry::read(&form.fields, visitor.now),
        permissions,
    };
    let below = Fields::parse(form.fields.raw("back").as_bytes());
    if let Rearranged::Yes = rearranged {
        return dialog(&app, &visitor, typed, &below, StatusCode::OK, Problems::default()).await;
    }
    let mut problems = Problems::default();
    let Some(request) = typed.meant(visitor.now, &mut problems) else {
        return dialog(
            &app,
            &visitor,
            typed,
            &below,
            StatusCode::UNPROCESSABLE_ENTITY,
            problems,
        )
        .await;
    };
    match app
        .authority
        .create_database_token(&visitor.caller, place, request)
        .await
    {
        Ok(created) => {
            let href = token_path(place.cluster, created.item.id);
            let words = "The token was made; its secret was shown then and cannot be shown again.";
            form.remember(&href, words);
            hand_over(&app, &visitor, place, &created, &below)
        }
        Err(error) => match Problems::of(&error, &[("expiresAt", "expiration_date")]) {
            Some(problems) => {
                dialog(
                    &app,
                    &visitor,
                    typed,
                    &below,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    problems,
                )
                .await
            }
            None => Err(error.into()),
        },
    }
}

fn hand_over(
    app: &App,
    visitor: &Visitor,
    place: Place,
    created: &Created<DatabaseToken>,
    below: &Fields,
) -> Result<Response, Fault> {
    let list = list_path(place.cluster);
    let frame = visitor
        .frame(app, Section::DatabaseTokens, "Token created")
        .under("Database Tokens", &list);
    let rows = PermissionRows::of(&created.item.permissions, Vec::new()).rows;
    let databases = first_databases(&rows);
    let secret = created.secret.expose();
    let words = |row: &PermissionRow| (called(&row.database).to_owned(), actions(row));
    let made = HandedOver {
        token: common(&created.item),
        proof: &created.receipt,
        permissions: rows.iter().map(words).collect(),
        snippets: snippets(&app.public_url, &databases, secret),
        file: env_file(&app.public_url, &databases.any, secret),
        list: below.after(&list),
        secret: &created.secret,
    };
    handed_over(frame, made)
}

/// What the download holds.
fn env_file(url: &str, database: &str, secret: &str) -> String {
    format!("INFLUX_HOST={url}\nINFLUX_DATABASE={database}\nINFLUX_TOKEN={secret}\n")
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    typed: Typed,
    below: &Fields,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let action = format!("{}/new", list_path(visitor.place()?.cluster));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Create Database Token", action, cancel),
        description: typed.description,
        expiry: typed.expiry,
        permissions: typed.permissions,
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
