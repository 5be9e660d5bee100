//! Single reads: the same ones from the catalog as it is now, and within a transaction as it will be.

use rescind_domain::{
    Account, AccountId, Cluster, ClusterId, Database, DatabaseId, DatabaseName, DatabaseToken,
    DatabaseTokenId, Email, ManagementToken, ManagementTokenId, SecretHash, Table, TableId, TableName, User,
    UserId,
};

use crate::{Catalog, Error, LoadedGrant, Transaction, accounts, databases, grants, tables, tokens, users};

macro_rules! reads {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) -> $out:ty = $find:path;)*) => {
        impl Catalog {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`Error::Unavailable`], [`Error::Corrupt`].
                pub async fn $name(&self, $($argument: $kind),*) -> Result<$out, Error> {
                    $find(&mut *self.reader().await?, $($argument),*).await
                }
            )*
        }

        impl Transaction {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`Error::Unavailable`], [`Error::Corrupt`].
                pub async fn $name(&mut self, $($argument: $kind),*) -> Result<$out, Error> {
                    $find(self.connection(), $($argument),*).await
                }
            )*
        }
    };
}

reads! {
    /// The account with this id.
    account(id: AccountId) -> Option<Account> = accounts::find_account;
    /// The cluster with this id.
    cluster(id: ClusterId) -> Option<Cluster> = accounts::find_cluster;
    /// The user of `account` with this id.
    user(account: AccountId, id: UserId) -> Option<User> = users::find_user;
    /// The user with this address, of whatever account; case does not matter.
    user_by_email(email: &Email) -> Option<User> = users::find_user_by_email;
    /// The hash of the user's password, as [`Transaction::set_password`] kept it; `None` until a password is set.
    password_hash(user: UserId) -> Option<String> = users::find_password_hash;
    /// The database token of `cluster` with this id, revoked or not.
    database_token(cluster: ClusterId, id: DatabaseTokenId) -> Option<DatabaseToken> = tokens::find_database_token;
    /// The database token with this secret, revoked or not, of whatever cluster.
    database_token_of_secret(secret: &SecretHash) -> Option<DatabaseToken> = tokens::find_database_token_of_secret;
    /// The management token of `account` with this id, revoked or not.
    management_token(account: AccountId, id: ManagementTokenId) -> Option<ManagementToken> = tokens::find_management_token;
    /// The management token with this secret, revoked or not, of whatever account.
    management_token_of_secret(secret: &SecretHash) -> Option<ManagementToken> = tokens::find_management_token_of_secret;
    /// What enforcement must know of a database token; `None` when it is revoked or unknown.
    database_grant(id: DatabaseTokenId) -> Option<LoadedGrant> = grants::find_database_grant;
    /// What enforcement must know of a management token; `None` when it is revoked or unknown.
    management_grant(id: ManagementTokenId) -> Option<LoadedGrant> = grants::find_management_grant;
    /// The database of `cluster` with this id, deleted or not, but not purged.
    database(cluster: ClusterId, id: DatabaseId) -> Option<Database> = databases::find_database;
    /// The active database of `cluster` with this name.
    database_by_name(cluster: ClusterId, name: &DatabaseName) -> Option<Database> = databases::find_database_by_name;
    /// The deleted database of `cluster` that had this name last and is not purged.
    latest_deleted_database(cluster: ClusterId, name: &DatabaseName) -> Option<Database> = databases::find_latest_deleted_database;
    /// The table of `database` with this id, deleted or not, but not purged.
    table(database: DatabaseId, id: TableId) -> Option<Table> = tables::find_table;
    /// The active table of `database` that this name reaches, be it an earlier name; the table says its current one.
    table_by_name(database: DatabaseId, name: &TableName) -> Option<Table> = tables::find_table_by_name;
    /// The deleted table of `database` that had this name last and is not purged.
    latest_deleted_table(database: DatabaseId, name: &TableName) -> Option<Table> = tables::find_latest_deleted_table;
    /// How many active tables `database` has.
    table_count(database: DatabaseId) -> u64 = tables::count_tables;
}
