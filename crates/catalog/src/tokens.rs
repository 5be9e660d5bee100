//! Database tokens and management tokens: look up, list, write.

use rescind_domain::{
    AccountId, ClusterId, DatabaseName, DatabaseToken, DatabaseTokenId, ManagementToken, ManagementTokenId,
    Permissions, SecretHash, SecretPrefix, Timestamp, TokenState, TokenStatus,
};
use sqlx::any::AnyRow;

use crate::grants::Shared;
use crate::listings::{Filter, Key, Listing, Value};
use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, Error, Page, Paged, Transaction, stored};

const DATABASE_TOKENS: &str = "database_tokens t";
/// The account by a subquery: a join would be made for every row that the filter passes over.
pub(crate) const DATABASE_TOKEN: &str = "t.id, (SELECT c.account_id FROM clusters c WHERE c.id = t.cluster_id) AS account_id, \
     t.cluster_id, t.description, t.permissions, t.prefix, t.created_at, t.created_by, t.expires_at, t.revoked_at, \
     t.last_used_at";
const MANAGEMENT_TOKENS: &str = "management_tokens t";
pub(crate) const MANAGEMENT_TOKEN: &str = "t.id, t.account_id, t.description, t.prefix, t.created_at, t.created_by, \
     t.expires_at, t.revoked_at, t.last_used_at";

/// Which tokens to list, in what order, and which page of them.
#[derive(Debug, Clone)]
pub struct TokenQuery {
    /// The time by which a token counts as expired.
    pub now: Timestamp,
    /// Only those whose description holds this text, in any case, or whose id does.
    pub search: Option<String>,
    /// Only those with one of these; empty is all.
    pub statuses: Vec<TokenStatus>,
    /// By what they are ordered.
    pub sort: TokenSort,
    /// Whether the last comes first.
    pub descending: bool,
    /// Which part.
    pub page: Page,
}

impl TokenQuery {
    /// The first page of all tokens, oldest first.
    pub fn all(now: Timestamp) -> Self {
        Self {
            now,
            search: None,
            statuses: Vec::new(),
            sort: TokenSort::CreatedAt,
            descending: false,
            page: Page::default(),
        }
    }
}

/// By what tokens are ordered. Equal ones are ordered by id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenSort {
    /// By when they were created.
    #[default]
    CreatedAt,
    /// By the first 64 characters of their description, without regard to case.
    Description,
    /// By when they expire; never comes last.
    ExpiresAt,
    /// By when they were last used; never comes first.
    LastUsedAt,
}

impl TokenSort {
    /// Word for word as the indexes of migration 1 have it, or they would not be used.
    const fn key(self) -> Key {
        match self {
            Self::CreatedAt => Key::int("t.created_at"),
            Self::Description => Key::text("substr(t.description_folded, 1, 64)"),
            Self::ExpiresAt => Key::int("COALESCE(t.expires_at, 9223372036854775807)"),
            Self::LastUsedAt => Key::int("COALESCE(t.last_used_at, -9223372036854775807)"),
        }
    }
}

impl Catalog {
    /// The database tokens of `cluster`; with `database` those only that open the database of this name, by name or by
    /// `*`.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`], [`Error::Cursor`].
    pub async fn database_tokens(
        &self,
        cluster: ClusterId,
        database: Option<&DatabaseName>,
        query: &TokenQuery,
    ) -> Result<Paged<DatabaseToken>, Error> {
        let mut filter = Filter::of_owner("t.cluster_id", cluster);
        if let Some(name) = database {
            let marks = [name.as_str(), "*"].map(stored::permission_mark);
            filter.and_contains(&["t.permissions"], &marks);
        }
        let listing = listing(DATABASE_TOKEN, DATABASE_TOKENS, filter, query);
        listing
            .fetch(&mut *self.reader().await?, read_database_token)
            .await
    }

    /// The management tokens of `account`.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`], [`Error::Cursor`].
    pub async fn management_tokens(
        &self,
        account: AccountId,
        query: &TokenQuery,
    ) -> Result<Paged<ManagementToken>, Error> {
        let filter = Filter::of_owner("t.account_id", account);
        let listing = listing(MANAGEMENT_TOKEN, MANAGEMENT_TOKENS, filter, query);
        listing
            .fetch(&mut *self.reader().await?, read_management_token)
            .await
    }
}

fn listing<'a>(
    columns: &'static str,
    from: &'static str,
    mut filter: Filter,
    query: &'a TokenQuery,
) -> Listing<'a> {
    if let Some(search) = query.search.as_deref().filter(|search| !search.is_empty()) {
        // Ids are stored in lower case.
        filter.and_contains(&["t.description_folded", "t.id"], &[stored::folded(search)]);
    }
    if !query.statuses.is_empty() {
        let conditions: Vec<&str> = query.statuses.iter().map(|status| condition(*status)).collect();
        let moments = query
            .statuses
            .iter()
            .filter(|status| **status != TokenStatus::Revoked)
            .map(|_| Value::from(query.now.micros()));
        filter.and(&conditions.join(" OR "), moments);
    }
    Listing {
        columns,
        from,
        filter,
        place: query.sort.key(),
        id: Key::text("t.id"),
        descending: query.descending,
        page: &query.page,
    }
}

/// As [`TokenState::status`] decides.
const fn condition(status: TokenStatus) -> &'static str {
    match status {
        TokenStatus::Active => "(t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?))",
        TokenStatus::Expired => "(t.revoked_at IS NULL AND t.expires_at <= ?)",
        TokenStatus::Revoked => "t.revoked_at IS NOT NULL",
    }
}

impl Transaction {
    /// Keeps a new database token.
    ///
    /// # Errors
    /// [`Error::Conflict`] on a known id or secret, [`Error::Missing`] without its cluster, [`Error::Unavailable`].
    pub async fn insert_database_token(
        &mut self,
        token: &DatabaseToken,
        secret: &SecretHash,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO database_tokens (id, cluster_id, description, description_folded, permissions, secret_hash,
                 prefix, created_at, created_by, expires_at, revoked_at, last_used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(token.id.to_string())
        .bind(token.cluster.to_string())
        .bind(token.description.as_str().to_owned())
        .bind(stored::folded(token.description.as_str()))
        .bind(stored::permissions_text(&token.permissions))
        .bind(secret.as_bytes().to_vec())
        .bind(token.prefix.as_str().to_owned())
        .bind(token.created_at.micros())
        .bind(token.created_by.to_string())
        .bind(token.expires_at.map(Timestamp::micros))
        .bind(token.state.revoked_at().map(Timestamp::micros))
        .bind(token.last_used_at.map(Timestamp::micros))
        .execute(self.connection())
        .await
        .map_err(Error::writing("database token"))?;
        Ok(())
    }

    /// Keeps description, permissions, expiry and state of a known database token; the rest of it never changes.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unavailable`].
    pub async fn update_database_token(&mut self, token: &DatabaseToken) -> Result<(), Error> {
        let updated = sqlx::query(
            "UPDATE database_tokens SET description = $1, description_folded = $2, permissions = $3, expires_at = $4,
                 revoked_at = $5 WHERE cluster_id = $6 AND id = $7",
        )
        .bind(token.description.as_str().to_owned())
        .bind(stored::folded(token.description.as_str()))
        .bind(stored::permissions_text(&token.permissions))
        .bind(token.expires_at.map(Timestamp::micros))
        .bind(token.state.revoked_at().map(Timestamp::micros))
        .bind(token.cluster.to_string())
        .bind(token.id.to_string())
        .execute(self.connection())
        .await
        .map_err(Error::writing("database token"))?;
        Error::exactly_one("database token", updated.rows_affected())
    }

    /// Keeps a new management token.
    ///
    /// # Errors
    /// [`Error::Conflict`] on a known id or secret, [`Error::Missing`] without its account, [`Error::Unavailable`].
    pub async fn insert_management_token(
        &mut self,
        token: &ManagementToken,
        secret: &SecretHash,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO management_tokens (id, account_id, description, description_folded, secret_hash, prefix,
                 created_at, created_by, expires_at, revoked_at, last_used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(token.id.to_string())
        .bind(token.account.to_string())
        .bind(token.description.as_str().to_owned())
        .bind(stored::folded(token.description.as_str()))
        .bind(secret.as_bytes().to_vec())
        .bind(token.prefix.as_str().to_owned())
        .bind(token.created_at.micros())
        .bind(token.created_by.to_string())
        .bind(token.expires_at.map(Timestamp::micros))
        .bind(token.state.revoked_at().map(Timestamp::micros))
        .bind(token.last_used_at.map(Timestamp::micros))
        .execute(self.connection())
        .await
        .map_err(Error::writing("management token"))?;
        Ok(())
    }

    /// Keeps description, expiry and state of a known management token; the rest of it never changes.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unavailable`].
    pub async fn update_management_token(&mut self, token: &ManagementToken) -> Result<(), Error> {
        let updated = sqlx::query(
            "UPDATE management_tokens SET description = $1, description_folded = $2, expires_at = $3, revoked_at = $4
             WHERE account_id = $5 AND id = $6",
        )
        .bind(token.description.as_str().to_owned())
        .bind(stored::folded(token.description.as_str()))
        .bind(token.expires_at.map(Timestamp::micros))
        .bind(token.state.revoked_at().map(Timestamp::micros))
        .bind(token.account.to_string())
        .bind(token.id.to_string())
        .execute(self.connection())
        .await
        .map_err(Error::writing("management token"))?;
        Error::exactly_one("management token", updated.rows_affected())
    }
}

pub(crate) async fn find_database_token(
    connection: &mut Connection,
    cluster: ClusterId,
    id: DatabaseTokenId,
) -> Result<Option<DatabaseToken>, Error> {
    let row = sqlx::query(
        "SELECT t.id, c.account_id, t.cluster_id, t.description, t.permissions, t.prefix, t.created_at, t.created_by,
             t.expires_at, t.revoked_at, t.last_used_at
         FROM database_tokens t JOIN clusters c ON c.id = t.cluster_id WHERE t.cluster_id = $1 AND t.id = $2",
    )
    .bind(cluster.to_string())
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_database_token).transpose()
}

pub(crate) async fn find_management_token(
    connection: &mut Connection,
    account: AccountId,
    id: ManagementTokenId,
) -> Result<Option<ManagementToken>, Error> {
    let row = sqlx::query(
        "SELECT id, account_id, description, prefix, created_at, created_by, expires_at, revoked_at, last_used_at
         FROM management_tokens WHERE account_id = $1 AND id = $2",
    )
    .bind(account.to_string())
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_management_token).transpose()
}

pub(crate) async fn find_database_token_of_secret(
    connection: &mut Connection,
    secret: &SecretHash,
) -> Result<Option<DatabaseToken>, Error> {
    let row = sqlx::query(
        "SELECT t.id, c.account_id, t.cluster_id, t.description, t.permissions, t.prefix, t.created_at, t.created_by,
             t.expires_at, t.revoked_at, t.last_used_at
         FROM database_tokens t JOIN clusters c ON c.id = t.cluster_id WHERE t.secret_hash = $1",
    )
    .bind(secret.as_bytes().to_vec())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_database_token).transpose()
}

pub(crate) async fn find_management_token_of_secret(
    connection: &mut Connection,
    secret: &SecretHash,
) -> Result<Option<ManagementToken>, Error> {
    let row = sqlx::query(
        "SELECT id, account_id, description, prefix, created_at, created_by, expires_at, revoked_at, last_used_at
         FROM management_tokens WHERE secret_hash = $1",
    )
    .bind(secret.as_bytes().to_vec())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_management_token).transpose()
}

pub(crate) fn read_database_token(row: &AnyRow) -> Result<DatabaseToken, Error> {
    let account = Fields::new(row, "database_tokens", "id").parse("account_id")?;
    read_database_token_of(account, row, &mut Shared::default())
}

pub(crate) fn read_database_token_of(
    account: AccountId,
    row: &AnyRow,
    shared: &mut Shared,
) -> Result<DatabaseToken, Error> {
    let fields = Fields::new(row, "database_tokens", "id");
    Ok(DatabaseToken {
        id: fields.parse("id")?,
        account,
        cluster: shared.cluster(fields)?,
        description: fields.parse("description")?,
        permissions: Permissions::clone(&*shared.permissions(fields)?),
        prefix: SecretPrefix::stored(fields.text("prefix")?.to_owned()),
        created_at: fields.time("created_at")?,
        created_by: shared.creator(fields)?,
        expires_at: fields.opt_time("expires_at")?,
        state: state(fields)?,
        last_used_at: fields.opt_time("last_used_at")?,
    })
}

pub(crate) fn read_management_token(row: &AnyRow) -> Result<ManagementToken, Error> {
    let fields = Fields::new(row, "management_tokens", "id");
    Ok(ManagementToken {
        id: fields.parse("id")?,
        account: fields.parse("account_id")?,
        description: fields.parse("description")?,
        prefix: SecretPrefix::stored(fields.text("prefix")?.to_owned()),
        created_at: fields.time("created_at")?,
        created_by: fields.parse("created_by")?,
        expires_at: fields.opt_time("expires_at")?,
        state: state(fields)?,
        last_used_at: fields.opt_time("last_used_at")?,
    })
}

pub(crate) fn state(fields: Fields<'_>) -> Result<TokenState, Error> {
    Ok(match fields.opt_time("revoked_at")? {
        Some(at) => TokenState::Revoked { at },
        None => TokenState::Active,
    })
}
