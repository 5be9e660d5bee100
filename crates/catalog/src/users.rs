//! Users and their password hashes, which travel apart from them.

use rescind_domain::{AccountId, Email, User, UserId, UserState};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::listings::{Filter, Key, Listing};
use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, Error, Page, Paged, Transaction};

/// What a user is read from. The hash of its password is not among it.
const USER: &str = "id, account_id, email, first_name, last_name, role, created_at, disabled_at";

impl Catalog {
    /// The users of `account` by e-mail address, disabled ones included.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`], [`Error::Cursor`].
    pub async fn users(&self, account: AccountId, page: &Page) -> Result<Paged<User>, Error> {
        let filter = Filter::of_owner("account_id", account);
        let listing = Listing {
            columns: USER,
            from: "users",
            filter,
            place: Key::text("email_folded"),
            id: Key::text("id"),
            descending: false,
            page,
        };
        listing.fetch(&mut *self.reader().await?, read_user).await
    }
}

impl Transaction {
    /// Keeps a new user, who can sign in once a password is set.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another user, of any account, has the address in any case; [`Error::Missing`] without
    /// its account; [`Error::Unavailable`].
    pub async fn insert_user(&mut self, user: &User) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO users (id, account_id, email, email_folded, first_name, last_name, role, created_at, disabled_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(user.id.to_string())
        .bind(user.account.to_string())
        .bind(user.email.as_str().to_owned())
        .bind(user.email.folded())
        .bind(user.first_name.clone())
        .bind(user.last_name.clone())
        .bind(user.role.as_str())
        .bind(user.created_at.micros())
        .bind(disabled_at(user.state))
        .execute(self.connection())
        .await
        .map_err(Error::writing("user"))?;
        Ok(())
    }

    /// Keeps names, role and state of a known user; the rest of it never changes.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unavailable`].
    pub async fn update_user(&mut self, user: &User) -> Result<(), Error> {
        let updated = sqlx::query(
            "UPDATE users SET first_name = $1, last_name = $2, role = $3, disabled_at = $4
             WHERE account_id = $5 AND id = $6",
        )
        .bind(user.first_name.clone())
        .bind(user.last_name.clone())
        .bind(user.role.as_str())
        .bind(disabled_at(user.state))
        .bind(user.account.to_string())
        .bind(user.id.to_string())
        .execute(self.connection())
        .await
        .map_err(Error::writing("user"))?;
        Error::exactly_one("user", updated.rows_affected())
    }

    /// Keeps the hash of a user's password, as the caller's password hashing writes it.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unavailable`].
    pub async fn set_password(&mut self, user: UserId, hash: &str) -> Result<(), Error> {
        let updated = sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2")
            .bind(hash.to_owned())
            .bind(user.to_string())
            .execute(self.connection())
            .await?;
        Error::exactly_one("user", updated.rows_affected())
    }

    /// Forgets a user and all sessions of it. What the user did stays in the audit log under its id.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unavailable`].
    pub async fn delete_user(&mut self, account: AccountId, id: UserId) -> Result<(), Error> {
        sqlx::query(
            "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE account_id = $1 AND id = $2)",
        )
        .bind(account.to_string())
        .bind(id.to_string())
        .execute(self.connection())
        .await?;
        let deleted = sqlx::query("DELETE FROM users WHERE account_id = $1 AND id = $2")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Error::exactly_one("user", deleted.rows_affected())
    }
}

fn disabled_at(state: UserState) -> Option<i64> {
    match state {
        UserState::Enabled => None,
        UserState::Disabled { at } => Some(at.micros()),
    }
}

pub(crate) async fn find_user(
    connection: &mut Connection,
    account: AccountId,
    id: UserId,
) -> Result<Option<User>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {USER} FROM users WHERE account_id = $1 AND id = $2"
    )))
    .bind(account.to_string())
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_user).transpose()
}

pub(crate) async fn find_user_by_id(connection: &mut Connection, id: UserId) -> Result<Option<User>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT {USER} FROM users WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_user).transpose()
}

pub(crate) async fn find_user_by_email(
    connection: &mut Connection,
    email: &Email,
) -> Result<Option<User>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {USER} FROM users WHERE email_folded = $1"
    )))
    .bind(email.folded())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_user).transpose()
}

pub(crate) async fn find_password_hash(
    connection: &mut Connection,
    id: UserId,
) -> Result<Option<String>, Error> {
    let row = sqlx::query("SELECT id, password_hash FROM users WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    match &row {
        Some(row) => Ok(Fields::new(row, "users", "id")
            .opt_text("password_hash")?
            .map(str::to_owned)),
        None => Ok(None),
    }
}

pub(crate) async fn has_password(connection: &mut Connection, id: UserId) -> Result<bool, Error> {
    let found = sqlx::query("SELECT 1 FROM users WHERE id = $1 AND password_hash IS NOT NULL")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

pub(crate) async fn count_enabled_admins(
    connection: &mut Connection,
    account: AccountId,
) -> Result<u64, Error> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM users
         WHERE account_id = $1 AND role = 'admin' AND disabled_at IS NULL AND password_hash IS NOT NULL",
    )
    .bind(account.to_string())
    .fetch_one(connection)
    .await?;
    Ok(count.unsigned_abs())
}

fn read_user(row: &AnyRow) -> Result<User, Error> {
    let fields = Fields::new(row, "users", "id");
    Ok(User {
        id: fields.parse("id")?,
        account: fields.parse("account_id")?,
        email: fields.parse("email")?,
        first_name: fields.text("first_name")?.to_owned(),
        last_name: fields.text("last_name")?.to_owned(),
        role: fields.parse("role")?,
        state: match fields.opt_time("disabled_at")? {
            None => UserState::Enabled,
            Some(at) => UserState::Disabled { at },
        },
        created_at: fields.time("created_at")?,
    })
}
