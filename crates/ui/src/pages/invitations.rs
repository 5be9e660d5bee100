//! `/invitations/{secret}`: a one-time link by which a person becomes a user, or sets a first password. The page never
//! repeats the secret outside its own address, which is told to nobody (`Referrer-Policy`).

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use rescind_authority::{Acceptance, Error};
use rescind_domain::Invitation;

use crate::answers::page_with;
use crate::app::App;
use crate::errors::{Fault, sentence};
use crate::forms::GateSubmission;
use crate::frame::GateFrame;
use crate::pages::profile::tell_of_new_password;
use crate::pages::sign_in::welcome;
use crate::problems::Problems;
use crate::times::Moment;
use crate::visitors::{Presence, Stranger};

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    gate: GateFrame,
    action: String,
    email: String,
    expires: Moment,
    first_name: String,
    last_name: String,
    verb: &'static str,
    problems: Problems,
}

const TITLE: &str = "Welcome to Rescind";

/// `GET /invitations/{secret}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    secret: Result<Path<String>, PathRejection>,
    presence: Presence,
) -> Result<Response, Fault> {
    let Path(secret) = secret.map_err(|_| used_up())?;
    let stranger = match presence {
        Presence::Stranger(stranger) => stranger,
        Presence::Visitor(visitor) => Arc::new(Stranger::signed_in(&visitor)),
    };
    let invitation = open(&app, &secret).await?;
    let names = (invitation.first_name.clone(), invitation.last_name.clone());
    view(&app, &stranger, &secret, &invitation, names, Problems::default())
}

/// `POST /invitations/{secret}`.
pub(crate) async fn accept(
    State(app): State<Arc<App>>,
    secret: Result<Path<String>, PathRejection>,
    form: GateSubmission,
) -> Result<Response, Fault> {
    let Path(secret) = secret.map_err(|_| used_up())?;
    let invitation = open(&app, &secret).await?;
    let fields = &form.fields;
    let names = (
        fields.text("first_name").to_owned(),
        fields.text("last_name").to_owned(),
    );
    let mut problems = Problems::default();
    if fields.raw("password") != fields.raw("password_again") {
        problems.add(
            "password_again",
            "The two passwords differ. Type the same one twice.",
        );
        return view(&app, &form.stranger(), &secret, &invitation, names, problems);
    }
    let acceptance = Acceptance {
        first_name: names.0.clone(),
        last_name: names.1.clone(),
        password: fields.raw("password").to_owned(),
    };
    let client = form.presence.browser().client.clone();
    match app
        .authority
        .accept_invitation(secret.as_bytes(), acceptance, client)
        .await
    {
        Ok(signed_in) => {
            // A new user knows; of one that was there before, somebody may have stolen the link.
            if signed_in.user.created_at != signed_in.session.created_at {
                tell_of_new_password(&app, &signed_in);
            }
            welcome(&app, &form, &signed_in, "/").await
        }
        Err(Error::Invalid { field, message }) => {
            let own = match field {
                "firstName" => "first_name",
                "lastName" => "last_name",
                _ => "password",
            };
            problems.add(own, sentence(&message));
            view(&app, &form.stranger(), &secret, &invitation, names, problems)
        }
        Err(Error::NotFound { .. }) => Err(used_up()),
        Err(error) => Err(error.into()),
    }
}

async fn open(app: &App, secret: &str) -> Result<Invitation, Fault> {
    let opened = app.authority.open_invitation(secret.as_bytes()).await;
    opened.map_err(|error| match error {
        Error::NotFound { .. } => used_up(),
        other => other.into(),
    })
}

fn used_up() -> Fault {
    Fault::told(
        StatusCode::NOT_FOUND,
        "This link does not work",
        "It works once, and for a limited time. If you have a password already, log in; otherwise ask an administrator of \
         the account for a new invitation.",
    )
}

fn view(
    app: &App,
    stranger: &Stranger,
    secret: &str,
    invitation: &Invitation,
    (first_name, last_name): (String, String),
    problems: Problems,
) -> Result<Response, Fault> {
    let status = problems.status();
    page_with(
        status,
        &InvitationPage {
            gate: GateFrame::new(app, stranger, TITLE),
            action: format!("/invitations/{secret}"),
            email: invitation.email.to_string(),
            expires: Moment(invitation.expires_at),
            first_name,
            last_name,
            verb: "Set password and log in",
            problems,
        },
    )
}
