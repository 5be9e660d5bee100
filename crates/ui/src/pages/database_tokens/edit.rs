//! `/clusters/{cluster}/database-tokens/{token}/edit`: description and permissions. Two who edit one token at a time do not
//! overwrite each other unseen.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rescind_authority::{AuditQuery, Error, UpdateDatabaseToken};
use rescind_domain::{Act, DatabaseToken, DatabaseTokenId, Subject, Verb};
use sha2::{Digest, Sha256};

use super::create::checked_description;
use super::permissions::{PermissionRows, Rearranged, in_words};
use super::{database_names, list, token_path};
use crate::answers::{page_with, see};
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::paths::Named;
use crate::people::who;
use crate::problems::Problems;
use crate::times::{Age, Moment};
use crate::tokens::line;
use crate::visitors::Visitor;
use crate::words::{excerpt, receipt};

#[derive(Template)]
#[template(path = "database_tokens/edit.html")]
struct Dialog {
    sheet: Sheet,
    /// Which state of the token the form was filled from.
    seen: String,
    description: String,
    expires: Option<Moment>,
    permissions: PermissionRows,
    /// What somebody else made of it meanwhile.
    theirs: Option<Theirs>,
    problems: Problems,
}

struct Theirs {
    /// Who, and when, as far as the visitor may know.
    who: Option<(String, Age)>,
    description: String,
    permissions: String,
}

/// What the visitor sees in the form.
struct Typed {
    seen: String,
    description: String,
    permissions: PermissionRows,
    theirs: Option<Theirs>,
    problems: Problems,
}

/// `GET …/{token}/edit`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<DatabaseTokenId>,
) -> Result<Response, Fault> {
    let place = visitor.place()?;
    let token = app.authority.database_token(&visitor.caller, place, id).await?;
    visitor.must_with(Verb::Update, Subject::DatabaseToken, token.created_by)?;
    if let Some(gone) = cannot_change(&token) {
        return Ok(see(&token_path(place.cluster, id), Some(gone)));
    }
    let names = database_names(&app, &visitor, place).await?;
    let typed = Typed {
        seen: fingerprint(&token),
        description: token.description.to_string(),
        permissions: PermissionRows::of(&token.permissions, names),
        theirs: None,
        problems: Problems::default(),
    };
    let below = visitor.browser.query.clone();
    dialog(&app, &visitor, &token, typed, &below, StatusCode::OK).await
}

/// `POST …/{token}/edit`.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Named(id): Named<DatabaseTokenId>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let place = visitor.place()?;
    let token = app.authority.database_token(&visitor.caller, place, id).await?;
    visitor.must_with(Verb::Update, Subject::DatabaseToken, token.created_by)?;
    let below = Fields::parse(form.fields.raw("back").as_bytes());
    let own_page = token_path(place.cluster, id);
    if let Some(gone) = cannot_change(&token) {
        return Ok(see(&own_page, Some(gone)));
    }
    let names = database_names(&app, &visitor, place).await?;
    let (permissions, rearranged) = PermissionRows::read(&form.fields, names);
    let mut typed = Typed {
        seen: form.fields.text("seen").to_owned(),
        description: form.fields.text("description").to_owned(),
        permissions,
        theirs: None,
        problems: Problems::default(),
    };
    if let Rearranged::Yes = rearranged {
        return dialog(&app, &visitor, &token, typed, &below, StatusCode::OK).await;
    }
    let description = checked_description(&typed.description, &mut typed.problems);
    let permissions = typed.permissions.permissions(&mut typed.problems);
    let (Some(description), Some(permissions)) = (description, permissions) else {
        return dialog(
            &app,
            &visitor,
            &token,
            typed,
            &below,
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    };
    if typed.seen != fingerprint(&token) {
        return overtaken(&app, &visitor, &token, typed, &below).await;
    }
    let request = UpdateDatabaseToken {
        description: Some(description),
        permissions: Some(permissions),
        if_unchanged: Some((token.description.clone(), token.permissions.clone())),
    };
    let updated = app
        .authority
        .update_database_token(&visitor.caller, place, id, request)
        .await;
    let (token, proof) = match updated {
        Err(Error::Changed(token)) => return overtaken(&app, &visitor, &token, typed, &below).await,
        other => other?,
    };
    let name = line(token.description.as_str());
    let words = format!("Saved “{name}”. {}", receipt("In force", &proof));
    let location = below.after(&super::list_path(place.cluster));
    Ok(form.done(&location, Notice::done(words).proven(&proof)))
}

/// Said instead of an error when the token was revoked meanwhile.
fn cannot_change(token: &DatabaseToken) -> Option<Notice> {
    let at = token.state.revoked_at()?;
    let words = format!(
        "The token was revoked at {} and cannot be changed.",
        at.to_rfc3339(0)
    );
    Some(Notice::told(words))
}

/// Tells one state of what can be edited from another.
fn fingerprint(token: &DatabaseToken) -> String {
    let mut digest = Sha256::new();
    digest.update(token.description.as_str().as_bytes());
    digest.update([0]);
    digest.update(in_words(&token.permissions).as_bytes());
    digest
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Somebody else was faster: both versions, and the choice.
async fn overtaken(
    app: &Arc<App>,
    visitor: &Visitor,
    token: &DatabaseToken,
    typed: Typed,
    below: &Fields,
) -> Result<Response, Fault> {
    let typed = Typed {
        seen: fingerprint(token),
        theirs: Some(theirs(app, visitor, token).await),
        ..typed
    };
    dialog(app, visitor, token, typed, below, StatusCode::CONFLICT).await
}

async fn theirs(app: &App, visitor: &Visitor, token: &DatabaseToken) -> Theirs {
    let mut who_and_when = None;
    if visitor.may(Verb::Read, Subject::AuditEvent) {
        let query = AuditQuery {
            act: Some(Act::DatabaseTokenUpdate),
            subject: Some(token.id.to_string()),
            page: rescind_authority::Page::first(1),
            ..AuditQuery::all(token.account)
        };
        // Who it was is an aside: without it the form still works.
        let events = app.authority.audit_events(&visitor.caller, &query).await.ok();
        if let Some(event) = events.and_then(|events| events.items.into_iter().next()) {
            let person = who(app, visitor, event.actor).await;
            let age = Age {
                at: event.at,
                now: visitor.now,
            };
            who_and_when = Some((person.name, age));
        }
    }
    Theirs {
        who: who_and_when,
        description: excerpt(token.description.as_str(), 400),
        permissions: in_words(&token.permissions),
    }
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    token: &DatabaseToken,
    typed: Typed,
    below: &Fields,
    status: StatusCode,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let action = format!("{}/edit", token_path(token.cluster, token.id));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Edit Database Token", action, cancel),
        seen: typed.seen,
        description: typed.description,
        expires: token.expires_at.map(Moment),
        permissions: typed.permissions,
        theirs: typed.theirs,
        problems: typed.problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
