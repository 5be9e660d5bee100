//! Accounts and clusters.

use rescind_domain::{Account, AccountId, Cluster, ClusterId, ClusterState};
use sqlx::any::AnyRow;

use crate::listings::{Filter, Key, Listing};
use crate::rows::Fields;
use crate::seam::Connection;
use crate::{Catalog, Error, Page, Paged, Transaction};

impl Catalog {
    /// Every account, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`], [`Error::Cursor`].
    pub async fn accounts(&self, page: &Page) -> Result<Paged<Account>, Error> {
        let listing = Listing {
            columns: "id, name, created_at",
            from: "accounts",
            filter: Filter::default(),
            place: Key::int("created_at"),
            id: Key::text("id"),
            descending: false,
            page,
        };
        listing.fetch(&mut *self.reader().await?, read_account).await
    }

    /// The clusters of `account`, oldest first, deleted ones included.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`], [`Error::Cursor`].
    pub async fn clusters(&self, account: AccountId, page: &Page) -> Result<Paged<Cluster>, Error> {
        let filter = Filter::of_owner("account_id", account);
        let listing = Listing {
            columns: "id, account_id, name, created_at, deleted_at",
            from: "clusters",
            filter,
            place: Key::int("created_at"),
            id: Key::text("id"),
            descending: false,
            page,
        };
        listing.fetch(&mut *self.reader().await?, read_cluster).await
    }
}

impl Transaction {
    /// Whether there is no account. Nobody else can make one before this transaction ends.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn is_unfounded(&mut self) -> Result<bool, Error> {
        let found = sqlx::query("SELECT 1 AS found FROM accounts LIMIT 1")
            .fetch_optional(self.connection())
            .await?;
        Ok(found.is_none())
    }

    /// Keeps a new account.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Unavailable`].
    pub async fn insert_account(&mut self, account: &Account) -> Result<(), Error> {
        sqlx::query("INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(account.id.to_string())
            .bind(account.name.clone())
            .bind(account.created_at.micros())
            .execute(self.connection())
            .await
            .map_err(Error::writing("account"))?;
        Ok(())
    }

    /// Keeps a new cluster, which is ready.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Missing`] without its account, [`Error::Unavailable`].
    pub async fn insert_cluster(&mut self, cluster: &Cluster) -> Result<(), Error> {
        sqlx::query("INSERT INTO clusters (id, account_id, name, created_at) VALUES ($1, $2, $3, $4)")
            .bind(cluster.id.to_string())
            .bind(cluster.account.to_string())
            .bind(cluster.name.clone())
            .bind(cluster.created_at.micros())
            .execute(self.connection())
            .await
            .map_err(Error::writing("cluster"))?;
        Ok(())
    }
}

pub(crate) async fn find_account(
    connection: &mut Connection,
    id: AccountId,
) -> Result<Option<Account>, Error> {
    let row = sqlx::query("SELECT id, name, created_at FROM accounts WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_account).transpose()
}

pub(crate) async fn find_cluster(
    connection: &mut Connection,
    id: ClusterId,
) -> Result<Option<Cluster>, Error> {
    let row = sqlx::query("SELECT id, account_id, name, created_at, deleted_at FROM clusters WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_cluster).transpose()
}

fn read_account(row: &AnyRow) -> Result<Account, Error> {
    let fields = Fields::new(row, "accounts", "id");
    Ok(Account {
        id: fields.parse("id")?,
        name: fields.text("name")?.to_owned(),
        created_at: fields.time("created_at")?,
    })
}

fn read_cluster(row: &AnyRow) -> Result<Cluster, Error> {
    let fields = Fields::new(row, "clusters", "id");
    Ok(Cluster {
        id: fields.parse("id")?,
        account: fields.parse("account_id")?,
        name: fields.text("name")?.to_owned(),
        state: match fields.opt_time("deleted_at")? {
            None => ClusterState::Ready,
            Some(_) => ClusterState::Deleted,
        },
        created_at: fields.time("created_at")?,
    })
}
