//! Which path leads to which handler, in both documented forms.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use rescind_authority::Authority;
use rescind_domain::Clock;
use rescind_ui::Post;

use super::errors::{Problem, shortened};
use super::extract::ask_again;
use super::receipts::tell_preference;
use super::{
    accounts, audit_events, clusters, databases, invitations, management_tokens, nodes, openapi, tables,
    tokens, users,
};

/// What every handler works with.
#[derive(Clone)]
pub(crate) struct Api {
    /// Every use case.
    pub(crate) authority: Arc<Authority>,
    /// Tells which tokens have expired.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where clusters are reached, as answers tell it.
    pub(crate) url: Arc<str>,
    /// Where people reach this server, as links tell it.
    pub(crate) public_url: Arc<str>,
    /// Sends invitations, where there is a mail server.
    pub(crate) post: Option<Arc<dyn Post>>,
}

/// What the composition root hands to the management API.
pub struct Setup {
    /// Every use case.
    pub authority: Arc<Authority>,
    /// Tells which tokens have expired.
    pub clock: Arc<dyn Clock>,
    /// Where clients reach this server: clusters say it.
    pub url: Arc<str>,
    /// Where people reach it, without a slash at the end: links say it.
    pub public_url: Arc<str>,
    /// Sends invitations, where there is a mail server.
    pub post: Option<Arc<dyn Post>>,
}

/// What stands before the paths of a cluster, unless the account's only cluster is meant (contract, management-api
/// section 1).
pub(crate) const CLUSTER: &str = "/accounts/{accountId}/clusters/{clusterId}";
/// What stands before the paths of an account, unless the caller's own is meant.
pub(crate) const ACCOUNT: &str = "/accounts/{accountId}";

/// The Management API, to be nested under `/api/v0`.
pub fn router(setup: Setup) -> Router {
    let Setup {
        authority,
        clock,
        url,
        public_url,
        post,
    } = setup;
    let mut router = Router::new();
    let forms = [(of_clusters(), CLUSTER), (of_accounts(), ACCOUNT)];
    for (routes, prefix) in forms {
        for (path, methods) in routes {
            router = both(router, &format!("{prefix}{path}"), &methods);
            router = both(router, path, &methods);
        }
    }
    for (path, methods) in of_their_own() {
        router = both(router, path, &methods);
    }
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(ask_again))
        .layer(map_response(keep_out_of_caches))
        .layer(from_fn(tell_preference))
        .with_state(Api {
            authority,
            clock,
            url,
            public_url,
            post,
        })
}

type Routes = Vec<(&'static str, MethodRouter<Api>)>;

/// With and without a trailing slash: the documented samples use both.
fn both(router: Router<Api>, path: &str, methods: &MethodRouter<Api>) -> Router<Api> {
    router
        .route(path, methods.clone())
        .route(&format!("{path}/"), methods.clone())
}

fn of_clusters() -> Routes {
    vec![
        (
            "/databases",
            get(databases::list::list).post(databases::create::create),
        ),
        (
            "/databases/{databaseName}",
            patch(databases::update::update).delete(databases::delete::delete),
        ),
        ("/databases/{databaseName}/rename", put(databases::rename::rename)),
        (
            "/databases/{databaseId}/undelete",
            put(databases::undelete::undelete),
        ),
        (
            "/databases/{databaseName}/tables",
            get(tables::list::list).post(tables::create::create),
        ),
        (
            "/databases/{databaseName}/tables/{tableName}",
            delete(tables::delete::delete),
        ),
        (
            "/databases/{databaseName}/tables/{tableName}/rename",
            put(tables::rename::rename),
        ),
        (
            "/databases/{databaseName}/tables/{tableId}/undelete",
            put(tables::undelete::undelete),
        ),
        ("/tokens", get(tokens::list::list).post(tokens::create::create)),
        ("/tokens/revoke", post(tokens::revoke_many::revoke_many)),
        ("/tokens/{tokenId}/usage", get(tokens::usage::usage)),
        (
            "/tokens/{tokenId}",
            get(tokens::get::get)
                .patch(tokens::update::update)
                .delete(tokens::revoke::revoke),
        ),
    ]
}

fn of_accounts() -> Routes {
    vec![
        (
            "/management-tokens",
            get(management_tokens::list::list).post(management_tokens::create::create),
        ),
        (
            "/management-tokens/revoke",
            post(management_tokens::revoke_many::revoke_many),
        ),
        (
            "/management-tokens/{tokenId}",
            get(management_tokens::get::get).delete(management_tokens::revoke::revoke),
        ),
        ("/users", get(users::list::list)),
        (
            "/users/{userId}",
            get(users::get::get)
                .patch(users::update::update)
                .delete(users::delete::delete),
        ),
        (
            "/invitations",
            get(invitations::list::list).post(invitations::create::create),
        ),
        (
            "/invitations/{invitationId}",
            get(invitations::get::get).delete(invitations::revoke::revoke),
        ),
        ("/clusters", get(clusters::list::list)),
        ("/clusters/{clusterId}", get(clusters::get::get)),
        ("/audit-events", get(audit_events::list::list)),
    ]
}

fn of_their_own() -> Routes {
    vec![
        ("/accounts", get(accounts::list::list)),
        ("/accounts/{accountId}", get(accounts::get::get)),
        ("/nodes", get(nodes::list::list)),
        ("/openapi.json", get(openapi::serve)),
    ]
}

/// Some answers hold a secret, and all are for one caller at one moment (RFC 6750 section 5.3).
async fn keep_out_of_caches(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn unknown_path(uri: Uri) -> Problem {
    let path = shortened(uri.path());
    Problem::new(
        StatusCode::NOT_FOUND,
        format!("no such path: {path}; GET /api/v0/openapi.json lists them all"),
    )
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let message = format!(
        "{} does not take {}; the header Allow says what it takes",
        shortened(uri.path()),
        method
    );
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_documented() {
        let mut served = BTreeSet::new();
        for (routes, prefix) in [(of_clusters(), CLUSTER), (of_accounts(), ACCOUNT)] {
            for (path, _) in routes {
                served.extend([path.to_owned(), format!("{prefix}{path}")]);
            }
        }
        served.extend(of_their_own().into_iter().map(|(path, _)| path.to_owned()));
        let documented: BTreeSet<_> = openapi().paths.paths.into_keys().collect();
        assert_eq!(served, documented);
    }
}
