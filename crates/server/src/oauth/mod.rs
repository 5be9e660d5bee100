//! Signing in from a program: the device flow (RFC 8628) with this server as its own authorization server, ending an
//! access token (RFC 7009), and where all of that is (RFC 8414).
//!
//! Programs are public clients: they have no secret of their own, and any may ask. What it calls itself is shown to the
//! person who approves, and is worth no more than that.

mod device;
mod forms;
mod metadata;
mod refusals;
mod revoke;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, header};
use rescind_authority::Authority;
use rescind_domain::{Agent, Client};

use crate::answers;

/// What every endpoint works with.
#[derive(Clone)]
pub struct OAuth {
    /// Every use case.
    pub authority: Arc<Authority>,
    /// Where people and programs reach this server, without a slash at the end.
    pub public_url: Arc<str>,
}

/// The four endpoints.
pub fn router(oauth: OAuth) -> Router {
    Router::new()
        .route("/oauth/device", post(device::ask))
        .route("/oauth/token", post(token::redeem))
        .route("/oauth/revoke", post(revoke::revoke))
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .method_not_allowed_fallback(answers::wrong_method)
        .layer(map_response(keep_out_of_caches))
        .with_state(oauth)
}

/// RFC 6749 section 5.1 asks for both.
async fn keep_out_of_caches(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Who is at the other end of the connection.
fn client(ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: &HeaderMap) -> Client {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    Client {
        address: peer.ip().to_canonical(),
        agent: Agent::new(agent.unwrap_or_default()),
    }
}
