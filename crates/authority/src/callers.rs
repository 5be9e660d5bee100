//! Who calls a use case, and on which place.

use rescind_domain::{AccountId, Actor, ClusterId, Deed, Role, Subject, Verb, may};

use crate::{Authority, Error};

/// Whoever asks for an administrative act, authenticated.
#[derive(Debug, Clone)]
pub struct Caller {
    actor: Actor,
    account: AccountId,
    role: Role,
}

impl Caller {
    pub(crate) const fn new(actor: Actor, account: AccountId, role: Role) -> Self {
        Self { actor, account, role }
    }

    /// Someone with access to the data directory itself. Only the process that owns it may call this.
    pub const fn operator(account: AccountId) -> Self {
        Self::new(Actor::Operator, account, Role::Admin)
    }

    /// Who it is, for the audit log.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The account that it may administer.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// Checks the policy (`domain::may`) and that `account` is the caller's own.
    pub(crate) fn check(&self, account: AccountId, verb: Verb, subject: Subject) -> Result<(), Error> {
        if account != self.account {
            return Err(Error::Forbidden(
                "the token has no rights on this account".to_owned(),
            ));
        }
        if !may(self.role, Deed { verb, subject }) {
            let reason = format!("the role {} does not allow this: {verb:?} {subject:?}", self.role);
            return Err(Error::Forbidden(reason));
        }
        Ok(())
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
