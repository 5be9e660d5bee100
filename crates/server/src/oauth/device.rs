//! `POST /oauth/device`: device authorization (RFC 8628 section 3.1).

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use http::HeaderMap;
use rescind_authority::{AskDevice, Error};
use rescind_wire::{DeviceAuthorization, DeviceAuthorizationRequest};

use super::forms::{Form, invalid};
use super::refusals::Refused;
use super::{OAuth, client};

/// Takes a program's request and tells what its user has to do.
pub(super) async fn ask(
    State(oauth): State<OAuth>,
    peer: ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(asked): Form<DeviceAuthorizationRequest>,
) -> Result<Json<DeviceAuthorization>, Refused> {
    let ask = AskDevice {
        client_id: asked.client_id.ok_or_else(|| invalid("client_id is missing"))?,
        host: asked.host_name.unwrap_or_default(),
        client: client(peer, &headers),
    };
    let started = oauth
        .authority
        .ask_device(ask)
        .await
        .map_err(|error| match error {
            // The request is good, there are too many of them.
            Error::Conflict(why) => Refused::for_now(60, &why),
            other => other.into(),
        })?;
    let request = started.request;
    let page = format!("{}/device", oauth.public_url);
    let lifetime = request.expires_at.micros() - request.created_at.micros();
    Ok(Json(DeviceAuthorization {
        device_code: (&started.secret).into(),
        user_code: request.user_code.to_string(),
        verification_uri_complete: Some(format!("{page}?user_code={}", request.user_code)),
        verification_uri: page,
        expires_in: seconds(lifetime),
        interval: Some(started.interval),
    }))
}

/// Whole seconds of a number of microseconds.
pub(super) fn seconds(micros: i64) -> u64 {
    u64::try_from(micros / 1_000_000).unwrap_or_default()
}
