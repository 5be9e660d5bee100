//! What a database token was used for: an extension.

use rescind_domain as domain;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// How much a database token was used, and who used it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenUsage {
    /// Admitted requests by hour, database and action; hours without any are left out.
    pub hours: Vec<UsageHour>,
    /// Who used it last, if anyone did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub last_client: Option<LastClient>,
}

/// How often a database token was admitted within one hour, for one action on one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageHour {
    /// When the hour begins, in UTC.
    pub hour: Moment,
    /// On which database, by name.
    pub database: String,
    /// `read` or `write`.
    pub action: String,
    /// How many requests.
    pub requests: u64,
}

/// Who used a token last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastClient {
    /// When, to within a flush of a few seconds.
    pub at: Moment,
    /// The other end of the connection: a proxy's address, where there is one.
    pub address: String,
    /// What it calls itself; empty if it does not say. Anyone can claim anything.
    pub user_agent: String,
}

impl TokenUsage {
    /// What was counted, in its order, and who came last.
    pub fn of(usage: &[domain::Usage], last_client: Option<&domain::LastClient>) -> Self {
        Self {
            hours: usage.iter().map(UsageHour::from).collect(),
            last_client: last_client.map(LastClient::from),
        }
    }
}

impl From<&domain::Usage> for UsageHour {
    fn from(usage: &domain::Usage) -> Self {
        Self {
            hour: usage.hour.start().into(),
            database: usage.database.to_string(),
            action: usage.action.to_string(),
            requests: usage.requests,
        }
    }
}

impl From<&domain::LastClient> for LastClient {
    fn from(last: &domain::LastClient) -> Self {
        Self {
            at: last.at.into(),
            address: last.client.address.to_string(),
            user_agent: last.client.agent.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescind_domain::{Action, Agent, Client, Hour, Timestamp};

    #[test]
    fn an_hour_is_named_by_its_start() {
        let usage = domain::Usage {
            hour: Hour::of(Timestamp::from_micros(7_300_000_000)),
            database: "home".parse().expect("a name"),
            action: Action::Write,
            requests: 3,
        };
        let last = domain::LastClient {
            at: Timestamp::from_micros(7_300_000_000),
            client: Client {
                address: "::1".parse().expect("an address"),
                agent: Agent::new("Telegraf/1.30"),
            },
        };
        assert_eq!(
            serde_json::to_string(&TokenUsage::of(&[usage], Some(&last))).expect("JSON"),
            r#"{"hours":[{"hour":"1970-01-01T02:00:00.000Z","database":"home","action":"write","requests":3}],"lastClient":{"at":"1970-01-01T02:01:40.000Z","address":"::1","userAgent":"Telegraf/1.30"}}"#
        );
    }
}
