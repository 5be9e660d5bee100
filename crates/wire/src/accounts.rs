//! Accounts: an extension.

use rescind_domain as domain;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was created.
    pub created_at: Moment,
}

impl From<&domain::Account> for Account {
    fn from(account: &domain::Account) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name.clone(),
            created_at: account.created_at.into(),
        }
    }
}
