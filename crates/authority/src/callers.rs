//! Who calls a use case, and on which place.

use std::time::Duration;

use rescind_domain::{
    AccountId, Actor, ClusterId, Deed, Extent, ManagementGrant, Role, SessionGrant, SessionId, Subject, User,
    UserId, Verb, extent,
};

use crate::grants::TokenRef;
use crate::waits::Wait;
use crate::{Authority, Error};

/// On what strength somebody acts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// The token or session.
    pub(crate) token: TokenRef,
    /// The role that the policy was asked about, if it was.
    pub(crate) role: Option<Role>,
}

/// Whoever asks for an administrative act, authenticated.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    actor: Actor,
    account: AccountId,
    role: Role,
    standing: Option<TokenRef>,
    patience: Option<Duration>,
}

impl Caller {
    pub(crate) const fn by_management_token(grant: &ManagementGrant) -> Self {
        Self {
            actor: Actor::ManagementToken(grant.token),
            account: grant.account,
            role: Role::Admin,
            standing: Some(TokenRef::Management(grant.token)),
            patience: None,
        }
    }

    pub(crate) const fn by_session(grant: &SessionGrant) -> Self {
        Self {
            actor: Actor::User(grant.user),
            account: grant.account,
            role: grant.role,
            standing: Some(TokenRef::Session(grant.session)),
            patience: None,
        }
    }

    /// A user, by a secret of its own that need not open anything any more: good for ending what it carries.
    pub(crate) const fn by_secret_of(user: &User) -> Self {
        Self {
            actor: Actor::User(user.id),
            account: user.account,
            role: user.role,
            standing: None,
            patience: None,
        }
    }

    /// Someone with access to the data directory itself. Only the process that owns it may call this.
    pub const fn operator(account: AccountId) -> Self {
        Self {
            actor: Actor::Operator,
            account,
            role: Role::Admin,
            standing: None,
            patience: None,
        }
    }

    /// The same caller, whose acts return so long after they began at the latest, once they are committed: with a receipt
    /// that is not complete, if need be. Without this they wait for every node, which takes a term of its lease at most.
    #[must_use]
    pub const fn waiting_at_most(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Begins to wait for what this caller's act does.
    pub(crate) fn wait(&self) -> Wait {
        Wait::begin(self.patience)
    }

    /// Who it is, for the audit log.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The account that it may administer.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// What it may do there.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Which user it is, if it is one.
    pub const fn user(&self) -> Option<UserId> {
        match self.actor {
            Actor::User(id) => Some(id),
            Actor::System | Actor::Operator | Actor::ManagementToken(_) | Actor::DatabaseToken(_) => None,
        }
    }

    /// The session by which it was recognised, if it was one.
    pub const fn session(&self) -> Option<SessionId> {
        match self.standing {
            Some(TokenRef::Session(id)) => Some(id),
            _ => None,
        }
    }

    /// How far it may go with a deed on its account: what a face offers. Use cases check it by themselves.
    pub fn extent(&self, verb: Verb, subject: Subject) -> Extent {
        extent(self.role, Deed { verb, subject })
    }

    /// What must still stand when its acts begin.
    pub(crate) fn standing(&self) -> Option<Standing> {
        let role = Some(self.role);
        self.standing.map(|token| Standing { token, role })
    }

    /// The token or session by which it was recognised.
    pub(crate) const fn token(&self) -> Option<TokenRef> {
        self.standing
    }

    /// Checks the policy (`domain::extent`) and that `account` is the caller's own.
    pub(crate) fn check(&self, account: AccountId, verb: Verb, subject: Subject) -> Result<(), Error> {
        self.check_account(account)?;
        match self.extent(verb, subject) {
            Extent::All => Ok(()),
            Extent::Own | Extent::None => Err(self.not_allowed(verb, subject)),
        }
    }

    /// As [`Self::check`], for what may be the caller's own: then [`Self::check_maker`] has the last word.
    pub(crate) fn check_or_own(&self, account: AccountId, verb: Verb, subject: Subject) -> Result<(), Error> {
        self.check_account(account)?;
        match self.extent(verb, subject) {
            Extent::All | Extent::Own => Ok(()),
            Extent::None => Err(self.not_allowed(verb, subject)),
        }
    }

    /// Checks that the caller may do this to what `maker` made.
    pub(crate) fn check_maker(&self, maker: Actor, verb: Verb, subject: Subject) -> Result<(), Error> {
        match self.extent(verb, subject) {
            Extent::All => Ok(()),
            Extent::Own if maker == self.actor => Ok(()),
            Extent::Own => Err(Error::Forbidden(format!(
                "the role {} may {} that one made oneself, and no others",
                self.role,
                Deed { verb, subject }
            ))),
            Extent::None => Err(self.not_allowed(verb, subject)),
        }
    }

    fn check_account(&self, account: AccountId) -> Result<(), Error> {
        if account == self.account {
            return Ok(());
        }
        let who = if self.user().is_some() { "user" } else { "token" };
        Err(Error::Forbidden(format!(
            "the {who} has no rights on this account"
        )))
    }

    fn not_allowed(&self, verb: Verb, subject: Subject) -> Error {
        Error::Forbidden(format!(
            "the role {} may not {}",
            self.role,
            Deed { verb, subject }
        ))
    }
}

/// Where databases and database tokens live: a cluster of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// One of its clusters.
    pub cluster: ClusterId,
}

impl Authority {
    /// The place meant by requests that name none (contract, management-api section 1: Clustered): the caller's only
    /// cluster.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the account has no cluster, [`Error::Invalid`] when it has several.
    pub fn default_place(&self, caller: &Caller) -> Result<Place, Error> {
        let account = caller.account();
        match self.directory().clusters_of(account).as_slice() {
            [cluster] => Ok(Place {
                account,
                cluster: *cluster,
            }),
            [] => Err(Error::not_found("cluster of account", account)),
            _ => Err(Error::invalid(
                "path",
                "the account has several clusters: use /accounts/{accountId}/clusters/{clusterId}/…",
            )),
        }
    }

    /// Checks the policy, and that the place exists.
    pub(crate) fn check(
        &self,
        caller: &Caller,
        place: Place,
        verb: Verb,
        subject: Subject,
    ) -> Result<(), Error> {
        caller.check(place.account, verb, subject)?;
        self.check_place(place)
    }

    /// As [`Self::check`], for what may be the caller's own: then [`Caller::check_maker`] has the last word.
    pub(crate) fn check_or_own(
        &self,
        caller: &Caller,
        place: Place,
        verb: Verb,
        subject: Subject,
    ) -> Result<(), Error> {
        caller.check_or_own(place.account, verb, subject)?;
        self.check_place(place)
    }

    fn check_place(&self, place: Place) -> Result<(), Error> {
        if !self
            .directory()
            .clusters_of(place.account)
            .contains(&place.cluster)
        {
            return Err(Error::not_found("cluster", place.cluster));
        }
        Ok(())
    }
}
