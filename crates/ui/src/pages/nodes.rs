//! `/nodes`: which processes admit requests, and up to where each of them acts.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::{LeaseStatus, NodeCondition, NodeStatus, Nodes};
use rescind_domain::Timestamp;

use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::times::{Moment, distance};
use crate::visitors::Visitor;
use crate::words::{Chip, count, grouped};

struct Row {
    name: String,
    is_answering: bool,
    status: Chip,
    revision: String,
    /// How far behind the catalog it is, if it is.
    behind: Option<String>,
    lease: Option<Lease>,
    address: String,
    version: String,
    grants: Option<String>,
    remarks: Vec<String>,
}

/// A node's lease in words.
struct Lease {
    renewed: String,
    term: String,
    joined: Moment,
}

#[derive(Template)]
#[template(path = "nodes.html")]
struct NodesPage {
    frame: Frame,
    rows: Vec<Row>,
    /// Whether there can be several nodes.
    is_shared: bool,
    version: String,
    address: String,
    started: Moment,
    cpus: usize,
}

/// `GET /nodes`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let Nodes { nodes, is_shared, .. } = app.authority.nodes(&visitor.caller).await?;
    let now = app.clock.now();
    let here = app.figures.node();
    page(&NodesPage {
        frame: visitor.frame(&app, Section::Nodes, "Nodes"),
        rows: nodes.into_iter().map(|node| row(node, now)).collect(),
        is_shared,
        version: here.version,
        address: here.listens_on,
        started: Moment(here.started_at),
        cpus: here.cpus,
    })
}

fn row(node: NodeStatus, now: Timestamp) -> Row {
    Row {
        status: match (node.state, node.lease) {
            (NodeCondition::Serving, _) => Chip::new("check-circle", "Admitting", "good"),
            (NodeCondition::Lapsed, Some(_)) => Chip::new("clock", "Lapsed", "warn"),
            (NodeCondition::Lapsed, None) => Chip::new("ban", "Closed", "warn"),
            (NodeCondition::Left, _) => Chip::new("ban", "Stopped", ""),
        },
        name: node.name,
        is_answering: node.is_answering,
        revision: node.revision.to_string(),
        // What does not admit need not be current.
        behind: (node.behind > 0 && node.state == NodeCondition::Serving)
            .then(|| format!("{} behind", grouped(node.behind))),
        lease: node.lease.map(|lease| in_words(lease, now)),
        address: node.address,
        version: node.version,
        grants: node.grants.map(|grants| grouped(grants as u64)),
        remarks: node.remarks,
    }
}

fn in_words(lease: LeaseStatus, now: Timestamp) -> Lease {
    Lease {
        renewed: ago(lease.renewed_at, now),
        term: format!("{} s", lease.ttl.as_secs()),
        joined: Moment(lease.joined_at),
    }
}

/// As exact as a lease is short. Clocks of several machines differ: nothing was renewed in the future.
fn ago(at: Timestamp, now: Timestamp) -> String {
    match u64::try_from(now.seconds() - at.seconds()).unwrap_or_default() {
        0 => "just now".to_owned(),
        seconds @ 1..60 => format!("{} ago", count(seconds, "second")),
        _ => distance(at, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewals_are_told_to_the_second() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        for (renewed, words) in [
            (1_000, "just now"),
            (1_003, "just now"),
            (999, "1 second ago"),
            (941, "59 seconds ago"),
            (700, "5 minutes ago"),
        ] {
            assert_eq!(ago(at(renewed), at(1_000)), words);
        }
    }
}
