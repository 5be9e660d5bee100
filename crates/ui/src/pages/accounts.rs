//! `/accounts` and `/accounts/{account}`: the account, its clusters, and the way to its management tokens.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use rescind_domain::{Account, AccountId, Cluster, ClusterId, ClusterState, Subject, Verb};

use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::times::Moment;
use crate::visitors::Visitor;
use crate::words::Chip;

struct AccountRow {
    id: AccountId,
    name: String,
    created: Moment,
    href: String,
}

struct ClusterRow {
    id: ClusterId,
    name: String,
    status: Chip,
    created: Moment,
    href: String,
}

#[derive(Template)]
#[template(path = "accounts/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<AccountRow>,
    active: Chip,
}

#[derive(Template)]
#[template(path = "accounts/show.html")]
struct ShowPage {
    frame: Frame,
    id: AccountId,
    active: Chip,
    started: Moment,
    clusters: Vec<ClusterRow>,
    /// Empty for visitors who may not read them.
    management_tokens: String,
}

/// The pages of accounts.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/accounts", get(list))
        .route("/accounts/{account}", get(show))
}

/// `GET /accounts`: those that the visitor belongs to.
async fn list(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let accounts = app.authority.accounts(&visitor.caller).await?;
    page(&ListPage {
        frame: visitor.frame(&app, Section::None, "All Accounts"),
        rows: accounts.iter().map(account_row).collect(),
        active: active(),
    })
}

/// `GET /accounts/{account}`.
async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let id = visitor.account_of()?;
    let account = app.authority.account(&visitor.caller, id).await?;
    let clusters = app.authority.clusters(&visitor.caller, id).await?;
    page(&ShowPage {
        frame: visitor
            .frame(&app, Section::None, account.name.clone())
            .under("All Accounts", "/accounts"),
        id,
        active: active(),
        started: Moment(account.created_at),
        clusters: clusters.iter().map(cluster_row).collect(),
        management_tokens: match visitor.may(Verb::Read, Subject::ManagementToken) {
            true => format!("/accounts/{id}/management-tokens"),
            false => String::new(),
        },
    })
}

/// Accounts know one state (contract, admin-ui section 2).
fn active() -> Chip {
    Chip::new("check-circle", "Active", "good")
}

fn account_row(account: &Account) -> AccountRow {
    AccountRow {
        id: account.id,
        name: account.name.clone(),
        created: Moment(account.created_at),
        href: format!("/accounts/{}", account.id),
    }
}

fn cluster_row(cluster: &Cluster) -> ClusterRow {
    ClusterRow {
        id: cluster.id,
        name: cluster.name.clone(),
        status: match cluster.state {
            ClusterState::Ready => Chip::new("check-circle", "Ready", "good"),
            ClusterState::Deleted => Chip::new("ban", "Deleted", ""),
        },
        created: Moment(cluster.created_at),
        href: format!("/clusters/{}", cluster.id),
    }
}
