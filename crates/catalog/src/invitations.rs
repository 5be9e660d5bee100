//! Invitations and the hashes of their links' secrets.

use rescind_domain::{AccountId, Email, Invitation, InvitationId, InvitationState, SecretHash, Timestamp};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::listings::{Filter, Key, Listing};
use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, Error, Page, Paged, Transaction};

/// What an invitation is read from.
const INVITATION: &str = "id, account_id, email, first_name, last_name, role, created_at, created_by, expires_at, \
     accepted_at, accepted_by, revoked_at";

impl Catalog {
    /// The invitations to `account`, whatever their state, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`], [`Error::Cursor`].
    pub async fn invitations(&self, account: AccountId, page: &Page) -> Result<Paged<Invitation>, Error> {
        let listing = Listing {
            columns: INVITATION,
            from: "invitations",
            filter: Filter::of_owner("account_id", account),
            place: Key::int("created_at"),
            id: Key::text("id"),
            descending: true,
            page,
        };
        listing.fetch(&mut *self.reader().await?, read_invitation).await
    }
}

impl Transaction {
    /// Keeps a new invitation.
    ///
    /// # Errors
    /// [`Error::Conflict`] on a known id or secret, [`Error::Missing`] without its account, [`Error::Unavailable`].
    pub async fn insert_invitation(
        &mut self,
        invitation: &Invitation,
        secret: &SecretHash,
    ) -> Result<(), Error> {
        let state = StateColumns::of(invitation.state);
        sqlx::query(
            "INSERT INTO invitations (id, account_id, email, email_folded, first_name, last_name, role, secret_hash,
                 created_at, created_by, expires_at, accepted_at, accepted_by, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(invitation.id.to_string())
        .bind(invitation.account.to_string())
        .bind(invitation.email.as_str().to_owned())
        .bind(invitation.email.folded())
        .bind(invitation.first_name.clone())
        .bind(invitation.last_name.clone())
        .bind(invitation.role.as_str())
        .bind(secret.as_bytes().to_vec())
        .bind(invitation.created_at.micros())
        .bind(invitation.created_by.to_string())
        .bind(invitation.expires_at.micros())
        .bind(state.accepted_at)
        .bind(state.accepted_by)
        .bind(state.revoked_at)
        .execute(self.connection())
        .await
        .map_err(Error::writing("invitation"))?;
        Ok(())
    }

    /// Keeps the state of a known invitation; the rest of it never changes.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unavailable`].
    pub async fn update_invitation(&mut self, invitation: &Invitation) -> Result<(), Error> {
        let state = StateColumns::of(invitation.state);
        let updated = sqlx::query(
            "UPDATE invitations SET accepted_at = $1, accepted_by = $2, revoked_at = $3
             WHERE account_id = $4 AND id = $5",
        )
        .bind(state.accepted_at)
        .bind(state.accepted_by)
        .bind(state.revoked_at)
        .bind(invitation.account.to_string())
        .bind(invitation.id.to_string())
        .execute(self.connection())
        .await?;
        Error::exactly_one("invitation", updated.rows_affected())
    }

    /// Withdraws every invitation to `account` for this address that could still be accepted. Returns, in order, which.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn revoke_invitations_to(
        &mut self,
        account: AccountId,
        email: &Email,
        at: Timestamp,
    ) -> Result<Vec<InvitationId>, Error> {
        let rows = sqlx::query(
            "UPDATE invitations SET revoked_at = $1
             WHERE account_id = $2 AND email_folded = $3 AND accepted_at IS NULL AND revoked_at IS NULL
                 AND expires_at > $1 RETURNING id",
        )
        .bind(at.micros())
        .bind(account.to_string())
        .bind(email.folded())
        .fetch_all(self.connection())
        .await?;
        let ids = rows
            .iter()
            .map(|row| Fields::new(row, "invitations", "id").parse("id"));
        let mut revoked = ids.collect::<Result<Vec<_>, _>>()?;
        revoked.sort_unstable();
        Ok(revoked)
    }
}

/// A state as its three columns hold it.
#[derive(Default)]
struct StateColumns {
    accepted_at: Option<i64>,
    accepted_by: Option<String>,
    revoked_at: Option<i64>,
}

impl StateColumns {
    fn of(state: InvitationState) -> Self {
        match state {
            InvitationState::Pending => Self::default(),
            InvitationState::Accepted { at, user } => Self {
                accepted_at: Some(at.micros()),
                accepted_by: Some(user.to_string()),
                revoked_at: None,
            },
            InvitationState::Revoked { at } => Self {
                revoked_at: Some(at.micros()),
                ..Self::default()
            },
        }
    }
}

pub(crate) async fn find_invitation(
    connection: &mut Connection,
    account: AccountId,
    id: InvitationId,
) -> Result<Option<Invitation>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {INVITATION} FROM invitations WHERE account_id = $1 AND id = $2"
    )))
    .bind(account.to_string())
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_invitation).transpose()
}

pub(crate) async fn find_invitation_by_secret(
    connection: &mut Connection,
    secret: &SecretHash,
) -> Result<Option<Invitation>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {INVITATION} FROM invitations WHERE secret_hash = $1"
    )))
    .bind(secret.as_bytes().to_vec())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_invitation).transpose()
}

fn read_invitation(row: &AnyRow) -> Result<Invitation, Error> {
    let fields = Fields::new(row, "invitations", "id");
    Ok(Invitation {
        id: fields.parse("id")?,
        account: fields.parse("account_id")?,
        email: fields.parse("email")?,
        first_name: fields.text("first_name")?.to_owned(),
        last_name: fields.text("last_name")?.to_owned(),
        role: fields.parse("role")?,
        created_at: fields.time("created_at")?,
        created_by: fields.parse("created_by")?,
        expires_at: fields.time("expires_at")?,
        state: match (fields.opt_time("accepted_at")?, fields.opt_time("revoked_at")?) {
            (Some(at), _) => InvitationState::Accepted {
                at,
                user: fields.parse("accepted_by")?,
            },
            (None, Some(at)) => InvitationState::Revoked { at },
            (None, None) => InvitationState::Pending,
        },
    })
}
