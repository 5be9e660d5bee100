//! Management tokens: an extension, for the documentation has them in the CLI only (contract, X-API-14).

use rescind_domain as domain;
use rescind_domain::{Description, Secret, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fields::{given, moment};
use crate::tokens::parse_description;
use crate::{FieldError, Moment, SecretText};

/// A management token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManagementToken {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub id: String,
    /// The account that it administers.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub account_id: String,
    /// What it is for.
    pub description: String,
    /// The first nine characters of its secret.
    pub prefix: String,
    /// When it was created.
    pub created_at: Moment,
    /// Who created it: `user:ID`, `management_token:ID`, `operator` or `system`.
    pub created_by: String,
    /// From when on it is refused, if ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub expires_at: Option<Moment>,
    /// When it was revoked, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub revoked_at: Option<Moment>,
    /// When it was last used, to within a flush of a few seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub last_used_at: Option<Moment>,
}

/// A management token that was just created: the one answer that holds its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedManagementToken {
    /// All but the secret.
    #[serde(flatten)]
    pub details: ManagementToken,
    /// Its secret, shown this once and not stored.
    pub token: SecretText,
}

/// Asks for a management token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateManagementToken {
    /// What it is for; not empty. A generated text, when absent.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, min_length = 1))]
    pub description: Option<String>,
    /// From when on it is refused: RFC 3339, in the future. Never, when absent.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = DateTime, nullable = false))]
    pub expires_at: Option<String>,
}

/// A [`CreateManagementToken`] whose fields hold what they must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewManagementToken {
    /// What it is for; never empty. `None` asks for a generated text (contract, X-CLI-1).
    pub description: Option<Description>,
    /// From when on it is refused; not yet compared with the clock.
    pub expires_at: Option<Timestamp>,
}

impl CreateManagementToken {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that does not hold what it must.
    pub fn parse(self) -> Result<NewManagementToken, FieldError> {
        if self.description.as_deref() == Some("") {
            let message = "must not be empty; leave it out to have one generated";
            return Err(FieldError::new("description", message));
        }
        Ok(NewManagementToken {
            description: self.description.as_deref().map(parse_description).transpose()?,
            expires_at: moment("expiresAt", self.expires_at.as_deref())?,
        })
    }
}

impl From<&domain::ManagementToken> for ManagementToken {
    fn from(token: &domain::ManagementToken) -> Self {
        Self {
            id: token.id.to_string(),
            account_id: token.account.to_string(),
            description: token.description.to_string(),
            prefix: token.prefix.as_str().to_owned(),
            created_at: token.created_at.into(),
            created_by: token.created_by.to_string(),
            expires_at: token.expires_at.map(Moment),
            revoked_at: token.state.revoked_at().map(Moment),
            last_used_at: token.last_used_at.map(Moment),
        }
    }
}

impl CreatedManagementToken {
    /// The token and its secret, as the answer to its creation shows them.
    pub fn of(token: &domain::ManagementToken, secret: &Secret) -> Self {
        Self {
            details: token.into(),
            token: secret.into(),
        }
    }
}
