//! The lists of tokens that people search, sort and leaf through: an index in memory of every token, revoked ones
//! included, per cluster and per account.
//!
//! It is built when somebody first looks and kept current from then on: whatever applies a change notes the token here,
//! which costs an act next to nothing, and the next one to look reads what was noted from the catalog first. So whoever
//! looks after an act has returned sees it. What is shown of the tokens on a page comes from the catalog.

use std::sync::Arc;

use rescind_domain::{
    AccountId, Actor, DatabaseName, DatabaseToken, DatabaseTokenId, ManagementToken, ManagementTokenId,
    Subject, Timestamp, TokenStatus, User, Verb,
};

use crate::{Authority, Caller, Error, MOST_REVOKED, Page, Place};

use self::rows::Id;
pub(crate) use self::slots::TokenIndex;
use self::slots::{Owner, Slot};

mod bits;
mod order;
mod rows;
mod sets;
mod slots;
#[cfg(test)]
mod tests;
mod texts;

/// Which tokens to find, in what order, and which of them to return.
#[derive(Debug, Clone)]
pub struct TokenSearch {
    /// Only those with this text, in any case, in the first 1,024 bytes of their description, in their id or in their
    /// prefix. Empty is all.
    pub text: String,
    /// Only those with one of these; empty is all.
    pub statuses: Vec<TokenStatus>,
    /// Only those that open this database, by name or by `*`. No management token does.
    pub database: Option<DatabaseName>,
    /// Only those that it created.
    pub creator: Option<Actor>,
    /// Only those that were not used since, or never.
    pub unused_since: Option<Timestamp>,
    /// Only those that were created before.
    pub created_before: Option<Timestamp>,
    /// What they are ordered by. Equal ones are ordered by id.
    pub sort: TokenColumn,
    /// Whether the last comes first, ids included.
    pub descending: bool,
    /// How many to pass over.
    pub offset: usize,
    /// How many to return at most; at least one. A page has at most [`TokenSearch::MAX_ROWS`].
    pub rows: usize,
}

impl TokenSearch {
    /// The most tokens of one page.
    pub const MAX_ROWS: usize = 1_000;

    /// The same search, for `rows` at most.
    fn of_at_most(&self, rows: usize) -> Self {
        Self {
            rows: self.rows.clamp(1, rows),
            ..self.clone()
        }
    }
}

/// The first 100 of all tokens, oldest first.
impl Default for TokenSearch {
    fn default() -> Self {
        Self {
            text: String::new(),
            statuses: Vec::new(),
            database: None,
            creator: None,
            unused_since: None,
            created_before: None,
            sort: TokenColumn::default(),
            descending: false,
            offset: 0,
            rows: 100,
        }
    }
}

/// What tokens can be ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenColumn {
    /// Active ones, then expired ones, then revoked ones.
    Status,
    /// By the first 64 characters, without regard to case.
    Description,
    /// As it is written.
    Id,
    /// The names of the databases in order, without regard to case; `*` comes before names, no database before all.
    Databases,
    /// Oldest first.
    #[default]
    CreatedAt,
    /// Those that never expire come last.
    ExpiresAt,
    /// Those that were never used come first.
    LastUsedAt,
}

/// A part of what was found.
#[derive(Debug, Clone)]
pub struct Found<T> {
    /// The part that was asked for, in order.
    pub items: Vec<T>,
    /// How many were found in all.
    pub total: usize,
}

/// Who created tokens, and what is known of them.
#[derive(Debug, Clone, Default)]
pub struct Creators {
    /// Users first; [`Creators::MOST`] at most.
    pub actors: Vec<Actor>,
    /// Those of them who are users still, if the caller may read users. Of an account with more users than a page has
    /// ([`Page::MAX`]) not all may be named here.
    pub users: Vec<User>,
    /// Those of them that are management tokens, if the caller may read those.
    pub management_tokens: Vec<ManagementToken>,
}

impl Creators {
    /// More are nothing to choose from.
    pub const MOST: usize = 200;
}

impl Authority {
    /// Finds database tokens of a cluster. The first call reads all of them, which takes seconds for a million.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn search_database_tokens(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        search: &TokenSearch,
    ) -> Result<Found<DatabaseToken>, Error> {
        self.check(caller, place, Verb::Read, Subject::DatabaseToken)?;
        let page = search.of_at_most(TokenSearch::MAX_ROWS);
        let (ids, total) = self.search(Owner::Cluster(place.cluster), page).await?;
        let wanted: Vec<_> = ids.iter().copied().map(DatabaseTokenId::from_bytes).collect();
        let tokens = self.catalog.database_tokens_by_ids(&wanted).await?;
        let items = in_order(&ids, tokens, |token| token.id.to_bytes());
        Ok(Found { items, total })
    }

    /// Finds the ids of up to [`MOST_REVOKED`] database tokens of a cluster, however many rows the search asks for, as
    /// [`Self::search_database_tokens`] finds tokens.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn find_database_tokens(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        search: &TokenSearch,
    ) -> Result<Found<DatabaseTokenId>, Error> {
        self.check(caller, place, Verb::Read, Subject::DatabaseToken)?;
        let all = TokenSearch {
            rows: MOST_REVOKED,
            ..search.clone()
        };
        let (ids, total) = self.search(Owner::Cluster(place.cluster), all).await?;
        let items = ids.into_iter().map(DatabaseTokenId::from_bytes).collect();
        Ok(Found { items, total })
    }

    /// Finds management tokens of an account, as [`Self::search_database_tokens`] does.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn search_management_tokens(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        search: &TokenSearch,
    ) -> Result<Found<ManagementToken>, Error> {
        caller.check(account, Verb::Read, Subject::ManagementToken)?;
        let page = search.of_at_most(TokenSearch::MAX_ROWS);
        let (ids, total) = self.search(Owner::Account(account), page).await?;
        let wanted: Vec<_> = ids.iter().copied().map(ManagementTokenId::from_bytes).collect();
        let tokens = self.catalog.management_tokens_by_ids(&wanted).await?;
        let items = in_order(&ids, tokens, |token| token.id.to_bytes());
        Ok(Found { items, total })
    }

    /// Who created database tokens of a cluster, those that do not work any more included. Known of the index: it costs
    /// two look-ups of names.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn database_token_creators(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
    ) -> Result<Creators, Error> {
        self.check(caller, place, Verb::Read, Subject::DatabaseToken)?;
        self.creators(caller, place.account, Owner::Cluster(place.cluster))
            .await
    }

    /// Who created management tokens of an account, as [`Self::database_token_creators`] tells it.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn management_token_creators(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
    ) -> Result<Creators, Error> {
        caller.check(account, Verb::Read, Subject::ManagementToken)?;
        self.creators(caller, account, Owner::Account(account)).await
    }

    async fn creators(&self, caller: &Caller, account: AccountId, owner: Owner) -> Result<Creators, Error> {
        let slot = self.node.token_index.slot(owner, self.clock().now());
        Slot::bring_up_to_date(&slot, &self.catalog).await?;
        let actors = self.node.token_index.creators(slot, Creators::MOST).await?;
        let may = |subject| caller.check(account, Verb::Read, subject).is_ok();
        let mut users = Vec::new();
        if may(Subject::User) && actors.iter().any(|actor| matches!(actor, Actor::User(_))) {
            let all = self.catalog.users(account, &Page::first(Page::MAX)).await?;
            users = all.items;
            users.retain(|user| actors.contains(&Actor::User(user.id)));
        }
        let mut tokens = Vec::new();
        if may(Subject::ManagementToken) {
            tokens.extend(actors.iter().filter_map(|actor| match actor {
                Actor::ManagementToken(id) => Some(*id),
                _ => None,
            }));
        }
        Ok(Creators {
            management_tokens: self.catalog.management_tokens_by_ids(&tokens).await?,
            actors,
            users,
        })
    }

    async fn search(&self, owner: Owner, search: TokenSearch) -> Result<(Vec<Id>, usize), Error> {
        let now = self.clock().now();
        let slot = self.node.token_index.slot(owner, now);
        Slot::bring_up_to_date(&slot, &self.catalog).await?;
        self.node.token_index.search(slot, search, now).await
    }
}

/// The tokens in the order of `ids`.
fn in_order<T>(ids: &[Id], mut tokens: Vec<T>, id: impl Fn(&T) -> Id) -> Vec<T> {
    let place = |token: &T| ids.iter().position(|wanted| *wanted == id(token));
    tokens.sort_by_cached_key(place);
    tokens
}
