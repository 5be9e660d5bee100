//! `/clusters/{cluster}/database-tokens`: the list, and every act on it. The pattern for other resources.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use rescind_authority::{DatabaseFilter, DatabaseQuery, DatabaseSort, Page, Place};
use rescind_domain::{ClusterId, DatabaseToken, DatabaseTokenId, Subject};

use crate::app::App;
use crate::errors::Fault;
use crate::pages::revoking;
use crate::tokens::AnyToken;
use crate::visitors::Visitor;

mod create;
mod edit;
mod facts;
mod list;
mod permissions;
mod revoke;
mod show;
mod snippets;

/// The pages of database tokens.
pub(crate) fn routes() -> Router<Arc<App>> {
    const LIST: &str = "/clusters/{cluster}/database-tokens";
    let under = |rest: &str| format!("{LIST}{rest}");
    Router::new()
        .route(LIST, get(list::show))
        .route(&under("/new"), get(create::show).post(create::submit))
        .route(
            &under("/revoke"),
            get(revoking::ask_several::<DatabaseToken>).post(revoking::act_on_several::<DatabaseToken>),
        )
        .route(&under("/{token}"), get(show::show))
        .route(&under("/{token}/edit"), get(edit::show).post(edit::submit))
        .route(
            &under("/{token}/revoke"),
            get(revoking::ask::<DatabaseToken>).post(revoking::act::<DatabaseToken>),
        )
}

/// Where the list of a cluster's database tokens is.
fn list_path(cluster: ClusterId) -> String {
    format!("/clusters/{cluster}/database-tokens")
}

/// Where a database token's page is.
fn token_path(cluster: ClusterId, token: DatabaseTokenId) -> String {
    format!("/clusters/{cluster}/database-tokens/{token}")
}

/// What a database token has in common with tokens of the other kind.
fn common(token: &DatabaseToken) -> AnyToken {
    AnyToken {
        subject: Subject::DatabaseToken,
        id: token.id.to_string(),
        href: token_path(token.cluster, token.id),
        description: token.description.to_string(),
        created_by: token.created_by,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        state: token.state,
    }
}

/// How many databases forms offer by name. Names of others can be typed.
const OFFERED: u32 = 1_000;

/// The names of a cluster's databases, in order.
async fn database_names(app: &App, visitor: &Visitor, place: Place) -> Result<Vec<String>, Fault> {
    let query = DatabaseQuery {
        filter: DatabaseFilter::Active,
        search: None,
        sort: DatabaseSort::Name,
        descending: false,
        page: Page::first(OFFERED),
    };
    let databases = app.authority.databases(&visitor.caller, place, &query).await?;
    Ok(databases
        .items
        .iter()
        .map(|database| database.name.to_string())
        .collect())
}
