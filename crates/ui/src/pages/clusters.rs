//! `/accounts/{account}/clusters`: every cluster of the account.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::{Cluster, ClusterId, ClusterState};

use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::lists::{ColumnSpec, ListSpec, ListState, ListView};
use crate::times::Moment;
use crate::visitors::Visitor;
use crate::words::Chip;

/// The switch that also lists what is deleted.
const DELETED: &str = "deleted";

static SPEC: ListSpec = ListSpec {
    columns: &[
        ColumnSpec::sorted("name", "Name"),
        ColumnSpec::sorted("id", "Cluster ID"),
        ColumnSpec::sorted("status", "Status"),
        ColumnSpec::sorted("created", "Created At"),
    ],
    sort: "name",
    descending: false,
    filters: &[DELETED],
};

/// A row of the list.
struct Row {
    id: ClusterId,
    name: String,
    href: String,
    status: Chip,
    is_gone: bool,
    created: Moment,
}

#[derive(Template)]
#[template(path = "clusters.html")]
struct ListPage {
    frame: Frame,
    list: ListView,
    rows: Vec<Row>,
    shows_deleted: bool,
    url: String,
}

/// `GET /accounts/{account}/clusters`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let account = visitor.account_of()?;
    let mut state = SPEC.read(format!("/accounts/{account}/clusters"), &visitor.browser.query);
    let shows_deleted = !state.filter(DELETED).is_empty();
    let sought = state.search.to_lowercase();
    let is_found = |cluster: &&Cluster| {
        let is_listed = shows_deleted || cluster.state == ClusterState::Ready;
        let has_text =
            cluster.name.to_lowercase().contains(&sought) || cluster.id.to_string().contains(&sought);
        is_listed && has_text
    };
    let mut found: Vec<&Cluster> = visitor.clusters.iter().filter(is_found).collect();
    sort(&mut found, &state);
    state.step_back(found.len());
    let shown = found.iter().skip(state.offset()).take(state.rows);
    page(&ListPage {
        frame: visitor.frame(&app, Section::None, "All Clusters"),
        rows: shown.map(|cluster| row(cluster)).collect(),
        list: state.view(found.len()),
        shows_deleted,
        url: app.public_url.to_string(),
    })
}

fn sort(found: &mut [&Cluster], state: &ListState) {
    found.sort_by_cached_key(|cluster| {
        let text = match state.sort {
            "id" => cluster.id.to_string(),
            "status" => cluster.state.as_str().to_owned(),
            "created" => cluster.created_at.to_rfc3339(6),
            _ => cluster.name.to_lowercase(),
        };
        (text, cluster.id)
    });
    if state.descending {
        found.reverse();
    }
}

fn row(cluster: &Cluster) -> Row {
    let is_gone = cluster.state == ClusterState::Deleted;
    Row {
        id: cluster.id,
        name: cluster.name.clone(),
        href: match is_gone {
            true => String::new(),
            false => format!("/clusters/{}", cluster.id),
        },
        status: cluster.state.into(),
        is_gone,
        created: Moment(cluster.created_at),
    }
}
