//! Users: added, given a password, disabled.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use rescind_catalog::{ChangeKind, Entry};
use rescind_domain::{AccountId, Act, Email, Role, Subject, Timestamp, User, UserId, UserState, Verb};

use crate::databases::pair;
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

impl Authority {
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
        let actor = caller.actor();
        self.act(move |this| async move {
            let now = this.clock().now();
            let user = this.new_user(account, request, now);
            let mut tx = this.begin(actor).await?;
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

    /// Sets a user's password. It is kept as an argon2id hash only.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a password shorter than 12 characters or longer than 1,024 bytes.
    pub async fn set_password(
        self: &Arc<Self>,
        caller: &Caller,
        email: Email,
        password: String,
    ) -> Result<(), Error> {
        caller.check(caller.account(), Verb::Update, Subject::User)?;
        if password.chars().count() < 12 || password.len() > 1_024 {
            return Err(Error::invalid(
                "password",
                "must have at least 12 characters and at most 1024 bytes",
            ));
        }
        let caller = caller.clone();
        self.act(move |this| async move {
            let mut salt = [0; 16];
            this.rng().fill(&mut salt);
            let hashing = tokio::task::spawn_blocking(move || hash_password(password.as_bytes(), &salt));
            let hash = hashing
                .await
                .map_err(|panic| Error::Internal(Box::new(panic)))??;
            let mut tx = this.begin(caller.actor()).await?;
            let user = find(&mut tx, &caller, &email).await?;
            tx.set_password(user.id, &hash).await?;
            this.commit(tx, user_entry(caller.actor(), Act::UserPassword, &user))
                .await?;
            Ok(())
        })
        .await
    }

    /// Disables a user: it is refused everywhere from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every act may return.
    pub async fn disable_user(self: &Arc<Self>, caller: &Caller, email: Email) -> Result<(), Error> {
        caller.check(caller.account(), Verb::Update, Subject::User)?;
        let caller = caller.clone();
        self.act(move |this| async move {
            let now = this.clock().now();
            let mut tx = this.begin(caller.actor()).await?;
            let mut user = find(&mut tx, &caller, &email).await?;
            if user.state == UserState::Enabled {
                user.state = UserState::Disabled { at: now };
                tx.update_user(&user).await?;
                this.commit(tx, user_entry(caller.actor(), Act::UserDisable, &user))
                    .await?;
            }
            Ok(())
        })
        .await
    }

    /// Whether `password` is the one that was set for the enabled user of this address.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn verify_password(&self, email: &Email, password: String) -> Result<bool, Error> {
        let Some(user) = self.catalog.user_by_email(email).await? else {
            return Ok(false);
        };
        let Some(hash) = self.catalog.password_hash(user.id).await? else {
            return Ok(false);
        };
        let matching = tokio::task::spawn_blocking(move || {
            let hash = PasswordHash::new(&hash).map_err(|e| Error::Internal(Box::new(e)))?;
            Ok::<_, Error>(
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok(),
            )
        });
        let matches = matching
            .await
            .map_err(|panic| Error::Internal(Box::new(panic)))??;
        Ok(matches && user.state == UserState::Enabled)
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

pub(crate) fn user_entry(actor: rescind_domain::Actor, act: Act, user: &User) -> Entry {
    Entry {
        actor,
        account: user.account,
        act,
        subject: user.id.to_string(),
        details: vec![pair("email", &user.email), pair("role", user.role)],
        changes: vec![ChangeKind::User(user.id)],
    }
}

async fn find(tx: &mut rescind_catalog::Transaction, caller: &Caller, email: &Email) -> Result<User, Error> {
    let found = tx
        .user_by_email(email)
        .await?
        .filter(|user| user.account == caller.account());
    found.ok_or_else(|| Error::not_found("user", email))
}

/// The work factors are the library's, which follow OWASP's advice for argon2id.
fn hash_password(password: &[u8], salt: &[u8]) -> Result<String, Error> {
    let hash = Argon2::default().hash_password_with_salt(password, salt);
    hash.map(|hash| hash.to_string())
        .map_err(|e| Error::Internal(Box::new(e)))
}
