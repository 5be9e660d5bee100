//! Query parameters of lists: which elements, in which order, how many at a time. An extension.

use rescind_domain::{DatabaseName, TokenStatus};
use serde::{Deserialize, Serialize};

use crate::FieldError;

/// The most elements of one page.
pub const MAX_LIMIT: u32 = 1_000;

/// Query parameters of `GET …/tokens`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct DatabaseTokenListQuery {
    /// `all`, or some of `active`, `expired`, `revoked`, joined by commas. All, when absent.
    pub status: Option<String>,
    /// Only tokens whose description or id holds this text, in either case.
    pub search: Option<String>,
    /// Only tokens that may read or write this database, by its name or by `*`.
    pub database: Option<String>,
    /// `created` (default), `description`, `expires` or `used`.
    pub sort: Option<String>,
    /// `asc` or `desc`.
    pub order: Option<SortOrder>,
    /// At most this many elements, 1 to 1000; a `Link` header with `rel="next"` leads on.
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 1000))]
    pub limit: Option<u32>,
    /// Where to go on: taken from the `Link` header.
    pub cursor: Option<String>,
}

/// Query parameters of `GET /accounts/{accountId}/management-tokens`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct ManagementTokenListQuery {
    /// `all`, or some of `active`, `expired`, `revoked`, joined by commas. All, when absent.
    pub status: Option<String>,
    /// Only tokens whose description or id holds this text, in either case.
    pub search: Option<String>,
    /// `created` (default), `description`, `expires` or `used`.
    pub sort: Option<String>,
    /// `asc` or `desc`.
    pub order: Option<SortOrder>,
    /// At most this many elements, 1 to 1000; a `Link` header with `rel="next"` leads on.
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 1000))]
    pub limit: Option<u32>,
    /// Where to go on: taken from the `Link` header.
    pub cursor: Option<String>,
}

/// Query parameters of lists that have no others: users, invitations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct PageQuery {
    /// At most this many elements, 1 to 1000; a `Link` header with `rel="next"` leads on.
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 1000))]
    pub limit: Option<u32>,
    /// Where to go on: taken from the `Link` header.
    pub cursor: Option<String>,
}

/// Query parameters of `GET …/databases`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct DatabaseListQuery {
    /// Whether elements also have `id`, `status`, `createdAt` and `deletedAt`.
    pub details: Option<bool>,
    /// `active` (default), `deleted` or `all`; others than `active` need `details=true`.
    pub status: Option<StatusFilter>,
}

/// Query parameters of `GET …/databases/{databaseName}/tables`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct TableListQuery {
    /// `active` (default), `deleted` or `all`.
    pub status: Option<StatusFilter>,
}

/// Query parameters of `GET /accounts/{accountId}/audit-events`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct AuditEventQuery {
    /// Only events of this act, such as `database_token.revoke`.
    pub act: Option<String>,
    /// Only events done to this id.
    pub subject: Option<String>,
    /// By sequence: `asc` or `desc` (default: the newest first).
    pub order: Option<SortOrder>,
    /// At most this many elements, 1 to 1000; a `Link` header with `rel="next"` leads on.
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 1000))]
    pub limit: Option<u32>,
    /// Where to go on: taken from the `Link` header.
    pub cursor: Option<String>,
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SortOrder {
    /// Smallest first.
    #[default]
    Asc,
    /// Largest first.
    Desc,
}

/// Which databases or tables a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum StatusFilter {
    /// Those that serve.
    #[default]
    Active,
    /// Those deleted.
    Deleted,
    /// Both.
    All,
}

/// Which tokens a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenStatusFilter {
    /// Those that work.
    pub active: bool,
    /// Those whose `expiresAt` has passed.
    pub expired: bool,
    /// Those revoked.
    pub revoked: bool,
}

/// How many elements, from where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// At most this many, 1 to [`MAX_LIMIT`]; `None` when the client did not ask for pages.
    pub limit: Option<u32>,
    /// Where to go on.
    pub cursor: Option<String>,
}

impl Page {
    /// The page that a query asks for.
    ///
    /// # Errors
    /// `limit` outside 1 to [`MAX_LIMIT`].
    pub fn parse(limit: Option<u32>, cursor: Option<String>) -> Result<Self, FieldError> {
        match limit {
            Some(limit) if !(1..=MAX_LIMIT).contains(&limit) => Err(FieldError::new(
                "limit",
                format!("must be 1 to {MAX_LIMIT}, not {limit}"),
            )),
            _ => Ok(Self { limit, cursor }),
        }
    }
}

impl TokenStatusFilter {
    /// Every token.
    pub const ALL: Self = Self {
        active: true,
        expired: true,
        revoked: true,
    };

    /// What the parameter `status` asks for; all, when absent.
    ///
    /// # Errors
    /// A word that is no status.
    pub fn parse(text: Option<&str>) -> Result<Self, FieldError> {
        let Some(text) = text else { return Ok(Self::ALL) };
        let mut filter = Self {
            active: false,
            expired: false,
            revoked: false,
        };
        for word in text.split(',') {
            match word {
                "all" => filter = Self::ALL,
                "active" => filter.active = true,
                "expired" => filter.expired = true,
                "revoked" => filter.revoked = true,
                other => {
                    let message = format!(
                        "must be all, or some of active, expired and revoked joined by commas, not {other:?}"
                    );
                    return Err(FieldError::new("status", message));
                }
            }
        }
        Ok(filter)
    }

    /// Whether a token of this status is shown.
    pub const fn shows(self, status: TokenStatus) -> bool {
        match status {
            TokenStatus::Active => self.active,
            TokenStatus::Expired => self.expired,
            TokenStatus::Revoked => self.revoked,
        }
    }
}

impl DatabaseTokenListQuery {
    /// The database that it asks for.
    ///
    /// # Errors
    /// Not a database name.
    pub fn parse_database(&self) -> Result<Option<DatabaseName>, FieldError> {
        self.database
            .as_deref()
            .map(|name| name.parse().map_err(FieldError::of("database")))
            .transpose()
    }
}

/// The value of a `Link` header that leads to the next page at `url` (RFC 8288).
pub fn link_next(url: &str) -> String {
    format!("<{url}>; rel=\"next\"")
}

/// The address that a `Link` header gives for the next page, if it does. Addresses may hold commas.
pub fn next_of_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (_, link) = rest.split_once('<')?;
        let (url, after) = link.split_once('>')?;
        let parameters = after.split('<').next().unwrap_or_default();
        let is_next = parameters
            .split([';', ','])
            .any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        if is_next {
            return Some(url);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_in_its_link() {
        let link = format!(
            "<https://h/a>; rel=\"prev\", {}",
            link_next("/b?status=a,b&cursor=x")
        );
        assert_eq!(next_of_link(&link), Some("/b?status=a,b&cursor=x"));
        assert_eq!(next_of_link("<https://h/a>; rel=\"prev\""), None);
        assert_eq!(next_of_link(""), None);
    }

    #[test]
    fn a_filter_shows_what_it_names() {
        let filter = TokenStatusFilter::parse(Some("active,expired")).expect("valid");
        assert!(filter.shows(TokenStatus::Active) && filter.shows(TokenStatus::Expired));
        assert!(!filter.shows(TokenStatus::Revoked));
        assert_eq!(TokenStatusFilter::parse(None), Ok(TokenStatusFilter::ALL));
        assert!(TokenStatusFilter::parse(Some("gone")).is_err());
    }
}
