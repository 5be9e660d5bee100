//! Accounts, clusters and the audit log: what the faces show of them.

use rescind_catalog::{AuditQuery, Page, Paged};
use rescind_domain::{Account, AccountId, AuditEvent, Cluster, ClusterId, Subject, Verb};

use crate::{Authority, Caller, Error};

impl Authority {
    /// The accounts that the caller may see: its own.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn accounts(&self, caller: &Caller) -> Result<Vec<Account>, Error> {
        Ok(vec![self.account(caller, caller.account()).await?])
    }

    /// One account.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for any but the caller's own.
    pub async fn account(&self, caller: &Caller, id: AccountId) -> Result<Account, Error> {
        caller.check(id, Verb::Read, Subject::Account)?;
        self.catalog
            .account(id)
            .await?
            .ok_or_else(|| Error::not_found("account", id))
    }

    /// The clusters of an account.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for any but the caller's own account.
    pub async fn clusters(&self, caller: &Caller, account: AccountId) -> Result<Vec<Cluster>, Error> {
        caller.check(account, Verb::Read, Subject::Cluster)?;
        Ok(self
            .catalog
            .clusters(account, &Page::first(Page::MAX))
            .await?
            .items)
    }

    /// One cluster.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the account has no such cluster.
    pub async fn cluster(
        &self,
        caller: &Caller,
        account: AccountId,
        id: ClusterId,
    ) -> Result<Cluster, Error> {
        caller.check(account, Verb::Read, Subject::Cluster)?;
        let found = self
            .catalog
            .cluster(id)
            .await?
            .filter(|cluster| cluster.account == account);
        found.ok_or_else(|| Error::not_found("cluster", id))
    }

    /// One page of the audit log of the query's account.
    ///
    /// # Errors
    /// [`Error::Forbidden`] by policy, and what every read may return.
    pub async fn audit_events(
        &self,
        caller: &Caller,
        query: &AuditQuery,
    ) -> Result<Paged<AuditEvent>, Error> {
        caller.check(query.account, Verb::Read, Subject::AuditEvent)?;
        Ok(self.catalog.audit_events(query).await?)
    }
}
