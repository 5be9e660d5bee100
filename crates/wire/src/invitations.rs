//! Invitations: an extension.

use std::fmt;

use rescind_domain as domain;
use rescind_domain::{Email, InvitationState, Timestamp};
use serde::{Deserialize, Serialize};

use crate::users::parse_role;
use crate::{FieldError, Moment};

/// An invitation, without its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub id: String,
    /// The account it leads to.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub account_id: String,
    /// Who is invited.
    #[cfg_attr(feature = "openapi", schema(format = Email))]
    pub email: String,
    /// Given name; may be empty until it is accepted.
    pub first_name: String,
    /// Family name; may be empty until it is accepted.
    pub last_name: String,
    /// What the user will be: `admin`, `member` or `auditor`.
    pub role: String,
    /// `pending`, `accepted`, `expired` or `revoked`.
    pub status: String,
    /// When it was made.
    pub created_at: Moment,
    /// Who made it: `user:ID`, `management_token:ID`, `operator` or `system`.
    pub created_by: String,
    /// From when on its link does not work.
    pub expires_at: Moment,
    /// When its link was used, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub accepted_at: Option<Moment>,
    /// The user that used it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Uuid, nullable = false))]
    pub user_id: Option<String>,
    /// When it was withdrawn, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub revoked_at: Option<Moment>,
}

/// An invitation that was just made: the one answer that holds its link. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedInvitation {
    /// All but the link.
    #[serde(flatten)]
    pub details: Invitation,
    /// The link, shown this once and not stored. It works once, for whoever opens it.
    pub link: String,
}

impl fmt::Debug for CreatedInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedInvitation")
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

/// Invites a person. The address of an existing user lets that user set a new password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateInvitation {
    /// Who is invited.
    #[cfg_attr(feature = "openapi", schema(format = Email))]
    pub email: String,
    /// Given name; the person can change it. Empty, when absent.
    #[serde(default)]
    pub first_name: String,
    /// Family name; the person can change it. Empty, when absent.
    #[serde(default)]
    pub last_name: String,
    /// What the user will be: `admin`, `member` or `auditor`.
    pub role: String,
}

/// A [`CreateInvitation`] whose fields hold what they must.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Who is invited.
    pub email: Email,
    /// Given name; may be empty.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// What the user will be.
    pub role: domain::Role,
}

impl CreateInvitation {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that does not hold what it must.
    pub fn parse(self) -> Result<NewInvitation, FieldError> {
        Ok(NewInvitation {
            email: self.email.parse().map_err(FieldError::of("email"))?,
            first_name: self.first_name,
            last_name: self.last_name,
            role: parse_role(&self.role)?,
        })
    }
}

impl Invitation {
    /// An invitation as it stands at `now`.
    pub fn of(invitation: &domain::Invitation, now: Timestamp) -> Self {
        let (accepted_at, user_id, revoked_at) = match invitation.state {
            InvitationState::Pending => (None, None, None),
            InvitationState::Accepted { at, user } => (Some(Moment(at)), Some(user.to_string()), None),
            InvitationState::Revoked { at } => (None, None, Some(Moment(at))),
        };
        let status = invitation.state.status(invitation.expires_at, now);
        Self {
            id: invitation.id.to_string(),
            account_id: invitation.account.to_string(),
            email: invitation.email.to_string(),
            first_name: invitation.first_name.clone(),
            last_name: invitation.last_name.clone(),
            role: invitation.role.to_string(),
            status: status.as_str().to_owned(),
            created_at: invitation.created_at.into(),
            created_by: invitation.created_by.to_string(),
            expires_at: invitation.expires_at.into(),
            accepted_at,
            user_id,
            revoked_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;
    use rescind_domain::{Actor, Role};

    #[test]
    fn an_invitation_needs_an_address_and_a_role() {
        let parse = |body: &str| {
            decode::<CreateInvitation>(body.as_bytes())
                .and_then(CreateInvitation::parse)
                .map_err(|error| error.to_string())
        };
        let new = parse(r#"{"email":"ada@example.com","role":"member"}"#).expect("complete");
        assert_eq!((new.email.as_str(), new.role), ("ada@example.com", Role::Member));
        assert_eq!((new.first_name.as_str(), new.last_name.as_str()), ("", ""));
        for (body, field) in [
            (r#"{"role":"member"}"#, "email"),
            (r#"{"email":"ada@example.com"}"#, "role"),
            (
                r#"{"email":"ada","role":"member"}"#,
                "email: must be an e-mail address",
            ),
            (
                r#"{"email":"ada@example.com","role":"Admin"}"#,
                "role: must be admin",
            ),
        ] {
            let error = parse(body).expect_err("refused");
            assert!(error.contains(field), "{body}: {error}");
        }
    }

    #[test]
    fn the_link_is_in_the_answer_and_nowhere_else() {
        let at = Timestamp::from_micros;
        let mut invitation = domain::Invitation {
            id: "55555555-5555-4555-8555-555555555555".parse().expect("an id"),
            account: "11111111-1111-4111-8111-111111111111".parse().expect("an id"),
            email: "ada@example.com".parse().expect("an address"),
            first_name: String::new(),
            last_name: String::new(),
            role: Role::Auditor,
            created_at: at(0),
            created_by: Actor::Operator,
            expires_at: at(2_000_000),
            state: InvitationState::Pending,
        };
        let status = |invitation: &domain::Invitation, now| Invitation::of(invitation, at(now)).status;
        assert_eq!(status(&invitation, 1_999_999), "pending");
        assert_eq!(status(&invitation, 2_000_000), "expired");
        let created = CreatedInvitation {
            details: Invitation::of(&invitation, at(0)),
            link: "http://localhost/invitations/I.V1.secret".to_owned(),
        };
        assert_eq!(
            serde_json::to_string(&created).expect("JSON"),
            r#"{"id":"55555555-5555-4555-8555-555555555555","accountId":"11111111-1111-4111-8111-111111111111","email":"ada@example.com","firstName":"","lastName":"","role":"auditor","status":"pending","createdAt":"1970-01-01T00:00:00.000Z","createdBy":"operator","expiresAt":"1970-01-01T00:00:02.000Z","link":"http://localhost/invitations/I.V1.secret"}"#
        );
        assert!(!format!("{created:?}").contains("I.V1."));
        invitation.state = InvitationState::Revoked { at: at(1) };
        assert_eq!(status(&invitation, 3_000_000), "revoked");
    }
}
