//! `/clusters/{cluster}`.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::ClusterId;

use super::attention::{Attention, attention};
use super::metrics::{Metrics, RANGES, Range};
use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::pages::databases::storage_used;
use crate::times::Moment;
use crate::visitors::Visitor;
use crate::words::{Chip, bytes};

#[derive(Template)]
#[template(path = "overview/show.html")]
struct OverviewPage {
    frame: Frame,
    path: String,
    name: String,
    status: Chip,
    created: Moment,
    id: ClusterId,
    url: String,
    storage: String,
    attention: Attention,
    ranges: [Range; 3],
    range: Range,
    metrics: Metrics,
}

/// `GET /clusters/{cluster}`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let cluster = visitor.cluster()?;
    let place = visitor.place()?;
    let range = Range::read(&visitor.browser.query);
    page(&OverviewPage {
        frame: visitor.frame(&app, Section::Overview, "Overview"),
        path: format!("/clusters/{}", cluster.id),
        name: cluster.name.clone(),
        status: cluster.state.into(),
        created: Moment(cluster.created_at),
        id: cluster.id,
        url: app.public_url.to_string(),
        storage: bytes(storage_used(&app, &visitor, place).await?),
        attention: attention(&app, &visitor, place).await?,
        ranges: RANGES,
        range,
        metrics: Metrics::of(app.figures.as_ref(), range)?,
    })
}
