//! First start: an empty catalog gets its first account, cluster, administrator and management token.

use std::sync::Arc;

use rescind_catalog::{Entry, Page};
use rescind_domain::{
    Account, AccountId, Act, Actor, Cluster, ClusterId, ClusterState, Email, Invitation, Receipt, Role,
    Secret,
};

use crate::databases::pair;
use crate::invitations::{Invite, invitation_entry};
use crate::management_tokens::created_entry;
use crate::users::{AddUser, user_entry};
use crate::waits::Wait;
use crate::{Authority, Caller, Error};

/// What the first start makes, before it is committed.
pub struct Founding {
    /// The first account.
    pub account: Account,
    /// Its cluster.
    pub cluster: Cluster,
    /// Who administers it; has no password yet.
    pub administrator: Email,
    /// Opens the management API.
    pub secret: Secret,
    /// Opens the link by which the administrator sets a password.
    pub invitation_secret: Secret,
    invitation: Invitation,
    entries: Vec<Entry>,
    token: rescind_domain::ManagementToken,
    user: rescind_domain::User,
}

impl Authority {
    /// Whether nothing was ever made here.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn is_unfounded(&self) -> Result<bool, Error> {
        let is_unfounded = self.catalog.is_empty().await?;
        if !is_unfounded {
            // Another node may have founded it since this one began.
            self.load_clusters().await?;
        }
        Ok(is_unfounded)
    }

    /// Draws up the first account and all that belongs to it. Nothing is stored, so that the caller can put the secret
    /// in a safe place first.
    ///
    /// # Errors
    /// Never in practice: the texts it parses are its own.
    pub fn draw_up(&self, administrator: Email) -> Result<Founding, Error> {
        let now = self.clock().now();
        let account = Account {
            id: AccountId::mint(self.rng()),
            name: "Default account".to_owned(),
            created_at: now,
        };
        let cluster = Cluster {
            id: ClusterId::mint(self.rng()),
            account: account.id,
            name: "Default cluster".to_owned(),
            state: ClusterState::Ready,
            created_at: now,
        };
        let description = "First start"
            .parse()
            .map_err(|e| Error::invalid("description", e))?;
        let (token, secret) = self.new_management_token(account.id, Actor::System, description, None, now);
        let person = AddUser {
            email: administrator.clone(),
            first_name: "First".to_owned(),
            last_name: "Administrator".to_owned(),
            role: Role::Admin,
        };
        let user = self.new_user(account.id, person, now);
        let made = |act, subject: String, name: &str| Entry {
            actor: Actor::System,
            account: account.id,
            act,
            subject,
            details: vec![pair("name", name)],
            changes: Vec::new(),
        };
        let invite = Invite {
            email: administrator.clone(),
            first_name: String::new(),
            last_name: String::new(),
            role: Role::Admin,
        };
        let (invitation, invitation_secret) = self.draw_invitation(Actor::System, account.id, invite, now);
        let entries = vec![
            made(Act::AccountCreate, account.id.to_string(), &account.name),
            made(Act::ClusterCreate, cluster.id.to_string(), &cluster.name),
            user_entry(Actor::System, Act::UserCreate, &user),
            created_entry(&token),
            invitation_entry(Actor::System, Act::InvitationCreate, &invitation),
        ];
        Ok(Founding {
            account,
            cluster,
            administrator,
            secret,
            invitation_secret,
            invitation,
            entries,
            token,
            user,
        })
    }

    /// Stores what was drawn up, in one transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the catalog is not empty any more: of two nodes that start at the same moment one founds.
    pub async fn found(self: &Arc<Self>, founding: Founding) -> Result<Receipt, Error> {
        self.act(move |this| async move {
            let wait = Wait::to_the_end();
            let mut tx = this.catalog.begin(this.clock()).await?;
            if !tx.is_unfounded().await? {
                tx.rollback().await?;
                // They are in no feed, and this node looked before there were any.
                this.load_clusters().await?;
                return Err(Error::Conflict("the catalog already holds an account".to_owned()));
            }
            tx.insert_account(&founding.account).await?;
            tx.insert_cluster(&founding.cluster).await?;
            tx.insert_user(&founding.user).await?;
            tx.insert_management_token(&founding.token, &founding.secret.hash())
                .await?;
            tx.insert_invitation(&founding.invitation, &founding.invitation_secret.hash())
                .await?;
            let revision = this.commit_all(tx, founding.entries).await?;
            this.directory()
                .put_cluster(founding.account.id, founding.cluster.id);
            this.fence(revision, wait).await
        })
        .await
    }

    /// The operator of this data directory, acting on its first account: for commands that run beside no server.
    ///
    /// # Errors
    /// [`Error::NotFound`] before the first start.
    pub async fn operator(&self) -> Result<Caller, Error> {
        let accounts = self.catalog.accounts(&Page::first(1)).await?.items;
        let first = accounts
            .first()
            .ok_or_else(|| Error::not_found("account in", "an empty catalog"))?;
        Ok(Caller::operator(first.id))
    }
}
