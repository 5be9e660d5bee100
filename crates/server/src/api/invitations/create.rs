//! `POST /accounts/{accountId}/invitations`

use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Response};
use rescind_authority::Invite;
use rescind_ui::Mail;
use rescind_wire::{CreateInvitation, CreatedInvitation, ErrorBody, Invitation, RESCIND_MAIL};

use crate::api::errors::Problem;
use crate::api::extract::{Body, Within};
use crate::api::receipts::Changed;
use crate::api::router::Api;
use crate::links;

/// Invite a person
///
/// The answer holds a link, once: whoever opens it before `expiresAt` becomes the user, or, if the address belongs to a
/// user, sets that user's password. Where there is a mail server, the person gets the link by mail as well.
#[utoipa::path(
    post,
    path = "/accounts/{accountId}/invitations",
    operation_id = "CreateInvitation",
    tag = "Invitations",
    params(Within),
    request_body = CreateInvitation,
    responses(
        (
            status = 200,
            description = "Invited.",
            body = CreatedInvitation,
            headers(
                ("Rescind-Revision" = i64, description = "The revision by which every node now acts."),
                ("Rescind-Mail" = String, description = "Where there is a mail server: `sent` or `failed`.")
            )
        ),
        (status = 409, description = "A user of another account has the address.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Within { asker, account }: Within,
    Body(body): Body<CreateInvitation>,
) -> Result<Response, Problem> {
    let new = body.parse()?;
    let request = Invite {
        email: new.email,
        first_name: new.first_name,
        last_name: new.last_name,
        role: new.role,
    };
    let created = asker.authority.invite(&asker.caller, account, request).await?;
    let link = links::invitation(&api.public_url, &created.secret);
    let mailed = match &api.post {
        Some(post) => Some(post.send(Mail::invitation(&created.item, &link, "")).await),
        None => None,
    };
    let shown = CreatedInvitation {
        details: Invitation::of(&created.item, asker.now),
        link,
    };
    let mut response = Changed(created.receipt, shown).into_response();
    if let Some(mailed) = mailed {
        // The link in the answer works all the same; the log says why the mail failed.
        let told = if mailed.is_ok() { "sent" } else { "failed" };
        response
            .headers_mut()
            .insert(RESCIND_MAIL, HeaderValue::from_static(told));
    }
    Ok(response)
}
