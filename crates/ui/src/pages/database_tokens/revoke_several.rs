//! `/clusters/{cluster}/database-tokens/revoke?token=…&token=…`: several at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::{DatabaseToken, DatabaseTokenId, Subject, TokenStatus, Verb};

use super::facts::Facts;
use super::{list, list_path};
use crate::answers::{page_with, see};
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::problems::Problems;
use crate::tokens::{line, revoked};
use crate::visitors::Visitor;
use crate::words::count;

/// As many as a page of the list can hold.
const MOST: usize = 100;

struct Chosen {
    id: DatabaseTokenId,
    description: String,
    use_: String,
    is_in_use: bool,
}

#[derive(Template)]
#[template(path = "database_tokens/revoke_several.html")]
struct Dialog {
    sheet: Sheet,
    chosen: Vec<Chosen>,
    total: String,
    in_use: usize,
    problems: Problems,
}

/// `GET …/revoke`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let query = &visitor.browser.query;
    let tokens = chosen(&app, &visitor, query).await?;
    // What the page below needs, without what was chosen on it.
    let below = query.clone().with("token", "");
    if tokens.is_empty() {
        let location = below.after(&list_path(visitor.place()?.cluster));
        let words = "None of the chosen tokens can be revoked any more. Tick the tokens to revoke.";
        return Ok(see(&location, Some(Notice::told(words))));
    }
    dialog(&app, &visitor, &tokens, &below, Problems::default()).await
}

/// `POST …/revoke`.
pub(crate) async fn submit(State(app): State<Arc<App>>, form: Submission) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let place = visitor.place()?;
    let tokens = chosen(&app, &visitor, &form.fields).await?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let location = back.after(&list_path(place.cluster));
    if tokens.is_empty() {
        let words =
            "None of them is there to be revoked by you: they were revoked before, or others made them.";
        let proof = app.authority.wait_for_nodes(&visitor.caller).await?;
        return Ok(form.done(&location, Notice::told(words).proven(&proof)));
    }
    if !form.fields.is_on("understood") {
        let mut problems = Problems::default();
        problems.add("understood", "Tick the box to revoke the tokens.");
        return dialog(&app, &visitor, &tokens, &back, problems).await;
    }
    let ids = tokens.iter().map(|token| token.id).collect();
    let (outcomes, proof) = app
        .authority
        .revoke_database_tokens(&visitor.caller, place, ids)
        .await?;
    Ok(form.done(&location, revoked(&outcomes, &proof)))
}

/// Those of the named tokens that the visitor can revoke.
async fn chosen(app: &App, visitor: &Visitor, fields: &Fields) -> Result<Vec<DatabaseToken>, Fault> {
    let place = visitor.place()?;
    let named = fields.all("token").filter_map(|text| text.parse().ok());
    let ids: BTreeSet<DatabaseTokenId> = named.take(MOST).collect();
    let mut tokens = Vec::new();
    for id in ids {
        let token = app.authority.database_token(&visitor.caller, place, id).await?;
        let is_revoked = token.state.status(token.expires_at, visitor.now) == TokenStatus::Revoked;
        if !is_revoked && visitor.may_with(Verb::Delete, Subject::DatabaseToken, token.created_by) {
            tokens.push(token);
        }
    }
    Ok(tokens)
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    tokens: &[DatabaseToken],
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let place = visitor.place()?;
    let mut rows = Vec::new();
    for token in tokens {
        let facts = Facts::of(app, visitor, place, token).await?;
        rows.push(Chosen {
            id: token.id,
            description: line(token.description.as_str()),
            use_: match facts.is_in_use() {
                true => facts.last_day(),
                false => "not used".to_owned(),
            },
            is_in_use: facts.is_in_use(),
        });
    }
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = problems.status();
    let dialog = Dialog {
        sheet: Sheet::new(
            &page.frame,
            "Revoke Database Tokens",
            format!("{}/revoke", list_path(place.cluster)),
            cancel,
        ),
        total: count(rows.len() as u64, "token"),
        in_use: rows.iter().filter(|row| row.is_in_use).count(),
        chosen: rows,
        problems,
    };
    page.frame = page.frame.with_dialog(&dialog)?;
    page_with(status, &page)
}
