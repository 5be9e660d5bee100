//! `/clusters/{cluster}/tables?database=…`: leads to the tables of that database, or of the first one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::DatabaseFilter;
use rescind_domain::{Subject, Verb};

use super::list_path;
use crate::answers::{page, see};
use crate::app::App;
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::pages::databases::{self, databases};
use crate::visitors::Visitor;

#[derive(Template)]
#[template(path = "tables/none.html")]
struct NonePage {
    frame: Frame,
    may_create: bool,
    new: String,
}

/// `GET /clusters/{cluster}/tables`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let place = visitor.place()?;
    let all = databases(&app, &visitor, place, DatabaseFilter::Active).await?;
    let chosen = match visitor.browser.query.given("database") {
        Some(name) => {
            let named = all.iter().find(|database| database.name.as_str() == name);
            Some(named.ok_or_else(|| Fault::not_found("database"))?)
        }
        None => all.first(),
    };
    match chosen {
        Some(database) => {
            let location = list_path(place.cluster, database.id);
            Ok(see(&location, visitor.browser.notice.clone()))
        }
        None => page(&NonePage {
            frame: visitor.frame(&app, Section::Tables, "Tables"),
            may_create: visitor.may(Verb::Create, Subject::Database),
            new: format!("{}/new", databases::list_path(place.cluster)),
        }),
    }
}
