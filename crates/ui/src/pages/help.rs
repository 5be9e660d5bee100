//! `/help`.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::visitors::Visitor;

#[derive(Template)]
#[template(path = "help.html")]
struct Help {
    frame: Frame,
    url: String,
}

/// `GET /help`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    page(&Help {
        frame: visitor.frame(&app, Section::Help, "Help"),
        url: app.public_url.to_string(),
    })
}
