//! Sessions: signing in, being recognised, signing out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rescind_catalog::{ChangeKind, Entry, Transaction};
use rescind_domain::{
    AccountId, Act, Actor, Client, Email, Presented, Receipt, Secret, SecretKind, Session, SessionId,
    SessionKind, Subject, Timestamp, User, UserId, UserState, Verb,
};
use zeroize::Zeroizing;

use crate::databases::pair;
use crate::failures::{FailedAttempts, keep_pace};
use crate::passwords::CheckError;
use crate::receipts::Revoked;
use crate::users::{in_words, own_words, shut_out, user_entry};
use crate::waits::Wait;
use crate::{Authority, Caller, Error, Refusal};

/// How long browser sessions last, and how signing in is paced.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// How long a session may lie unused before it ends by itself.
    pub idle: Duration,
    /// How long it lasts at most.
    pub lifetime: Duration,
    /// A failed attempt to sign in is answered a whole number of these after it began, so that how long the answer took
    /// does not tell whether there is such a user. Longer than an attempt takes, or zero.
    pub failure_pace: Duration,
}

/// Two hours unused, twelve hours in all: a working day without signing in twice, and no day after it. Failures are
/// answered at quarters of a second.
impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(2 * 60 * 60),
            lifetime: Duration::from_secs(12 * 60 * 60),
            failure_pace: Duration::from_millis(250),
        }
    }
}

/// A session that has just begun, with its secret, which is handed out this once.
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// What carries it.
    pub secret: Secret,
    /// Whose it is.
    pub user: User,
    /// After signing in with a password: the attempts that failed since the user last did so, if any.
    pub failed_attempts: Option<FailedAttempts>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No enabled user has this address and this password. Which of them is wrong is not told.
    #[error("the e-mail address or the password is wrong")]
    Wrong,
    /// Too many attempts failed, or too many are under way.
    #[error("too many attempts: wait {} s and try again", retry_after.as_secs().max(1))]
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },
    /// It could not be found out.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<rescind_catalog::Error> for SignInError {
    fn from(error: rescind_catalog::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<CheckError> for SignInError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Busy => Self::Throttled {
                retry_after: Duration::from_secs(1),
            },
            CheckError::Failed(error) => Self::Failed(error),
        }
    }
}

impl Authority {
    /// Signs a user in by password. When this returns, every node knows the session.
    ///
    /// # Errors
    /// [`SignInError`]; when [`SignInError::Wrong`] comes does not tell what is wrong ([`SessionLimits::failure_pace`]).
    pub async fn sign_in(
        self: &Arc<Self>,
        email: &str,
        password: String,
        client: Client,
    ) -> Result<SignedIn, SignInError> {
        let began = Instant::now();
        let signed_in = self.try_to_sign_in(email, password, client).await;
        if matches!(signed_in, Err(SignInError::Wrong)) {
            keep_pace(began, self.settings.session_limits.failure_pace).await;
        }
        signed_in
    }

    async fn try_to_sign_in(
        self: &Arc<Self>,
        email: &str,
        password: String,
        client: Client,
    ) -> Result<SignedIn, SignInError> {
        let password = Zeroizing::new(password);
        let email = email.trim().parse::<Email>().ok();
        // What is no address counts as one and the same person: attempts keep the key, and strangers choose its length.
        let person = email.as_ref().map(Email::folded).unwrap_or_default();
        let comparing = async {
            let user = match &email {
                Some(email) => self.catalog.user_by_email(email).await?,
                None => None,
            };
            let kept = match &user {
                Some(user) if user.state == UserState::Enabled => self.catalog.password_hash(user.id).await?,
                _ => None,
            };
            let matches = self.passwords.matches(password, kept.clone()).await?;
            Ok((user, kept, matches))
        };
        let (user, kept, matches) = self.attempt(&client, &person, comparing).await?;
        let Some(user) = user else {
            return Err(SignInError::Wrong);
        };
        if !matches {
            self.record_failure(&user, &client).await?;
            return Err(SignInError::Wrong);
        }
        self.attempts.succeeded(client.address, &person, Instant::now());
        let failed_attempts = self.failed_attempts(&user).await?;
        let signed_in = self
            .act(move |this| async move { this.begin_signed_in(user, kept, client).await })
            .await;
        match signed_in {
            // Disabled, deleted or given another password since.
            Err(Error::Refused(_)) => Err(SignInError::Wrong),
            other => Ok(SignedIn {
                failed_attempts,
                ..other?
            }),
        }
    }

    /// Compares a password, unless too many attempts failed. What could not be compared was no attempt.
    async fn attempt<T>(
        &self,
        client: &Client,
        person: &str,
        comparing: impl Future<Output = Result<T, SignInError>>,
    ) -> Result<T, SignInError> {
        let attempt = self.attempts.begin(client.address, person, Instant::now());
        attempt.map_err(|retry_after| SignInError::Throttled { retry_after })?;
        let compared = comparing.await;
        if compared.is_err() {
            self.attempts.undecided(client.address, person);
        }
        compared
    }

    /// Begins the session of a user whose password was found to match `kept`, unless it has another by now.
    async fn begin_signed_in(
        &self,
        user: User,
        kept: Option<String>,
        client: Client,
    ) -> Result<SignedIn, Error> {
        let mut tx = self.begin(None).await?;
        if tx.password_hash(user.id).await? != kept {
            return Err(Error::Refused(Refusal::Revoked));
        }
        self.begin_session(tx, Vec::new(), user, SessionKind::Browser, client)
            .await
    }

    /// The user that the caller is.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for callers who are no user.
    pub async fn own_user(&self, caller: &Caller) -> Result<User, Error> {
        let id = caller.user().ok_or_else(not_a_user)?;
        let user = self.catalog.user(caller.account(), id).await?;
        user.ok_or_else(|| Error::not_found("user", id))
    }

    /// The caller's own sessions that still work, the newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for callers who are no user.
    pub async fn own_sessions(&self, caller: &Caller) -> Result<Vec<Session>, Error> {
        let user = caller.user().ok_or_else(not_a_user)?;
        let now = self.clock().now();
        let mut sessions = self.catalog.sessions(user, now).await?;
        sessions.retain(|session| {
            let used_at = session.last_used_at.unwrap_or(session.created_at);
            !self.is_idle(session.kind, used_at, now)
        });
        Ok(sessions)
    }

    /// Ends one of the caller's own sessions. When this returns, every node refuses it. Ending it again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for sessions of others, too.
    pub async fn end_session(self: &Arc<Self>, caller: &Caller, id: SessionId) -> Result<Receipt, Error> {
        let user = caller.user().ok_or_else(not_a_user)?;
        let caller = *caller;
        self.act(move |this| async move {
            let wait = caller.wait();
            let mut tx = this.begin(caller.standing()).await?;
            let session = tx.session(id).await?.filter(|session| session.user == user);
            session.ok_or_else(|| Error::not_found("session", id))?;
            if !tx.end_session(id, tx.now()).await? {
                tx.rollback().await?;
                return this.fence(this.catalog.revision().await?, wait).await;
            }
            if caller.session() != Some(id) {
                // Whoever ends a session from elsewhere mistrusts it, and what it may have let in.
                tx.deny_approved_device_requests(user).await?;
            }
            let entry = ended_entry(&caller, user, &[id]);
            let revision = this.commit(tx, entry).await?;
            this.fence(revision, wait).await
        })
        .await
    }

    /// Ends all of the caller's own sessions, in browsers and programs: "sign out everywhere". With `keep_own` the one
    /// that asks goes on.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for callers who are no user.
    pub async fn end_sessions(self: &Arc<Self>, caller: &Caller, keep_own: bool) -> Result<Receipt, Error> {
        let user = caller.user().ok_or_else(not_a_user)?;
        let caller = *caller;
        self.act(move |this| async move {
            let wait = caller.wait();
            let mut tx = this.begin(caller.standing()).await?;
            let except = caller.session().filter(|_| keep_own);
            let now = tx.now();
            let ended = tx.end_sessions_of(user, now, except).await?;
            // What it approved for a device that has not come for it is a session to be.
            tx.deny_approved_device_requests(user).await?;
            let revision = this.commit(tx, ended_entry(&caller, user, &ended)).await?;
            this.fence(revision, wait).await
        })
        .await
    }

    /// Ends the session that a secret carries: signing out, and RFC 7009. When this returns, every node refuses it. A
    /// secret that carries none is no error, and ending it again waits again.
    ///
    /// It goes by the catalog and not by what this node has in memory: a node that never had the session, or takes it for
    /// expired by its own clock, must not say that it is over.
    ///
    /// # Errors
    /// What every act may return.
    pub async fn end_by_secret(self: &Arc<Self>, secret: &[u8]) -> Result<Option<Receipt>, Error> {
        self.end_carried(secret, Wait::to_the_end()).await
    }

    /// The same for somebody who wants an answer after `patience`, whatever is known by then: the receipt may be
    /// incomplete, the session is ended all the same.
    ///
    /// # Errors
    /// What every act may return.
    pub async fn end_by_secret_within(
        self: &Arc<Self>,
        secret: &[u8],
        patience: Duration,
    ) -> Result<Option<Receipt>, Error> {
        self.end_carried(secret, Wait::begin(Some(patience))).await
    }

    async fn end_carried(self: &Arc<Self>, secret: &[u8], wait: Wait) -> Result<Option<Receipt>, Error> {
        let hash = match Presented::parse(secret) {
            Ok(presented) if matches!(presented.kind, SecretKind::Session | SecretKind::Access) => {
                presented.hash
            }
            _ => return Ok(None),
        };
        let session = self.catalog.session_of_secret(&hash).await?;
        // Whoever has such a secret is nobody yet: only a session that lives is worth the ledger. One whose row is gone may
        // have gone with its user a moment ago.
        let Some(session) = session.filter(|session| session.ended_at.is_none()) else {
            let revision = self.catalog.revision_in_turn().await?;
            return Ok(Some(self.fence(revision, wait).await?));
        };
        self.act(move |this| async move {
            let mut tx = this.begin(None).await?;
            let user = tx.user_by_id(session.user).await?;
            let is_ended_now = tx.end_session(session.id, tx.now()).await?;
            let revision = match user.filter(|_| is_ended_now) {
                Some(user) => {
                    let entry = ended_entry(&Caller::by_secret_of(&user), user.id, &[session.id]);
                    this.commit(tx, entry).await?
                }
                None => {
                    tx.rollback().await?;
                    this.catalog.revision().await?
                }
            };
            Ok(Some(this.fence(revision, wait).await?))
        })
        .await
    }

    /// Ends sessions that expired before `past`: unlike tokens, every sign-in makes one. By acts, so that every node hears
    /// of it: one whose clock is wrong must not take rows away that others go by.
    pub(crate) async fn end_expired_sessions(self: &Arc<Self>, past: Timestamp) -> Result<(), Error> {
        loop {
            let ended = self.act(move |this| async move { this.end_some_expired(past).await });
            if ended.await? == 0 {
                return Ok(());
            }
        }
    }

    async fn end_some_expired(&self, past: Timestamp) -> Result<usize, Error> {
        let mut tx = self.begin(None).await?;
        let expired = tx.end_expired_sessions(tx.now(), past).await?;
        if expired.is_empty() {
            tx.rollback().await?;
            return Ok(0);
        }
        let mut by_user = BTreeMap::<UserId, Vec<SessionId>>::new();
        for (user, session) in &expired {
            by_user.entry(*user).or_default().push(*session);
        }
        let mut entries = Vec::with_capacity(by_user.len());
        for (id, sessions) in by_user {
            if let Some(user) = tx.user_by_id(id).await? {
                let ended = ended_entry(&Caller::by_secret_of(&user), id, &sessions);
                let actor = Actor::System;
                entries.push(Entry { actor, ..ended });
            }
        }
        let revision = self.commit_all(tx, entries).await?;
        self.catch_up(revision).await?;
        Ok(expired.len())
    }

    /// Ends all sessions of a user, in browsers and programs, who may sign in again at once. When this returns, every
    /// node refuses them.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every act may return.
    pub async fn end_user_sessions(
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
            let user = tx.user(account, id).await?;
            let user = user.ok_or_else(|| Error::not_found("user", id))?;
            let now = tx.now();
            let ended = tx.end_sessions_of(user.id, now, None).await?;
            tx.deny_approved_device_requests(user.id).await?;
            let revision = this.commit(tx, ended_entry(&caller, user.id, &ended)).await?;
            let receipt = this.fence(revision, wait).await?;
            this.note_receipt(Revoked::user(&caller, id), &receipt, wait);
            Ok(receipt)
        })
        .await
    }

    /// Gives the caller a new password, ends all its sessions and begins a new one: whoever knew the old password, or
    /// the secret of any session, is out.
    ///
    /// # Errors
    /// [`SignInError::Wrong`] for a wrong current password; [`Error::Invalid`] for a new one that is too weak.
    pub async fn change_password(
        self: &Arc<Self>,
        caller: &Caller,
        current: String,
        new: String,
        client: Client,
    ) -> Result<SignedIn, SignInError> {
        let (current, new) = (Zeroizing::new(current), Zeroizing::new(new));
        let user = self.own_user(caller).await?;
        self.passwords.check(&new, &own_words(&user)).await?;
        let person = user.email.folded();
        let comparing = async {
            let kept = self.catalog.password_hash(user.id).await?;
            Ok(self.passwords.matches(current, kept).await?)
        };
        if !self.attempt(&client, &person, comparing).await? {
            self.record_failure(&user, &client).await?;
            return Err(SignInError::Wrong);
        }
        self.attempts.succeeded(client.address, &person, Instant::now());
        let caller = *caller;
        let changed = self.act(move |this| async move {
            let hash = this.passwords.hash(new, this.rng()).await?;
            // If the password was replaced meanwhile, the caller's session has ended with it.
            let mut tx = this.begin(caller.standing()).await?;
            tx.set_password(user.id, &hash).await?;
            let mut entry = user_entry(caller.actor(), Act::UserPassword, &user);
            shut_out(&mut tx, &user, &mut entry).await?;
            this.begin_session(tx, vec![entry], user, SessionKind::Browser, client)
                .await
        });
        Ok(changed.await?)
    }

    /// Commits `entries` together with a new session of `user`, who must be there and enabled, and fences.
    pub(crate) async fn begin_session(
        &self,
        mut tx: Transaction,
        mut entries: Vec<Entry>,
        user: User,
        kind: SessionKind,
        client: Client,
    ) -> Result<SignedIn, Error> {
        let wait = Wait::to_the_end();
        let current = tx.user(user.account, user.id).await?;
        let user = current
            .filter(|user| user.state == UserState::Enabled)
            .ok_or(Error::Refused(Refusal::Revoked))?;
        let now = tx.now();
        let ended = tx.end_sessions_beyond(user.id, now, MOST_SESSIONS - 1).await?;
        let secret = Secret::mint(kind.secret_kind(), self.rng());
        let session = Session {
            id: SessionId::mint(self.rng()),
            user: user.id,
            kind,
            client,
            created_at: now,
            expires_at: self.end_of(kind, now),
            last_used_at: None,
            ended_at: None,
        };
        tx.insert_session(&session, &secret.hash()).await?;
        entries.push(begun_entry(&user, &session, &ended));
        let revision = self.commit_all(tx, entries).await?;
        self.fence(revision, wait).await?;
        Ok(SignedIn {
            session,
            secret,
            user,
            failed_attempts: None,
        })
    }

    fn end_of(&self, kind: SessionKind, now: Timestamp) -> Timestamp {
        let lifetime = match kind {
            SessionKind::Browser => self.settings.session_limits.lifetime,
            SessionKind::Device => DEVICE_LIFETIME,
        };
        now.plus_micros(i64::try_from(lifetime.as_micros()).unwrap_or(i64::MAX))
    }

    /// A browser left alone ends its session by itself; a program's has an hour and no more.
    pub(crate) fn is_idle(&self, kind: SessionKind, used_at: Timestamp, now: Timestamp) -> bool {
        let idle = self.settings.session_limits.idle.as_micros();
        let unused = now.micros().saturating_sub(used_at.micros());
        kind == SessionKind::Browser && u128::try_from(unused).is_ok_and(|unused| unused > idle)
    }
}

/// Contract, influxctl section 4: an access token from signing in lives one hour.
const DEVICE_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Anyone can sign in over and over: so many sessions of one user at once are more than anybody needs.
const MOST_SESSIONS: u32 = 50;

fn begun_entry(user: &User, session: &Session, ended: &[SessionId]) -> Entry {
    let mut details = vec![
        pair("kind", session.kind),
        pair("address", session.client.address),
        pair("agent", &session.client.agent),
    ];
    if !ended.is_empty() {
        details.push(pair("ended_sessions", in_words(ended)));
    }
    let sessions = ended.iter().copied().chain([session.id]);
    Entry {
        actor: Actor::User(user.id),
        account: user.account,
        act: Act::SessionCreate,
        subject: session.id.to_string(),
        details,
        changes: sessions.map(ChangeKind::Session).collect(),
    }
}

fn ended_entry(caller: &Caller, user: UserId, ended: &[SessionId]) -> Entry {
    Entry {
        actor: caller.actor(),
        account: caller.account(),
        act: Act::SessionEnd,
        subject: user.to_string(),
        details: vec![pair("sessions", in_words(ended))],
        changes: ended.iter().copied().map(ChangeKind::Session).collect(),
    }
}

fn not_a_user() -> Error {
    Error::Forbidden(
        "only a user who is logged in has sessions and a password; a management token has none".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NodeSettings, Settings};
    use rescind_domain::Agent;
    use rescind_testkit::{FrozenClock, FrozenStopwatch, SeededRng};

    const EMAIL: &str = "ada@example.com";
    const PASSWORD: &str = "correct lamp ferry onion";
    const ADDRESS: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn client() -> Client {
        Client {
            address: ADDRESS,
            agent: Agent::new("a test"),
        }
    }

    /// With one user, who can sign in.
    async fn authority(directory: &tempfile::TempDir) -> (Arc<Authority>, User) {
        let location = rescind_catalog::Location::Sqlite(directory.path().join("catalog.sqlite"));
        let settings = Settings {
            node: NodeSettings::alone("node-1"),
            stopwatch: Arc::new(FrozenStopwatch::default()),
            clock: Arc::new(FrozenClock::default()),
            rng: Arc::new(SeededRng::new(1)),
            session_limits: SessionLimits::default(),
        };
        let catalog = crate::Catalog::open(&location).await.expect("a catalog");
        let authority = Authority::open(catalog, settings).await.expect("an authority");
        let email: Email = EMAIL.parse().expect("an address");
        let founding = authority.draw_up(email.clone()).expect("drawn up");
        let operator = Caller::operator(founding.account.id);
        authority.found(founding).await.expect("founded");
        let user = authority.user_by_email(&operator, &email).await.expect("there");
        authority
            .set_password(&operator, user.id, PASSWORD.to_owned())
            .await
            .expect("set");
        (authority, user)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_password_that_is_replaced_while_it_is_compared_signs_nobody_in() {
        let directory = tempfile::tempdir().expect("a directory");
        let (authority, user) = authority(&directory).await;
        // While this act goes on, no session can begin.
        let mut act = authority.begin(None).await.expect("begun");
        let signing_in = tokio::spawn({
            let authority = Arc::clone(&authority);
            async move { authority.sign_in(EMAIL, PASSWORD.to_owned(), client()).await }
        });
        // That the password matched is known from here on, and what it was compared with is the old hash.
        while !authority.attempts.is_home(ADDRESS, EMAIL) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        act.set_password(user.id, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g")
            .await
            .expect("set");
        let entry = user_entry(Actor::Operator, Act::UserPassword, &user);
        authority.commit(act, entry).await.expect("committed");
        let signed_in = signing_in.await.expect("ran");
        assert!(matches!(signed_in, Err(SignInError::Wrong)));
    }

    #[tokio::test]
    async fn what_could_not_be_compared_was_no_attempt() {
        let directory = tempfile::tempdir().expect("a directory");
        let (authority, _) = authority(&directory).await;
        authority.catalog.close().await;
        for attempt in 0..20 {
            let failed = authority.sign_in(EMAIL, PASSWORD.to_owned(), client()).await;
            assert!(matches!(failed, Err(SignInError::Failed(_))), "{attempt}");
        }
    }
}
