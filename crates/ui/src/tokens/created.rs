//! The page that hands over the secret of a new token, this once.

use askama::Template;
use axum::response::Response;
use rescind_domain::{Receipt, Secret};

use super::{AnyToken, Snippet, line};
use crate::answers::page;
use crate::errors::Fault;
use crate::frame::Frame;
use crate::notices::Notice;
use crate::times::Moment;
use crate::words::{excerpt, receipt};

/// What is handed over.
pub(crate) struct HandedOver<'a> {
    /// The token.
    pub(crate) token: AnyToken,
    /// Its secret.
    pub(crate) secret: &'a Secret,
    /// What is known of the nodes.
    pub(crate) proof: &'a Receipt,
    /// What it opens, and for what; nothing where its kind says it.
    pub(crate) permissions: Vec<(String, &'static str)>,
    /// Pieces of text for its clients.
    pub(crate) snippets: Vec<Snippet>,
    /// What the download holds.
    pub(crate) file: String,
    /// Back to the list.
    pub(crate) list: String,
}

#[derive(Template)]
#[template(path = "tokens/created.html")]
struct CreatedPage<'a> {
    frame: Frame,
    /// Where every node knows the token.
    receipt: Option<String>,
    description: String,
    expires: Option<Moment>,
    made: HandedOver<'a>,
}

/// The page. It answers a form and has no address: waiting for a node by a button would lose the secret.
pub(crate) fn handed_over(mut frame: Frame, made: HandedOver<'_>) -> Result<Response, Fault> {
    let told = receipt("In force", made.proof);
    let is_known = made.proof.is_complete();
    if !is_known {
        frame.notice = Some(Notice::done(&*told).proven(made.proof).without_waiting());
    }
    page(&CreatedPage {
        frame,
        receipt: is_known.then_some(told),
        description: match made.token.description.trim() {
            "" => line(""),
            text => excerpt(text, 400),
        },
        expires: made.token.expires_at.map(Moment),
        made,
    })
}
