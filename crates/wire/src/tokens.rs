//! Database tokens (contract, management-api section 6).

use rescind_domain as domain;
use rescind_domain::{Description, Permissions, Secret, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fields::{given, moment};
use crate::{FieldError, Moment, PathForm, SecretText};

/// One thing that a database token may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Permission {
    /// `read` or `write`.
    pub action: String,
    /// A database name, or `*` for all databases.
    pub resource: String,
}

/// A database token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatabaseToken {
    /// The account that owns its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Uuid, nullable = false))]
    pub account_id: Option<String>,
    /// The cluster whose databases it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Uuid, nullable = false))]
    pub cluster_id: Option<String>,
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub id: String,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// When it was created.
    pub created_at: Moment,
    /// From when on it is refused, if ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub expires_at: Option<Moment>,
    /// When it was revoked, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub revoked_at: Option<Moment>,
}

/// A database token that was just created: the one answer that holds its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedDatabaseToken {
    /// The account that owns its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Uuid, nullable = false))]
    pub account_id: Option<String>,
    /// The cluster whose databases it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Uuid, nullable = false))]
    pub cluster_id: Option<String>,
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub id: String,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// When it was created.
    pub created_at: Moment,
    /// Its secret, shown this once and not stored.
    pub access_token: SecretText,
    /// From when on it is refused, if ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub expires_at: Option<Moment>,
    /// When it was revoked, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub revoked_at: Option<Moment>,
}

/// Asks for a database token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateDatabaseToken {
    /// What it is for.
    pub description: String,
    /// What it may do; nothing, when absent.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub permissions: Option<Vec<Permission>>,
    /// From when on it is refused: RFC 3339, in the future. Never, when absent.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = DateTime, nullable = false))]
    pub expires_at: Option<String>,
    /// Says outright whether it expires; must agree with `expiresAt`.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub expiration_type: Option<ExpirationType>,
}

/// Whether a token expires (contract, X-API-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ExpirationType {
    /// At `expiresAt`.
    Datetime,
    /// Never.
    NoExpiration,
}

/// Changes a database token; at least one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(min_properties = 1))]
pub struct UpdateDatabaseToken {
    /// What it is for.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub description: Option<String>,
    /// All that it may do from now on; replaces what it could.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub permissions: Option<Vec<Permission>>,
}

/// A [`CreateDatabaseToken`] whose fields hold what they must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDatabaseToken {
    /// What it is for.
    pub description: Description,
    /// What it may do.
    pub permissions: Permissions,
    /// From when on it is refused; not yet compared with the clock.
    pub expires_at: Option<Timestamp>,
}

/// An [`UpdateDatabaseToken`] whose fields hold what they must; at least one is `Some`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseTokenPatch {
    /// The new description.
    pub description: Option<Description>,
    /// The new permissions.
    pub permissions: Option<Permissions>,
}

impl CreateDatabaseToken {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that does not hold what it must.
    pub fn parse(self) -> Result<NewDatabaseToken, FieldError> {
        let expires_at = moment("expiresAt", self.expires_at.as_deref())?;
        match (self.expiration_type, expires_at) {
            (Some(ExpirationType::Datetime), None) => {
                let message = "is required when expirationType is \"datetime\"";
                return Err(FieldError::new("expiresAt", message));
            }
            (Some(ExpirationType::NoExpiration), Some(_)) => {
                let message = "must be absent when expirationType is \"noExpiration\"";
                return Err(FieldError::new("expiresAt", message));
            }
            _ => {}
        }
        Ok(NewDatabaseToken {
            description: parse_description(&self.description)?,
            permissions: parse_permissions(&self.permissions.unwrap_or_default())?,
            expires_at,
        })
    }
}

impl UpdateDatabaseToken {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that does not hold what it must; refuses an empty patch.
    pub fn parse(self) -> Result<DatabaseTokenPatch, FieldError> {
        if self == Self::default() {
            let message = "give at least one of description and permissions";
            return Err(FieldError::new("", message));
        }
        Ok(DatabaseTokenPatch {
            description: self.description.as_deref().map(parse_description).transpose()?,
            permissions: self.permissions.as_deref().map(parse_permissions).transpose()?,
        })
    }
}

impl DatabaseToken {
    /// The token as answers to a path of this form show it.
    pub fn of(token: &domain::DatabaseToken, form: PathForm) -> Self {
        Self {
            account_id: form.with(token.account),
            cluster_id: form.with(token.cluster),
            id: token.id.to_string(),
            description: token.description.to_string(),
            permissions: token.permissions.iter().map(Permission::from).collect(),
            created_at: token.created_at.into(),
            expires_at: token.expires_at.map(Moment),
            revoked_at: token.state.revoked_at().map(Moment),
        }
    }
}

impl CreatedDatabaseToken {
    /// The token and its secret, as the answer to its creation shows them.
    pub fn of(token: &domain::DatabaseToken, secret: &Secret, form: PathForm) -> Self {
        let shown = DatabaseToken::of(token, form);
        Self {
            account_id: shown.account_id,
            cluster_id: shown.cluster_id,
            id: shown.id,
            description: shown.description,
            permissions: shown.permissions,
            created_at: shown.created_at,
            access_token: secret.into(),
            expires_at: shown.expires_at,
            revoked_at: shown.revoked_at,
        }
    }
}

impl From<&domain::Permission> for Permission {
    fn from(permission: &domain::Permission) -> Self {
        Self {
            action: permission.action.to_string(),
            resource: permission.resource.to_string(),
        }
    }
}

pub(crate) fn parse_description(text: &str) -> Result<Description, FieldError> {
    text.parse().map_err(FieldError::of("description"))
}

fn parse_permissions(permissions: &[Permission]) -> Result<Permissions, FieldError> {
    let one = |(index, permission): (usize, &Permission)| {
        let field = |name: &str| format!("permissions[{index}].{name}");
        Ok(domain::Permission {
            action: permission
                .action
                .parse()
                .map_err(FieldError::of(&field("action")))?,
            resource: permission
                .resource
                .parse()
                .map_err(FieldError::of(&field("resource")))?,
        })
    };
    let parsed: Vec<_> = permissions
        .iter()
        .enumerate()
        .map(one)
        .collect::<Result<_, FieldError>>()?;
    Permissions::new(parsed).map_err(FieldError::of("permissions"))
}
