//! The audit log: an extension.

use std::collections::BTreeMap;

use rescind_domain as domain;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// One administrative act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEvent {
    /// Its place in the log, from 1, without gaps.
    pub sequence: i64,
    /// When it was done.
    pub at: Moment,
    /// The revision it took, if it changed what anyone may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub revision: Option<i64>,
    /// Who did it: `user:ID`, `management_token:ID`, `database_token:ID`, `operator` or `system`.
    pub actor: String,
    /// On which account.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub account_id: String,
    /// What was done, such as `database_token.revoke`.
    pub act: String,
    /// The id of what it was done to.
    pub subject: String,
    /// Further facts by name; never a secret.
    pub details: BTreeMap<String, String>,
}

impl From<&domain::AuditEvent> for AuditEvent {
    fn from(event: &domain::AuditEvent) -> Self {
        Self {
            sequence: event.sequence,
            at: event.at.into(),
            revision: event.revision.map(domain::Revision::get),
            actor: event.actor.to_string(),
            account_id: event.account.to_string(),
            act: event.act.to_string(),
            subject: event.subject.clone(),
            details: event.details.iter().cloned().collect(),
        }
    }
}
