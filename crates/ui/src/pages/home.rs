//! `/`: leads to the overview of the first cluster, or to the account that has none.

use axum::response::Response;
use rescind_domain::ClusterState;

use crate::answers::see;
use crate::visitors::Visitor;

/// `GET /`.
pub(crate) async fn show(visitor: Visitor) -> Response {
    let mut clusters = visitor.clusters.iter();
    let first = clusters.find(|cluster| cluster.state == ClusterState::Ready);
    let location = match first {
        Some(cluster) => format!("/clusters/{}", cluster.id),
        None => format!("/accounts/{}", visitor.account.id),
    };
    see(&location, visitor.browser.notice.clone())
}
