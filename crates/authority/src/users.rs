//! Users: added, changed, disabled, deleted. All that is theirs ends with them.

use std::sync::Arc;

use rescind_catalog::{ChangeKind, Entry, Page, Paged, Transaction};
use rescind_domain::{
    AccountId, Act, Actor, Email, Receipt, Role, SessionId, Subject, Timestamp, User, UserId, UserState, Verb,
};
use zeroize::Zeroizing;

use crate::databases::pair;
use crate::receipts::Revoked;
use crate::{Authority, Caller, Error};

/// What a new user shall be.
#[derive(Debug, Clone)]
pub struct AddUser {
    /// How it signs in.
    pub email: Email,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What it may do.
    pub role: Role,
}

/// What shall change about a user. Its address cannot.
#[derive(Debug, Clone, Default)]
pub struct UpdateUser {
    /// The new given name, if any.
    pub first_name: Option<String>,
    /// The new family name, if any.
    pub last_name: Option<String>,
    /// The new role, if any.
    pub role: Option<Role>,
}

const WHAT: &str = "user";
const LONGEST_NAME: usize = 100;

impl Authority {
    /// One page of an account's users by e-mail address, disabled ones included.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn users(
        &self,
        caller: &Caller,
        account: AccountId,
        page: &Page,
    ) -> Result<Paged<User>, Error> {
        caller.check(account, Verb::Read, Subject::User)?;
        Ok(self.catalog.users(account, page).await?)
    }

    /// One user.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every read may return.
    pub async fn user(&self, caller: &Caller, account: AccountId, id: UserId) -> Result<User, Error> {
        caller.check(account, Verb::Read, Subject::User)?;
        let found = self.catalog.user(account, id).await?;
        found.ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// The user of the caller's account with this address.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every read may return.
    pub async fn user_by_email(&self, caller: &Caller, email: &Email) -> Result<User, Error> {
        caller.check(caller.account(), Verb::Read, Subject::User)?;
        let found = self.catalog.user_by_email(email).await?;
        found
            .filter(|user| user.account == caller.account())
            .ok_or_else(|| Error::not_found(WHAT, email))
    }

    /// Whether anybody can sign in and administer the account: an enabled administrator with a password.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn can_be_administered(&self, account: AccountId) -> Result<bool, Error> {
        let mut tx = self.catalog.begin(self.clock()).await?;
        let administrators = tx.enabled_admins(account).await?;
        tx.rollback().await?;
        Ok(administrators > 0)
    }

    /// Adds a user without a password: it cannot sign in before [`Self::set_password`].
    ///
    /// # Errors
    /// [`Error::Conflict`] when the address is taken, and what every act may return.
    pub async fn add_user(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        request: AddUser,
    ) -> Result<User, Error> {
        caller.check(account, Verb::Create, Subject::User)?;
        let (actor, standing) = (caller.actor(), caller.standing());
        self.act(move |this| async move {
            let mut tx = this.begin(standing).await?;
            let user = this.new_user(account, request, tx.now());
            if tx.user_by_email(&user.email).await?.is_some() {
                return Err(Error::Conflict(format!(
                    "a user with the address {} already exists",
                    user.email
                )));
            }
            tx.insert_user(&user).await?;
            this.commit(tx, user_entry(actor, Act::UserCreate, &user)).await?;
            Ok(user)
        })
        .await
    }

    /// Sets a user's password and ends its sessions: for an operator, who does not know the former one.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a password that is too weak.
    pub async fn set_password(
        self: &Arc<Self>,
        caller: &Caller,
        id: UserId,
        password: String,
    ) -> Result<Receipt, Error> {
        let password = Zeroizing::new(password);
        caller.check(caller.account(), Verb::Update, Subject::User)?;
        let user = self.user(caller, caller.account(), id).await?;
        self.passwords.check(&password, &own_words(&user)).await?;
        let caller = *caller;
        self.act(move |this| async move {
            let wait = caller.wait();
            let hash = this.passwords.hash(password, this.rng()).await?;
            let mut tx = this.begin(caller.standing()).await?;
            tx.set_password(user.id, &hash).await?;
            let mut entry = user_entry(caller.actor(), Act::UserPassword, &user);
            shut_out(&mut tx, &user, &mut entry).await?;
            let revision = this.commit(tx, entry).await?;
            this.fence(revision, wait).await
        })
        .await
    }

    /// Changes a user's names or role. When this returns, every node acts by the new role.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a bad name or when nothing shall change; [`Error::Conflict`] when
    /// nobody would be left to administer the account.
    pub async fn update_user(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        id: UserId,
        request: UpdateUser,
    ) -> Result<(User, Receipt), Error> {
        caller.check(account, Verb::Update, Subject::User)?;
        let first_name = request.first_name.as_deref();
        let last_name = request.last_name.as_deref();
        let first_name = first_name.map(|n| checked_name("firstName", n)).transpose()?;
        let last_name = last_name.map(|n| checked_name("lastName", n)).transpose()?;
        if first_name.is_none() && last_name.is_none() && request.role.is_none() {
            return Err(Error::invalid("body", "give a name, a role, or both"));
        }
        let caller = *caller;
        self.act(move |this| async move {
            let wait = caller.wait();
            let mut tx = this.begin(caller.standing()).await?;
            let mut user = find(&mut tx, account, id).await?;
            user.first_name = first_name.unwrap_or(user.first_name);
            user.last_name = last_name.unwrap_or(user.last_name);
            user.role = request.role.unwrap_or(user.role);
            let before = tx.enabled_admins(account).await?;
            tx.update_user(&user).await?;
            leave_an_administrator(&mut tx, &caller, account, before).await?;
            let sessions = tx.sessions_of(id).await?;
            let entry = with_sessions(user_entry(caller.actor(), Act::UserUpdate, &user), sessions);
            let revision = this.commit(tx, entry).await?;
            Ok((user, this.fence(revision, wait).await?))
        })
        .await
    }

    /// Disables a user. When this returns, every node refuses its sessions, in browsers and programs (promise G1).
    /// Disabling it again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when nobody would be left to administer the account, unless the operator
    /// asks: a leaked password must be stopped.
    pub async fn disable_user(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        id: UserId,
    ) -> Result<Receipt, Error> {
        caller.check(account, Verb::Update, Subject::User)?;
        let caller = *caller;
        self.act(move |this| async move {
            let wait = caller.wait();
            let mut tx = this.begin(caller.standing()).await?;
            let mut user = find(&mut tx, account, id).await?;
            if user.state != UserState::Enabled {
                tx.rollback().await?;
                return this.fence(this.catalog.revision().await?, wait).await;
            }
            let before = tx.enabled_admins(account).await?;
            user.state = UserState::Disabled { at: tx.now() };
            tx.update_user(&user).await?;
            leave_an_administrator(&mut tx, &caller, account, before).await?;
            let mut entry = user_entry(caller.actor(), Act::UserDisable, &user);
            shut_out(&mut tx, &user, &mut entry).await?;
            let revision = this.commit(tx, entry).await?;
            let receipt = this.fence(revision, wait).await?;
            this.note_receipt(Revoked::user(&caller, id), &receipt, wait);
            Ok(receipt)
        })
        .await
    }

    /// Enables a disabled user: it may sign in again. Enabling it again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every act may return.
    pub async fn enable_user(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        id: UserId,
    ) -> Result<Receipt, Error> {
        caller.check(account, Verb::Update, Subject::User)?;
        let caller = *caller;
        self.act(move |this| async move {
            let wait = caller.wait();
            let mut tx = this.begin(caller.standing()).await?;
            let mut user = find(&mut tx, account, id).await?;
            if user.state == UserState::Enabled {
                tx.rollback().await?;
                return this.fence(this.catalog.revision().await?, wait).await;
            }
            user.state = UserState::Enabled;
            tx.update_user(&user).await?;
            let entry = user_entry(caller.actor(), Act::UserEnable, &user);
            let revision = this.commit(tx, entry).await?;
            this.fence(revision, wait).await
        })
        .await
    }

    /// Deletes a user with its sessions, for good. When this returns, every node refuses them. The audit log keeps its
    /// id and address.
    ///
    /// # Errors
    /// As [`Self::disable_user`].
    pub async fn delete_user(
        self: &Arc<Self>,
        caller: &Caller,
        account: AccountId,
        id: UserId,
    ) -> Result<Receipt, Error> {
        caller.check(account, Verb::Delete, Subject::User)?;
        let caller = *caller;
        self.act(move |this| async move {
            let wait = caller.wait();
            let mut tx = this.begin(caller.standing()).await?;
            let user = find(&mut tx, account, id).await?;
            let before = tx.enabled_admins(account).await?;
            let mut entry = user_entry(caller.actor(), Act::UserDelete, &user);
            shut_out(&mut tx, &user, &mut entry).await?;
            tx.delete_user(account, id).await?;
            leave_an_administrator(&mut tx, &caller, account, before).await?;
            let revision = this.commit(tx, entry).await?;
            let receipt = this.fence(revision, wait).await?;
            this.note_receipt(Revoked::user(&caller, id), &receipt, wait);
            Ok(receipt)
        })
        .await
    }

    pub(crate) fn new_user(&self, account: AccountId, request: AddUser, now: Timestamp) -> User {
        User {
            id: UserId::mint(self.rng()),
            account,
            email: request.email,
            first_name: request.first_name,
            last_name: request.last_name,
            role: request.role,
            state: UserState::Enabled,
            created_at: now,
        }
    }
}

/// A name of a person, trimmed.
pub(crate) fn checked_name(field: &'static str, name: &str) -> Result<String, Error> {
    let name = name.trim();
    let is_good =
        !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    match is_good {
        true => Ok(name.to_owned()),
        false => Err(Error::invalid(
            field,
            format!("must have 1 to {LONGEST_NAME} characters, none of them control characters"),
        )),
    }
}

/// What a user's password must not be made of.
pub(crate) fn own_words(user: &User) -> [&str; 3] {
    [user.email.as_str(), &user.first_name, &user.last_name]
}

pub(crate) fn user_entry(actor: Actor, act: Act, user: &User) -> Entry {
    Entry {
        actor,
        account: user.account,
        act,
        subject: user.id.to_string(),
        details: vec![pair("email", &user.email), pair("role", user.role)],
        changes: vec![ChangeKind::User(user.id)],
    }
}

/// The entry, with every session that nodes must look at again.
pub(crate) fn with_sessions(mut entry: Entry, sessions: Vec<SessionId>) -> Entry {
    entry
        .changes
        .extend(sessions.into_iter().map(ChangeKind::Session));
    entry
}

async fn find(tx: &mut Transaction, account: AccountId, id: UserId) -> Result<User, Error> {
    let found = tx.user(account, id).await?;
    found.ok_or_else(|| Error::not_found(WHAT, id))
}

/// Ends everything by which a person could still act as `user` or become it again: its sessions, links that would set its
/// password, and approvals that no device has come back for.
pub(crate) async fn shut_out(tx: &mut Transaction, user: &User, entry: &mut Entry) -> Result<(), Error> {
    let now = tx.now();
    let ended = tx.end_sessions_of(user.id, now, None).await?;
    entry.changes.extend(ended.into_iter().map(ChangeKind::Session));
    tx.deny_approved_device_requests(user.id).await?;
    let withdrawn = tx.revoke_invitations_to(user.account, &user.email, now).await?;
    if !withdrawn.is_empty() {
        entry
            .details
            .push(pair("withdrawn_invitations", in_words(&withdrawn)));
    }
    Ok(())
}

/// The first of these ids, and how many more there are.
pub(crate) fn in_words(ids: &[impl ToString]) -> String {
    const SHOWN: usize = 20;
    let mut words: Vec<String> = ids.iter().take(SHOWN).map(ToString::to_string).collect();
    if ids.len() > SHOWN {
        words.push(format!("and {} more", ids.len() - SHOWN));
    }
    words.join(" ")
}

/// Refuses what would take away the last who can sign in and administer, of `before` such. The operator, who can always
/// make another, may.
async fn leave_an_administrator(
    tx: &mut Transaction,
    caller: &Caller,
    account: AccountId,
    before: u64,
) -> Result<(), Error> {
    if caller.actor() == Actor::Operator || before == 0 || tx.enabled_admins(account).await? > 0 {
        return Ok(());
    }
    Err(Error::Conflict(
        "nobody would be left who can log in and administer the account: make another administrator first"
            .to_owned(),
    ))
}
