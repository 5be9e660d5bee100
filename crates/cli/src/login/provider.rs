//! The provider over HTTP.

use std::collections::BTreeMap;
use std::io::Read;

use rescind_wire::{
    AccessTokenRequest, DEVICE_CODE_GRANT, DeviceAuthorization, DeviceAuthorizationRequest, OAuthError,
    OAuthErrorCode, RevocationRequest, SecretText,
};
use serde::Serialize;
use ureq::Agent;
use ureq::http::{Request, StatusCode};

use super::device_flow::{Answer, LoginError, Provider};
use super::settings::{Settings, is_web_address};
use crate::api::{Peer, segment};
use crate::log::Log;

/// The most bytes of an answer that are read.
const MAX_ANSWER: u64 = 1 << 20;

/// Asks the endpoints of one profile.
pub(crate) struct HttpProvider<'a> {
    pub(crate) agent: Agent,
    pub(crate) peer: Peer,
    pub(crate) settings: &'a Settings,
    /// The machine that asks, if the provider is to show it.
    pub(crate) host_name: Option<String>,
    pub(crate) log: Log,
}

/// What came back, success or not.
struct Reply {
    status: StatusCode,
    kind: String,
    body: Vec<u8>,
}

impl Provider for HttpProvider<'_> {
    fn authorize(&self) -> Result<DeviceAuthorization, LoginError> {
        let request = DeviceAuthorizationRequest {
            client_id: Some(self.settings.client_id.clone()),
            scope: self.settings.scope.clone(),
            host_name: self.host_name.clone(),
        };
        let reply = self
            .post(&self.settings.device_url, &request, &self.settings.parameters)
            .map_err(LoginError::Failed)?;
        if let Some(refusal) = reply.refusal() {
            return Err(LoginError::Refused(refusal));
        }
        let authorization: DeviceAuthorization = match serde_json::from_slice(&reply.body) {
            Ok(authorization) if reply.status.is_success() => authorization,
            _ => return Err(self.no_login(&reply)),
        };
        let urls = [
            Some(&authorization.verification_uri),
            authorization.verification_uri_complete.as_ref(),
        ];
        if urls.into_iter().flatten().any(|url| !is_web_address(url)) {
            let what = "the page that it sends people to is no address of the web";
            return Err(LoginError::Failed(self.peer.wrong_product(what)));
        }
        Ok(authorization)
    }

    fn redeem(&self, authorization: &DeviceAuthorization) -> Answer {
        let request = AccessTokenRequest {
            grant_type: Some(DEVICE_CODE_GRANT.to_owned()),
            device_code: Some(authorization.device_code.clone()),
            client_id: Some(self.settings.client_id.clone()),
        };
        let reply = match self.post(&self.settings.token_url, &request, &self.settings.parameters) {
            Ok(reply) => reply,
            Err(message) => {
                self.log.debug(format_args!("asking again later: {message}"));
                return Answer::Unreachable(message);
            }
        };
        let is_passing = |code: &OAuthErrorCode| {
            matches!(
                code,
                OAuthErrorCode::TemporarilyUnavailable | OAuthErrorCode::ServerError
            )
        };
        match reply.refusal() {
            Some(refusal) if is_passing(&refusal.error) => {
                Answer::Unreachable(LoginError::Refused(refusal).to_string())
            }
            Some(refusal) => Answer::Refused(refusal),
            None if reply.status.is_server_error() || reply.status == StatusCode::TOO_MANY_REQUESTS => {
                Answer::Unreachable(self.no_login(&reply).to_string())
            }
            None => match serde_json::from_slice(&reply.body) {
                Ok(token) if reply.status.is_success() => Answer::Granted(token),
                _ => Answer::Strange(self.no_login(&reply)),
            },
        }
    }
}

impl HttpProvider<'_> {
    /// Ends `token` at `url` (RFC 7009); one that has ended already is no error.
    pub(crate) fn revoke(&self, url: &str, token: &SecretText) -> Result<(), String> {
        let request = RevocationRequest {
            token: Some(token.clone()),
            token_type_hint: Some("access_token".to_owned()),
            client_id: Some(self.settings.client_id.clone()),
        };
        let reply = self.post(url, &request, &BTreeMap::new())?;
        match reply.refusal() {
            Some(refusal) => Err(LoginError::Refused(refusal).to_string()),
            None if reply.status.is_success() => Ok(()),
            None => Err(self.no_login(&reply).to_string()),
        }
    }

    /// One form; an error when no answer came.
    fn post(
        &self,
        url: &str,
        form: &impl Serialize,
        more: &BTreeMap<String, String>,
    ) -> Result<Reply, String> {
        let body = encode(form, more)?;
        self.log.debug(format_args!("POST {url}"));
        let request = Request::post(url)
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.into_bytes())
            .map_err(|error| format!("{url} is no address: {error}"))?;
        let mut answer = self
            .agent
            .run(request)
            .map_err(|error| self.peer.unreachable(&error))?;
        self.log.debug(answer.status());
        let kind = answer
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok());
        let mut reply = Reply {
            status: answer.status(),
            kind: kind.unwrap_or("something else").to_owned(),
            body: Vec::new(),
        };
        let read = answer
            .body_mut()
            .as_reader()
            .take(MAX_ANSWER)
            .read_to_end(&mut reply.body);
        read.map_err(|error| format!("the answer of {} broke off: {error}", self.peer.origin))?;
        Ok(reply)
    }

    /// What to say to an answer in no form of the protocol.
    fn no_login(&self, reply: &Reply) -> LoginError {
        if reply.status.is_server_error() {
            let (origin, status) = (&self.peer.origin, reply.status.as_u16());
            return LoginError::Failed(format!(
                "{origin} is not available: it answers {status}; try again"
            ));
        }
        let what = match reply.status.is_success() {
            true => format!("it answers with {}", reply.kind),
            false => format!("it answers {} with {}", reply.status.as_u16(), reply.kind),
        };
        LoginError::Failed(format!(
            "{}; or set mgmt_token there, which needs no login",
            self.peer.wrong_product(&what)
        ))
    }
}

impl Reply {
    /// A refusal, whatever its status: some providers refuse with 200.
    fn refusal(&self) -> Option<OAuthError> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// `application/x-www-form-urlencoded`.
fn encode(form: &impl Serialize, more: &BTreeMap<String, String>) -> Result<String, String> {
    let fields = serde_json::to_value(form).map_err(|error| error.to_string())?;
    let own = fields.as_object().into_iter().flatten();
    let own = own.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let more = more.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs = own
        .chain(more)
        .map(|(name, value)| format!("{}={}", segment(name), segment(value)));
    Ok(pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded() {
        let form = DeviceAuthorizationRequest {
            client_id: Some("a b&c=d+e".to_owned()),
            scope: None,
            host_name: Some("größe".to_owned()),
        };
        let more = BTreeMap::from([("audience".to_owned(), "https://x/?y".to_owned())]);
        assert_eq!(
            encode(&form, &more).expect("encoded"),
            "client_id=a%20b%26c%3Dd%2Be&host_name=gr%C3%B6%C3%9Fe&audience=https%3A%2F%2Fx%2F%3Fy"
        );
    }
}
