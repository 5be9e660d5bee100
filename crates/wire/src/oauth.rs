//! Signing in from a program: the bodies of the device flow (RFC 8628), of revocation (RFC 7009) and of the document
//! that says where they are (RFC 8414).
//!
//! Requests are forms, answers JSON. Parameters that are not known are ignored, as RFC 6749 section 3.2 asks for; the
//! ones that must be there are optional here, so that the endpoint can refuse in the words of RFC 6749 section 5.2.

use std::fmt;

use rescind_domain::DeviceRequest;
use serde::{Deserialize, Serialize};

use crate::SecretText;

/// `grant_type` of the device flow (RFC 8628 section 3.4).
pub const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// `client_id` of the command line.
pub const INFLUXCTL_CLIENT: &str = "influxctl";

/// How long a client waits between two questions when nobody said, in seconds (RFC 8628 section 3.2).
pub const DEFAULT_POLL_SECONDS: u32 = DeviceRequest::POLL_SECONDS;

/// How many seconds longer a client waits each time it is told to (RFC 8628 section 3.5).
pub const SLOW_DOWN_SECONDS: u32 = DeviceRequest::SLOW_DOWN_SECONDS;

/// Asks for a device code (RFC 8628 section 3.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAuthorizationRequest {
    /// Which program asks; required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub client_id: Option<String>,
    /// What for, as words divided by spaces; of no consequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub scope: Option<String>,
    /// The machine it runs on, for the person who approves: an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub host_name: Option<String>,
}

/// What the program shows and what it asks again with (RFC 8628 section 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAuthorization {
    /// What the program redeems; nobody sees it.
    pub device_code: SecretText,
    /// What the person compares or types, such as `WDJB-MJHT`.
    pub user_code: String,
    /// The page to open.
    pub verification_uri: String,
    /// The same page with the code filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub verification_uri_complete: Option<String>,
    /// After how many seconds both codes are void.
    pub expires_in: u64,
    /// How many seconds to wait between two questions; [`DEFAULT_POLL_SECONDS`] when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub interval: Option<u32>,
}

/// Asks for the access token (RFC 8628 section 3.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessTokenRequest {
    /// [`DEVICE_CODE_GRANT`]; required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub grant_type: Option<String>,
    /// The device code; required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub device_code: Option<SecretText>,
    /// Which program asks; required, and the one that the code was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub client_id: Option<String>,
}

/// The access token (RFC 6749 section 5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessToken {
    /// The token itself.
    pub access_token: SecretText,
    /// `Bearer`.
    pub token_type: String,
    /// After how many seconds it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub expires_in: Option<u64>,
}

/// Ends a token (RFC 7009 section 2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevocationRequest {
    /// The access token; required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub token: Option<SecretText>,
    /// `access_token`, or anything: tokens tell themselves apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub token_type_hint: Option<String>,
    /// Which program asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub client_id: Option<String>,
}

/// A refusal of one of these endpoints (RFC 6749 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthError {
    /// Which.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub error: OAuthErrorCode,
    /// In words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub error_description: Option<String>,
}

/// Why one of these endpoints refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OAuthErrorCode {
    /// A parameter is missing or no good (RFC 6749 section 5.2).
    InvalidRequest,
    /// No such program (RFC 6749 section 5.2).
    InvalidClient,
    /// The device code is unknown, used up, or another program's (RFC 6749 section 5.2).
    InvalidGrant,
    /// The program may not use this grant (RFC 6749 section 5.2).
    UnauthorizedClient,
    /// No such grant (RFC 6749 section 5.2).
    UnsupportedGrantType,
    /// No such scope (RFC 6749 section 5.2).
    InvalidScope,
    /// Nobody has answered yet (RFC 8628 section 3.5).
    AuthorizationPending,
    /// Nobody has answered yet, and the client asks too often (RFC 8628 section 3.5).
    SlowDown,
    /// The person refused (RFC 8628 section 3.5).
    AccessDenied,
    /// The device code is void (RFC 8628 section 3.5).
    ExpiredToken,
    /// The server cannot tell at the moment (RFC 6749 section 4.1.2.1).
    TemporarilyUnavailable,
    /// The server failed (RFC 6749 section 4.1.2.1).
    ServerError,
    /// A reason of another provider.
    #[serde(untagged)]
    Other(String),
}

impl OAuthErrorCode {
    /// The word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for OAuthErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl OAuthError {
    /// A refusal for this reason, in these words.
    pub fn new(error: OAuthErrorCode, description: impl Into<String>) -> Self {
        Self {
            error,
            error_description: Some(description.into()),
        }
    }
}

/// What the authorization server offers, and where (RFC 8414 section 2; RFC 8628 section 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthorizationServer {
    /// The address under which the document was found, without its path.
    pub issuer: String,
    /// Where device codes are asked for.
    pub device_authorization_endpoint: String,
    /// Where access tokens are asked for.
    pub token_endpoint: String,
    /// Where access tokens are ended.
    pub revocation_endpoint: String,
    /// The grants on offer.
    pub grant_types_supported: Vec<String>,
    /// None: there is no authorization endpoint. Required all the same.
    pub response_types_supported: Vec<String>,
    /// `none`: the programs are public and have no secret of their own.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// `none` as well.
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: [OAuthErrorCode; 12] = [
        OAuthErrorCode::InvalidRequest,
        OAuthErrorCode::InvalidClient,
        OAuthErrorCode::InvalidGrant,
        OAuthErrorCode::UnauthorizedClient,
        OAuthErrorCode::UnsupportedGrantType,
        OAuthErrorCode::InvalidScope,
        OAuthErrorCode::AuthorizationPending,
        OAuthErrorCode::SlowDown,
        OAuthErrorCode::AccessDenied,
        OAuthErrorCode::ExpiredToken,
        OAuthErrorCode::TemporarilyUnavailable,
        OAuthErrorCode::ServerError,
    ];

    #[test]
    fn a_code_is_written_as_it_is_named_and_read_back() {
        let strange = OAuthErrorCode::Other("consent_required".to_owned());
        for code in CODES.into_iter().chain([strange]) {
            let text = serde_json::to_string(&code).expect("JSON");
            assert_eq!(text, format!("\"{code}\""));
            assert_eq!(
                serde_json::from_str::<OAuthErrorCode>(&text).expect("a code"),
                code
            );
        }
    }

    #[test]
    fn an_answer_of_another_provider_is_understood() {
        let answer = r#"{"device_code":"d","user_code":"U","verification_uri":"https://x/","expires_in":900,"more":1}"#;
        let answer: DeviceAuthorization = serde_json::from_str(answer).expect("understood");
        assert_eq!((answer.interval, answer.verification_uri_complete), (None, None));
        let token = r#"{"access_token":"t","token_type":"bearer","id_token":"x","refresh_token":"y"}"#;
        let token: AccessToken = serde_json::from_str(token).expect("understood");
        assert_eq!((token.access_token.expose(), token.expires_in), ("t", None));
    }

    #[test]
    fn debug_keeps_the_codes() {
        let code = "D.V1.0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3";
        let request: AccessTokenRequest =
            serde_json::from_value(serde_json::json!({ "device_code": code })).expect("a request");
        let shown = format!("{request:?}");
        assert!(shown.contains("D.V1.0aB1…") && !shown.contains(code), "{shown}");
    }
}
