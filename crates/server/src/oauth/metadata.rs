//! `GET /.well-known/oauth-authorization-server`: what there is, and where (RFC 8414).

use axum::Json;
use axum::extract::State;
use rescind_wire::{AuthorizationServer, DEVICE_CODE_GRANT};

use super::OAuth;

/// Tells.
pub(super) async fn show(State(oauth): State<OAuth>) -> Json<AuthorizationServer> {
    let at = |path: &str| format!("{}{path}", oauth.public_url);
    let none = || vec!["none".to_owned()];
    Json(AuthorizationServer {
        issuer: oauth.public_url.to_string(),
        device_authorization_endpoint: at("/oauth/device"),
        token_endpoint: at("/oauth/token"),
        revocation_endpoint: at("/oauth/revoke"),
        grant_types_supported: vec![DEVICE_CODE_GRANT.to_owned()],
        response_types_supported: Vec::new(),
        token_endpoint_auth_methods_supported: none(),
        revocation_endpoint_auth_methods_supported: none(),
    })
}
