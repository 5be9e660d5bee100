//! The people of an account: an extension.

use rescind_domain as domain;
use rescind_domain::UserState;
use serde::{Deserialize, Serialize};

use crate::fields::given;
use crate::{FieldError, Moment};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub id: String,
    /// How it logs in.
    #[cfg_attr(feature = "openapi", schema(format = Email))]
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// `admin`, `member` or `auditor`.
    pub role: String,
    /// `enabled` or `disabled`.
    pub state: String,
    /// When it joined.
    pub created_at: Moment,
    /// Since when it is disabled, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub disabled_at: Option<Moment>,
}

/// Changes a user; at least one field. `state` comes alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(min_properties = 1))]
pub struct UpdateUser {
    /// Given name.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub last_name: Option<String>,
    /// `admin`, `member` or `auditor`.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub role: Option<String>,
    /// `enabled` or `disabled`.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub state: Option<String>,
}

/// An [`UpdateUser`] whose fields hold what they must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserPatch {
    /// What is known about the user, or what it may do.
    Details {
        /// Given name.
        first_name: Option<String>,
        /// Family name.
        last_name: Option<String>,
        /// What it may do from now on.
        role: Option<domain::Role>,
    },
    /// It may act again.
    Enable,
    /// It is refused everywhere from then on.
    Disable,
}

impl UpdateUser {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that does not hold what it must; refuses a body without any, and `state` beside others:
    /// they would be two acts, of which one could fail.
    pub fn parse(self) -> Result<UserPatch, FieldError> {
        let Self {
            first_name,
            last_name,
            role,
            state,
        } = self;
        let has_details = first_name.is_some() || last_name.is_some() || role.is_some();
        match state.as_deref() {
            Some(_) if has_details => Err(FieldError::new("state", "must be given alone")),
            Some("enabled") => Ok(UserPatch::Enable),
            Some("disabled") => Ok(UserPatch::Disable),
            Some(other) => Err(FieldError::new(
                "state",
                format!("must be enabled or disabled, not {other:?}"),
            )),
            None if !has_details => {
                let message = "at least one of firstName, lastName, role and state must be given";
                Err(FieldError::new("", message))
            }
            None => Ok(UserPatch::Details {
                first_name,
                last_name,
                role: role.as_deref().map(parse_role).transpose()?,
            }),
        }
    }
}

/// Reads the field `role`.
pub(crate) fn parse_role(text: &str) -> Result<domain::Role, FieldError> {
    text.parse()
        .map_err(|_| FieldError::new("role", format!("must be admin, member or auditor, not {text:?}")))
}

impl From<&domain::User> for User {
    fn from(user: &domain::User) -> Self {
        let (state, disabled_at) = match user.state {
            UserState::Enabled => ("enabled", None),
            UserState::Disabled { at } => ("disabled", Some(Moment(at))),
        };
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            role: user.role.to_string(),
            state: state.to_owned(),
            created_at: user.created_at.into(),
            disabled_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    fn patch(body: &str) -> Result<UserPatch, String> {
        decode::<UpdateUser>(body.as_bytes())
            .and_then(UpdateUser::parse)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_change_says_what_it_changes() {
        let details = |first_name: Option<&str>, role| UserPatch::Details {
            first_name: first_name.map(str::to_owned),
            last_name: None,
            role,
        };
        let auditor = details(None, Some(domain::Role::Auditor));
        assert_eq!(patch(r#"{"role":"auditor"}"#), Ok(auditor));
        assert_eq!(patch(r#"{"firstName":"Ada"}"#), Ok(details(Some("Ada"), None)));
        assert_eq!(patch(r#"{"state":"enabled"}"#), Ok(UserPatch::Enable));
        assert_eq!(patch(r#"{"state":"disabled"}"#), Ok(UserPatch::Disable));
        for (body, reason) in [
            (
                "{}",
                "at least one of firstName, lastName, role and state must be given",
            ),
            (
                r#"{"state":"gone"}"#,
                "state: must be enabled or disabled, not \"gone\"",
            ),
            (
                r#"{"role":"admin","state":"enabled"}"#,
                "state: must be given alone",
            ),
            (
                r#"{"role":"root"}"#,
                "role: must be admin, member or auditor, not \"root\"",
            ),
            (r#"{"role":null}"#, "role: invalid type: null, expected a string"),
        ] {
            assert_eq!(patch(body).expect_err("refused"), reason, "{body}");
        }
        assert!(
            patch(r#"{"email":"a@b"}"#)
                .expect_err("refused")
                .contains("unknown field")
        );
    }

    #[test]
    fn a_disabled_user_says_since_when() {
        let mut user = domain::User {
            id: "44444444-4444-4444-8444-444444444444".parse().expect("an id"),
            account: "11111111-1111-4111-8111-111111111111".parse().expect("an id"),
            email: "ada@example.com".parse().expect("an address"),
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            role: domain::Role::Admin,
            state: UserState::Enabled,
            created_at: domain::Timestamp::from_micros(0),
        };
        let text = |user: &domain::User| serde_json::to_string(&User::from(user)).expect("JSON");
        assert_eq!(
            text(&user),
            r#"{"id":"44444444-4444-4444-8444-444444444444","email":"ada@example.com","firstName":"Ada","lastName":"Lovelace","role":"admin","state":"enabled","createdAt":"1970-01-01T00:00:00.000Z"}"#
        );
        user.state = UserState::Disabled {
            at: domain::Timestamp::from_micros(1_000_000),
        };
        assert!(text(&user).contains(r#""state":"disabled""#));
        assert!(text(&user).ends_with(r#""disabledAt":"1970-01-01T00:00:01.000Z"}"#));
    }
}
