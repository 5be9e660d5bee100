//! `/accounts/{account}/management-tokens/{token}/revoke`: what it would break, then the act, then the proof.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::{ManagementToken, ManagementTokenId, Subject, Verb};

use super::facts::Facts;
use super::{list, list_path, token_path};
use crate::answers::{page_with, see};
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::forms::Submission;
use crate::notices::Notice;
use crate::paths::Named;
use crate::problems::Problems;
use crate::times::Moment;
use crate::tokens::{already_revoked, line};
use crate::visitors::Visitor;
use crate::words::receipt;

#[derive(Template)]
#[template(path = "management_tokens/revoke.html")]
struct Dialog {
    sheet: Sheet,
    id: ManagementTokenId,
    description: String,
    expires: Option<Moment>,
    created: Moment,
    facts: Facts,
    problems: Problems,
}

/// `GET …/{token}/revoke`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<ManagementTokenId>,
) -> Result<Response, Fault> {
    let account = visitor.account_of()?;
    let token = app
        .authority
        .management_token(&visitor.caller, account, id)
        .await?;
    visitor.must(Verb::Delete, Subject::ManagementToken)?;
    if let Some(gone) = already_revoked(token.description.as_str(), token.state) {
        return Ok(see(&token_path(account, id), Some(gone)));
    }
    let query = visitor.browser.query.clone();
    dialog(&app, &visitor, &token, &query, Problems::default()).await
}

/// `POST …/{token}/revoke`.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Named(id): Named<ManagementTokenId>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let account = visitor.account_of()?;
    let token = app
        .authority
        .management_token(&visitor.caller, account, id)
        .await?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    if !form.fields.is_on("understood") {
        let mut problems = Problems::default();
        problems.add("understood", "Tick the box to revoke the token.");
        return dialog(&app, &visitor, &token, &back, problems).await;
    }
    let gone = already_revoked(token.description.as_str(), token.state);
    let proof = app
        .authority
        .revoke_management_token(&visitor.caller, account, id)
        .await?;
    let notice = match gone {
        Some(gone) => Notice::told(format!("{} {}", gone.text, receipt("Refused", &proof))),
        None => Notice::done(format!(
            "Revoked “{}”. {}",
            line(token.description.as_str()),
            receipt("Refused", &proof)
        )),
    };
    Ok(form.done(&back.after(&list_path(account)), notice.proven(&proof)))
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    token: &ManagementToken,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = problems.status();
    let action = format!("{}/revoke", token_path(token.account, token.id));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Revoke Management Token", action, cancel),
        id: token.id,
        description: line(token.description.as_str()),
        expires: token.expires_at.map(Moment),
        created: Moment(token.created_at),
        facts: Facts::of(app, visitor, token).await?,
        problems,
    };
    page.frame = page.frame.with_dialog(&dialog)?;
    page_with(status, &page)
}
