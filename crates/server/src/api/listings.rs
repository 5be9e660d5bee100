//! What query parameters mean to the lists of the authority.

use rescind_authority::{DatabaseFilter, Page, TokenQuery, TokenSort};
use rescind_domain::{Timestamp, TokenStatus};
use rescind_wire::{FieldError, SortOrder, StatusFilter, TokenStatusFilter};

/// Which tokens a list shows, in which order.
#[derive(Clone)]
pub(crate) struct TokenListing {
    statuses: Vec<TokenStatus>,
    search: Option<String>,
    sort: TokenSort,
    descending: bool,
}

impl TokenListing {
    pub(crate) fn parse(
        status: Option<&str>,
        search: Option<String>,
        sort: Option<&str>,
        order: Option<SortOrder>,
    ) -> Result<Self, FieldError> {
        let shown = TokenStatusFilter::parse(status)?;
        let all = [TokenStatus::Active, TokenStatus::Expired, TokenStatus::Revoked];
        let sort = match sort.unwrap_or("created") {
            "created" => TokenSort::CreatedAt,
            "description" => TokenSort::Description,
            "expires" => TokenSort::ExpiresAt,
            "used" => TokenSort::LastUsedAt,
            other => {
                let message = format!("must be created, description, expires or used, not {other:?}");
                return Err(FieldError::new("sort", message));
            }
        };
        Ok(Self {
            statuses: all.into_iter().filter(|status| shown.shows(*status)).collect(),
            search,
            sort,
            descending: order == Some(SortOrder::Desc),
        })
    }

    /// The query for one page, with tokens that have expired by `now` counted as expired.
    pub(crate) fn query(&self, now: Timestamp, page: Page) -> TokenQuery {
        let Self {
            statuses,
            search,
            sort,
            descending,
        } = self.clone();
        TokenQuery {
            now,
            search,
            statuses,
            sort,
            descending,
            page,
        }
    }
}

pub(crate) const fn filter(status: StatusFilter) -> DatabaseFilter {
    match status {
        StatusFilter::Active => DatabaseFilter::Active,
        StatusFilter::Deleted => DatabaseFilter::Deleted,
        StatusFilter::All => DatabaseFilter::All,
    }
}
