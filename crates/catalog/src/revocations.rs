//! Revocations: what must be known of tokens before, and writing them down, however many there are.

use std::fmt::Display;
use std::str::FromStr;

use rescind_domain::{
    AccountId, Actor, ClusterId, DatabaseTokenId, Description, ManagementTokenId, Timestamp, TokenState,
};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::rows::Fields;
use crate::transactions::ROWS;
use crate::{Error, Transaction, stored, tokens};

/// What whoever revokes a token must know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocable<Id, Owner> {
    /// Which token.
    pub id: Id,
    /// The cluster of a database token, the account of a management token.
    pub owner: Owner,
    /// What it is for.
    pub description: Description,
    /// Who made it.
    pub created_by: Actor,
    /// Whether it was revoked before.
    pub state: TokenState,
}

/// Where tokens of a kind are kept.
#[derive(Clone, Copy)]
struct Kind {
    table: &'static str,
    owner: &'static str,
    what: &'static str,
}

const DATABASE: Kind = Kind {
    table: "database_tokens",
    owner: "cluster_id",
    what: "database token",
};

const MANAGEMENT: Kind = Kind {
    table: "management_tokens",
    owner: "account_id",
    what: "management token",
};

impl Transaction {
    /// The database tokens with these ids, of whatever cluster, in no order; unknown ids are passed over. Nobody else
    /// writes to them until the transaction ends.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn revocable_database_tokens(
        &mut self,
        ids: &[DatabaseTokenId],
    ) -> Result<Vec<Revocable<DatabaseTokenId, ClusterId>>, Error> {
        self.revocable(DATABASE, ids).await
    }

    /// The management tokens with these ids, as [`Self::revocable_database_tokens`] finds them.
    ///
    /// # Errors
    /// As [`Self::revocable_database_tokens`].
    pub async fn revocable_management_tokens(
        &mut self,
        ids: &[ManagementTokenId],
    ) -> Result<Vec<Revocable<ManagementTokenId, AccountId>>, Error> {
        self.revocable(MANAGEMENT, ids).await
    }

    /// Notes that these database tokens, none of which was revoked before, are revoked at `at`.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unavailable`].
    pub async fn revoke_database_tokens(
        &mut self,
        ids: &[DatabaseTokenId],
        at: Timestamp,
    ) -> Result<(), Error> {
        self.revoke(DATABASE, ids, at).await
    }

    /// Notes that these management tokens are revoked, as [`Self::revoke_database_tokens`] does.
    ///
    /// # Errors
    /// As [`Self::revoke_database_tokens`].
    pub async fn revoke_management_tokens(
        &mut self,
        ids: &[ManagementTokenId],
        at: Timestamp,
    ) -> Result<(), Error> {
        self.revoke(MANAGEMENT, ids, at).await
    }

    async fn revocable<Id, Owner>(
        &mut self,
        kind: Kind,
        ids: &[Id],
    ) -> Result<Vec<Revocable<Id, Owner>>, Error>
    where
        Id: Copy + Ord + Display + FromStr<Err: Display>,
        Owner: FromStr<Err: Display>,
    {
        let Kind { table, owner, .. } = kind;
        let statement = format!(
            "SELECT t.id, t.{owner}, t.description, t.created_by, t.revoked_at FROM {table} t
             WHERE {} ORDER BY t.id {}",
            self.backend.is_listed("t.id", "$1"),
            self.backend.lock_rows()
        );
        // In order from batch to batch, too.
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let mut found = Vec::with_capacity(ids.len());
        for batch in ids.chunks(ROWS) {
            let rows = sqlx::query(AssertSqlSafe(statement.clone()))
                .bind(listed(batch))
                .fetch_all(self.connection())
                .await?;
            for row in &rows {
                found.push(read(kind, row)?);
            }
        }
        Ok(found)
    }

    async fn revoke<Id: Display>(&mut self, kind: Kind, ids: &[Id], at: Timestamp) -> Result<(), Error> {
        let Kind { table, what, .. } = kind;
        let statement = format!(
            "UPDATE {table} SET revoked_at = $2 WHERE revoked_at IS NULL AND {}",
            self.backend.is_listed("id", "$1")
        );
        for batch in ids.chunks(ROWS) {
            let updated = sqlx::query(AssertSqlSafe(statement.clone()))
                .bind(listed(batch))
                .bind(at.micros())
                .execute(self.connection())
                .await
                .map_err(Error::writing(what))?;
            if updated.rows_affected() != batch.len() as u64 {
                return Err(Error::Missing { what });
            }
        }
        Ok(())
    }
}

/// `["1111…","2222…"]`.
fn listed<Id: Display>(ids: &[Id]) -> String {
    stored::json(&ids.iter().map(Id::to_string).collect::<Vec<_>>())
}

fn read<Id, Owner>(kind: Kind, row: &AnyRow) -> Result<Revocable<Id, Owner>, Error>
where
    Id: FromStr<Err: Display>,
    Owner: FromStr<Err: Display>,
{
    let fields = Fields::new(row, kind.table, "id");
    Ok(Revocable {
        id: fields.parse("id")?,
        owner: fields.parse(kind.owner)?,
        description: fields.parse("description")?,
        created_by: fields.parse("created_by")?,
        state: tokens::state(fields)?,
    })
}
