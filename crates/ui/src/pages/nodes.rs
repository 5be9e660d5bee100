//! `/nodes`: which processes admit requests, and up to where each of them acts.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::times::Moment;
use crate::visitors::Visitor;
use crate::words::{Chip, grouped};

struct Row {
    name: String,
    status: Chip,
    revision: String,
    grants: String,
}

#[derive(Template)]
#[template(path = "nodes.html")]
struct NodesPage {
    frame: Frame,
    rows: Vec<Row>,
    version: String,
    address: String,
    started: Moment,
    cpus: usize,
}

/// `GET /nodes`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let nodes = app.authority.nodes(&visitor.caller)?;
    let here = app.figures.node();
    page(&NodesPage {
        frame: visitor.frame(&app, Section::Nodes, "Nodes"),
        rows: nodes
            .into_iter()
            .map(|node| Row {
                name: node.name,
                status: match node.is_admitting {
                    true => Chip::new("check-circle", "Admitting", "good"),
                    false => Chip::new("ban", "Closed", "warn"),
                },
                revision: node.revision.to_string(),
                grants: grouped(node.grants as u64),
            })
            .collect(),
        version: here.version,
        address: here.listens_on,
        started: Moment(here.started_at),
        cpus: here.cpus,
    })
}
