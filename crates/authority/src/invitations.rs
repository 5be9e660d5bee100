//! Invitations: made, opened by their link, accepted, withdrawn.

use std::sync::Arc;
use std::time::Duration;

use rescind_catalog::{Entry, Page, Paged, Transaction};
use rescind_domain::{
    AccountId, Act, Actor, Client, Email, Invitation, InvitationId, InvitationState, InvitationStatus,
    Presented, Role, Secret, SecretHash, SecretKind, SessionKind, Subject, Timestamp, User, UserState, Verb,
};
use zeroize::Zeroizing;

use crate::databases::pair;
use crate::users::{AddUser, checked_name, shut_out, user_entry};
use crate::{Authority, Caller, Created, Error, SignedIn};

/// Whom to invite, and as what.
#[derive(Debug, Clone)]
pub struct Invite {
    /// Where the person is reached. The address of an existing user lets that user set a new password, within a day.
    pub email: Email,
    /// Given name; may be empty, the person can fill it in.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// What the user will be. An existing user stays what it is, and the invitation says so.
    pub role: Role,
}

/// What a person gives to accept.
pub struct Acceptance {
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The password to sign in with from now on.
    pub password: String,
}

const WHAT: &str = "invitation";

/// How long a link works that makes a user: over a weekend.
const LIFETIME: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// How long a link works that replaces a password. Its user asked for it and waits.
const RESET_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

impl Authority {
    /// Invites a person. The secret is that of its one-time link, shown this once.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name; [`Error::Conflict`] when a user of another account, or a disabled one of this
    /// account, has the address.
    pub async fn invite(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        request: Invite,
    ) -> Result<Created<Invitation>, Error> {
        caller.check(account, Verb::Create, Subject::Invitation)?;
        for (field, name) in [
            ("firstName", &request.first_name),
            ("lastName", &request.last_name),
        ] {
            if !name.trim().is_empty() {
                checked_name(field, name)?;
            }
        }
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let mut tx = this.begin(standing).await?;
            let known = tx.user_by_email(&request.email).await?;
            if known.as_ref().is_some_and(|user| user.account != account) {
                return Err(Error::Conflict(
                    "the address belongs to a user of another account".to_owned(),
                ));
            }
            let (mut invitation, secret) = this.draw_invitation(actor, account, request, tx.now());
            if let Some(user) = known {
                if user.state != UserState::Enabled {
                    return Err(Error::Conflict(format!(
                        "{} is disabled: enable the user first",
                        user.email
                    )));
                }
                // Accepting sets a password and nothing else.
                invitation.role = user.role;
                invitation.expires_at = tx.now().plus_micros(RESET_LIFETIME.as_micros() as i64);
            }
            tx.insert_invitation(&invitation, &secret.hash()).await?;
            let revision = this
                .commit(tx, invitation_entry(actor, Act::InvitationCreate, &invitation))
                .await?;
            let receipt = this.fence(revision, wait).await?;
            Ok(Created {
                item: invitation,
                secret,
                receipt,
            })
        })
        .await
    }

    /// One page of an account's invitations, the newest first.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn invitations(
        &self,
        caller: &Caller,
        account: AccountId,
        page: &Page,
    ) -> Result<Paged<Invitation>, Error> {
        caller.check(account, Verb::Read, Subject::Invitation)?;
        Ok(self.catalog.invitations(account, page).await?)
    }

    /// One invitation.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every read may return.
    pub async fn invitation(
        &self,
        caller: &Caller,
        account: AccountId,
        id: InvitationId,
    ) -> Result<Invitation, Error> {
        caller.check(account, Verb::Read, Subject::Invitation)?;
        let found = self.catalog.invitation(account, id).await?;
        found.ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// Withdraws an invitation: its link works no more. Withdrawing it again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it was accepted.
    pub async fn revoke_invitation(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        id: InvitationId,
    ) -> Result<Invitation, Error> {
        caller.check(account, Verb::Delete, Subject::Invitation)?;
        let (actor, standing) = (caller.actor(), caller.standing());
        self.act(move |this| async move {
            let mut tx = this.begin(standing).await?;
            let found = tx.invitation(account, id).await?;
            let mut invitation = found.ok_or_else(|| Error::not_found(WHAT, id))?;
            invitation.state = match (invitation.state, invitation.state.revoke(tx.now())) {
                (InvitationState::Revoked { .. }, _) => return Ok(invitation),
                (_, Ok(revoked)) => revoked,
                (_, Err(_)) => {
                    let reason = "the invitation was accepted: disable or delete the user instead";
                    return Err(Error::Conflict(reason.to_owned()));
                }
            };
            tx.update_invitation(&invitation).await?;
            this.commit(tx, invitation_entry(actor, Act::InvitationRevoke, &invitation))
                .await?;
            Ok(invitation)
        })
        .await
    }

    /// The invitation that a link opens, if it can still be accepted.
    ///
    /// # Errors
    /// [`Error::NotFound`] for links that are unknown, used, withdrawn or expired alike.
    pub async fn open_invitation(&self, secret: &[u8]) -> Result<Invitation, Error> {
        let found = self.catalog.invitation_by_secret(&link_hash(secret)?).await?;
        usable(found, self.clock().now())
    }

    /// Accepts an invitation: makes the user, or gives the existing user its new password and ends that user's sessions;
    /// signs it in. Of several who try with one link, one succeeds, and other links to the same address work no more.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::open_invitation`], and for users who are disabled; [`Error::Invalid`] for a bad name or a weak password.
    pub async fn accept_invitation(
        self: &Arc<Self>,
        secret: &[u8],
        acceptance: Acceptance,
        client: Client,
    ) -> Result<SignedIn, Error> {
        let hash = link_hash(secret)?;
        let opened = self.open_invitation(secret).await?;
        let password = Zeroizing::new(acceptance.password);
        let first_name = checked_name("firstName", &acceptance.first_name)?;
        let last_name = checked_name("lastName", &acceptance.last_name)?;
        let about = [opened.email.as_str(), &first_name, &last_name];
        self.passwords.check(&password, &about).await?;
        self.act(move |this| async move {
            let password_hash = this.passwords.hash(password, this.rng()).await?;
            let mut tx = this.begin(None).await?;
            let mut invitation = usable(tx.invitation_by_secret(&hash).await?, tx.now())?;
            let person = AddUser {
                email: invitation.email.clone(),
                first_name,
                last_name,
                role: invitation.role,
            };
            let (user, mut entry) = this.settle(&mut tx, invitation.account, person).await?;
            tx.set_password(user.id, &password_hash).await?;
            let accepted = invitation.state.accept(tx.now(), user.id);
            invitation.state = accepted.map_err(|_| not_usable())?;
            tx.update_invitation(&invitation).await?;
            shut_out(&mut tx, &user, &mut entry).await?;
            let actor = Actor::User(user.id);
            let entries = vec![entry, invitation_entry(actor, Act::InvitationAccept, &invitation)];
            this.begin_session(tx, entries, user, SessionKind::Browser, client)
                .await
        })
        .await
    }

    pub(crate) fn draw_invitation(
        &self,
        created_by: Actor,
        account: AccountId,
        request: Invite,
        now: Timestamp,
    ) -> (Invitation, Secret) {
        let secret = Secret::mint(SecretKind::Invitation, self.rng());
        let invitation = Invitation {
            id: InvitationId::mint(self.rng()),
            account,
            email: request.email,
            first_name: request.first_name.trim().to_owned(),
            last_name: request.last_name.trim().to_owned(),
            role: request.role,
            created_at: now,
            created_by,
            expires_at: now.plus_micros(LIFETIME.as_micros() as i64),
            state: InvitationState::Pending,
        };
        (invitation, secret)
    }

    /// The user of an accepted invitation, made if there was none.
    async fn settle(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        person: AddUser,
    ) -> Result<(User, Entry), Error> {
        let Some(mut user) = tx.user_by_email(&person.email).await? else {
            let user = self.new_user(account, person, tx.now());
            tx.insert_user(&user).await?;
            let entry = user_entry(Actor::User(user.id), Act::UserCreate, &user);
            return Ok((user, entry));
        };
        if user.account != account || user.state != UserState::Enabled {
            return Err(not_usable());
        }
        (user.first_name, user.last_name) = (person.first_name, person.last_name);
        tx.update_user(&user).await?;
        let entry = user_entry(Actor::User(user.id), Act::UserPassword, &user);
        Ok((user, entry))
    }
}

fn link_hash(secret: &[u8]) -> Result<SecretHash, Error> {
    match Presented::parse(secret) {
        Ok(presented) if presented.kind == SecretKind::Invitation => Ok(presented.hash),
        _ => Err(not_usable()),
    }
}

fn usable(found: Option<Invitation>, now: Timestamp) -> Result<Invitation, Error> {
    let is_pending =
        |found: &Invitation| found.state.status(found.expires_at, now) == InvitationStatus::Pending;
    found.filter(is_pending).ok_or_else(not_usable)
}

fn not_usable() -> Error {
    Error::not_found("pending invitation", "of this link")
}

pub(crate) fn invitation_entry(actor: Actor, act: Act, invitation: &Invitation) -> Entry {
    Entry {
        actor,
        account: invitation.account,
        act,
        subject: invitation.id.to_string(),
        details: vec![pair("email", &invitation.email), pair("role", invitation.role)],
        changes: Vec::new(),
    }
}
