//! What is shown instead of the page that was asked for: every error of the authority and every refusal of this face,
//! mapped in this one place.

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use rescind_authority::{Error, Refusal};

use crate::answers::{page_with, see};
use crate::app::App;
use crate::fields::Fields;
use crate::frame::{Frame, GateFrame, Section};
use crate::icons::{Icon, icon};
use crate::notices::Notice;
use crate::once::Made;
use crate::pages::sign_in;
use crate::visitors::Presence;

/// Why a handler does not answer with its page. It becomes a page where the visitor is known ([`Fault::shown`]).
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A page that says what is the matter.
    Told {
        /// The status.
        status: StatusCode,
        /// What is the matter, as a title.
        title: &'static str,
        /// What is the matter, and what to do.
        text: String,
    },
    /// Someone who is not signed in asked for a page.
    SignIn {
        /// Where to go after signing in.
        next: String,
    },
    /// Someone whose session has ended sent a form.
    Resume {
        /// Where the form went.
        action: String,
        /// What it held, without passwords.
        fields: Fields,
    },
    /// The form was sent before.
    Again(Made),
}

impl Fault {
    /// A page that says what is the matter.
    pub(crate) fn told(status: StatusCode, title: &'static str, text: impl Into<String>) -> Self {
        Self::Told {
            status,
            title,
            text: text.into(),
        }
    }

    /// There is no such thing, as far as the visitor may know.
    pub(crate) fn not_found(what: &str) -> Self {
        let text =
            format!("There is no such {what} here. It may have been deleted, or the address is incomplete.");
        Self::told(StatusCode::NOT_FOUND, "Not found", text)
    }

    /// The visitor's role does not allow it.
    pub(crate) fn forbidden(text: impl Into<String>) -> Self {
        Self::told(StatusCode::FORBIDDEN, "Not allowed", text)
    }

    /// A form that did not come from our own page.
    pub(crate) fn forged() -> Self {
        Self::told(
            StatusCode::FORBIDDEN,
            "This form was not sent from this site",
            "Nothing was changed. Open the page again and send its form from there.",
        )
    }

    /// A form that is too large, or is none.
    pub(crate) fn unreadable(status: StatusCode, text: &str) -> Self {
        Self::told(status, "The form could not be read", text)
    }

    /// A fault of the program itself.
    pub(crate) fn defect(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a page could not be made");
        Self::told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something broke",
            "The fault is ours and stands in the server's log. What you asked for may or may not have been done.",
        )
    }

    /// What becomes of it, for whoever is there.
    pub(crate) fn shown(self, app: &Arc<App>, presence: &Presence) -> Response {
        let shown = match self {
            Self::SignIn { next } => return see(&sign_in::address(&next), None),
            Self::Again(made) => return see(&made.location, Some(sent_twice(&made))),
            Self::Resume { action, fields } => sign_in::resume(app, presence, action, fields),
            Self::Told { status, title, text } => told(app, presence, status, title, text),
        };
        // What renders an error cannot be shown by an error again.
        shown.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

fn sent_twice(made: &Made) -> Notice {
    Notice::told(format!(
        "The form was sent twice and acted upon once. {}",
        made.words
    ))
}

/// Carries the fault to where the visitor is known.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unavailable => Self::told(
                StatusCode::SERVICE_UNAVAILABLE,
                "This node cannot answer now",
                "It has lost touch with its catalog and cannot tell who may do what, so it does nothing. Try again in a \
                 moment.",
            ),
            Refusal::Closed => Self::told(
                StatusCode::SERVICE_UNAVAILABLE,
                "This node is closed for good",
                "Its catalog went back, or was upgraded by a newer release. It must be started anew.",
            ),
            Refusal::Forbidden(_) => Self::forbidden(refusal.to_string()),
            // The session ended between recognising the visitor and doing the act.
            _ => Self::SignIn { next: "/".to_owned() },
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Forbidden(_) => Self::forbidden(
                "Your role does not allow this. An administrator of the account can do it, or change your role.",
            ),
            Error::NotFound { what, .. } => Self::not_found(what),
            Error::Conflict(text) => {
                Self::told(StatusCode::CONFLICT, "That is not possible now", sentence(&text))
            }
            Error::Changed(_) => Self::told(
                StatusCode::CONFLICT,
                "It has changed meanwhile",
                sentence(&error.to_string()),
            ),
            Error::Invalid { .. } => Self::told(
                StatusCode::UNPROCESSABLE_ENTITY,
                "That is not possible",
                sentence(&error.to_string()),
            ),
            Error::Unavailable(_) => {
                tracing::warn!(error = causes(&error), "a page could not be answered");
                Self::told(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The catalog is unavailable",
                    "Nothing can be said for certain at the moment: what you asked for may or may not have been done. \
                     Repeating it is safe.",
                )
            }
            // Of what pages do, which are small acts, none is done in pieces.
            Error::Partly(reason) => Self::from(*reason),
            Error::Internal(_) => {
                tracing::error!(error = causes(&error), "a page failed");
                Self::defect(&error)
            }
        }
    }
}

fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

/// With a capital letter and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    let stop = if text.ends_with(['.', '?']) { "" } else { "." };
    format!("{first}{}{stop}", characters.as_str())
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    text: String,
    icon: Icon,
}

#[derive(Template)]
#[template(path = "gate_error.html")]
struct GateErrorPage {
    gate: GateFrame,
    text: String,
}

fn told(
    app: &Arc<App>,
    presence: &Presence,
    status: StatusCode,
    title: &'static str,
    text: String,
) -> Result<Response, Fault> {
    let text = rescind_domain::redact(&text).into_owned();
    let mut response = match presence {
        Presence::Visitor(visitor) => {
            let icon = icon(if status == StatusCode::NOT_FOUND {
                "search"
            } else {
                "warning"
            });
            let frame = visitor.frame(app, Section::None, title);
            page_with(status, &ErrorPage { frame, text, icon })
        }
        Presence::Stranger(stranger) => {
            let gate = GateFrame::new(app, stranger, title);
            page_with(status, &GateErrorPage { gate, text })
        }
    }?;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Ok(response)
}
