//! `/accounts/{account}/invitations/{invitation}`: one invitation, and its withdrawal.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::{Invitation, InvitationId, InvitationState, InvitationStatus, Subject, Verb};

use super::{invitations, invitations_path};
use crate::answers::{page, see};
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::frame::{Frame, Section};
use crate::notices::Notice;
use crate::paths::Named;
use crate::people::{Person, who};
use crate::times::Moment;
use crate::trails::{TrailEvent, trail};
use crate::visitors::Visitor;
use crate::words::{self, Chip};

#[derive(Template)]
#[template(path = "users/invitation.html")]
struct ShowPage {
    frame: Frame,
    id: InvitationId,
    status: Chip,
    email: String,
    role: &'static str,
    created: Moment,
    created_by: Person,
    expires: Moment,
    accepted: Option<Moment>,
    revoked: Option<Moment>,
    trail: Option<Vec<TrailEvent>>,
    revoke: String,
}

#[derive(Template)]
#[template(path = "users/revoke_invitation.html")]
struct Dialog {
    sheet: Sheet,
    email: String,
    role: &'static str,
    expires: Moment,
}

/// `GET …/{invitation}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<InvitationId>,
) -> Result<Response, Fault> {
    let account = visitor.account_of()?;
    let one = app.authority.invitation(&visitor.caller, account, id).await?;
    let status = one.state.status(one.expires_at, visitor.now);
    let may = visitor.may(Verb::Delete, Subject::Invitation) && status == InvitationStatus::Pending;
    let (accepted, revoked) = match one.state {
        InvitationState::Pending => (None, None),
        InvitationState::Accepted { at, .. } => (Some(Moment(at)), None),
        InvitationState::Revoked { at } => (None, Some(Moment(at))),
    };
    page(&ShowPage {
        frame: visitor
            .frame(&app, Section::Users, one.email.to_string())
            .under("Invitations", invitations_path(account)),
        id,
        status: status.into(),
        email: one.email.to_string(),
        role: words::role(one.role),
        created: Moment(one.created_at),
        created_by: who(&app, &visitor, one.created_by).await,
        expires: Moment(one.expires_at),
        accepted,
        revoked,
        trail: trail(&app, &visitor, account, id).await?,
        revoke: match may {
            true => format!("{}/{id}/revoke", invitations_path(account)),
            false => String::new(),
        },
    })
}

/// `GET …/{invitation}/revoke`.
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<InvitationId>,
) -> Result<Response, Fault> {
    let account = visitor.account_of()?;
    visitor.must(Verb::Delete, Subject::Invitation)?;
    let one = app.authority.invitation(&visitor.caller, account, id).await?;
    let status = one.state.status(one.expires_at, visitor.now);
    if status != InvitationStatus::Pending {
        let words = format!("The invitation of {} is {} by now.", one.email, status.as_str());
        return Ok(see(&invitations_path(account), Some(Notice::told(words))));
    }
    let below = visitor.browser.query.clone();
    dialog(&app, &visitor, &one, &below).await
}

/// `POST …/{invitation}/revoke`.
pub(crate) async fn revoke_now(
    State(app): State<Arc<App>>,
    Named(id): Named<InvitationId>,
    form: Submission,
) -> Result<Response, Fault> {
    let account = form.visitor.account_of()?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let revoked = app
        .authority
        .revoke_invitation(&form.visitor.caller, account, id)
        .await;
    let notice = match revoked {
        Ok(one) => Notice::done(format!(
            "The invitation of {} is withdrawn: its link works no more.",
            one.email
        )),
        Err(rescind_authority::Error::Conflict(reason)) => Notice::warned(sentence(&reason)),
        Err(error) => return Err(error.into()),
    };
    Ok(form.done(&back.after(&invitations_path(account)), notice))
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    one: &Invitation,
    below: &Fields,
) -> Result<Response, Fault> {
    let state = invitations::state(visitor, below)?;
    let cancel = state.href();
    let mut list = invitations::build(app, visitor, state).await?;
    let action = format!("{}/{}/revoke", invitations_path(one.account), one.id);
    let dialog = Dialog {
        sheet: Sheet::new(&list.frame, "Revoke Invitation", action, cancel),
        email: one.email.to_string(),
        role: words::role(one.role),
        expires: Moment(one.expires_at),
    };
    list.frame.open(&dialog)?;
    page(&list)
}
