//! `POST /oauth/token`: the access token of a device that its user approved (RFC 8628 section 3.4).

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use http::HeaderMap;
use rescind_authority::RedeemError;
use rescind_wire::{AccessToken, AccessTokenRequest, DEVICE_CODE_GRANT, OAuthErrorCode};

use super::device::seconds;
use super::forms::{Form, invalid};
use super::refusals::Refused;
use super::{OAuth, client};

/// Hands it out, once, or says what is still missing.
pub(super) async fn redeem(
    State(oauth): State<OAuth>,
    peer: ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(asked): Form<AccessTokenRequest>,
) -> Result<Json<AccessToken>, Refused> {
    match asked.grant_type.as_deref() {
        Some(DEVICE_CODE_GRANT) => {}
        Some(_) => {
            let why = format!("the only grant_type here is {DEVICE_CODE_GRANT}");
            return Err(Refused::because(OAuthErrorCode::UnsupportedGrantType, &why));
        }
        None => return Err(invalid("grant_type is missing")),
    }
    let code = asked
        .device_code
        .ok_or_else(|| invalid("device_code is missing"))?;
    let client_id = asked.client_id.ok_or_else(|| invalid("client_id is missing"))?;
    let signed_in = oauth
        .authority
        .redeem_device(code.expose().as_bytes(), &client_id, client(peer, &headers))
        .await?;
    let session = signed_in.session;
    Ok(Json(AccessToken {
        access_token: (&signed_in.secret).into(),
        token_type: "Bearer".to_owned(),
        expires_in: Some(seconds(session.expires_at.micros() - session.created_at.micros())),
    }))
}

impl From<RedeemError> for Refused {
    fn from(error: RedeemError) -> Self {
        let code = match error {
            RedeemError::Pending => OAuthErrorCode::AuthorizationPending,
            RedeemError::SlowDown { .. } => OAuthErrorCode::SlowDown,
            RedeemError::Denied => OAuthErrorCode::AccessDenied,
            RedeemError::Expired => OAuthErrorCode::ExpiredToken,
            RedeemError::Unknown => OAuthErrorCode::InvalidGrant,
            RedeemError::Failed(error) => return error.into(),
        };
        Self::because(code, &error.to_string())
    }
}
