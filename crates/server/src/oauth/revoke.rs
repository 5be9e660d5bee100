//! `POST /oauth/revoke`: ends an access token (RFC 7009).

use axum::extract::State;
use http::StatusCode;
use rescind_domain::{Presented, SecretKind};
use rescind_wire::{OAuthErrorCode, RevocationRequest};

use super::OAuth;
use super::forms::{Form, invalid};
use super::refusals::Refused;

/// Ends it. When this answers, every node refuses it. A token that is none, or has ended, is no error (section 2.2).
pub(super) async fn revoke(
    State(oauth): State<OAuth>,
    Form(asked): Form<RevocationRequest>,
) -> Result<StatusCode, Refused> {
    let token = asked.token.ok_or_else(|| invalid("token is missing"))?;
    let secret = token.expose().as_bytes();
    match Presented::parse(secret).map(|presented| presented.kind) {
        Ok(SecretKind::Access) => {
            oauth.authority.end_by_secret(secret).await?;
        }
        // Whoever believes it gone must not be told so (section 2.2.1).
        Ok(_) => {
            let code = OAuthErrorCode::Other("unsupported_token_type".to_owned());
            return Err(Refused::because(code, "only access tokens are ended here"));
        }
        Err(_) => {}
    }
    Ok(StatusCode::OK)
}
