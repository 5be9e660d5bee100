//! Clusters: an extension (contract, influxctl section 6.1).

use rescind_domain as domain;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// A cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cluster {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub id: String,
    /// The account that owns it.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub account_id: String,
    /// What people call it.
    pub name: String,
    /// `ready` or `deleted`.
    pub state: String,
    /// Where it is reached.
    pub url: String,
    /// When it was created.
    pub created_at: Moment,
    /// Always 1, the category of the documented sample.
    pub category: i32,
}

impl Cluster {
    /// The cluster, reached at `url`.
    pub fn of(cluster: &domain::Cluster, url: impl Into<String>) -> Self {
        Self {
            id: cluster.id.to_string(),
            account_id: cluster.account.to_string(),
            name: cluster.name.clone(),
            state: cluster.state.as_str().to_owned(),
            url: url.into(),
            created_at: cluster.created_at.into(),
            category: 1,
        }
    }
}
