//! Single reads: the same ones from the catalog as it is now, and within a transaction as it will be.

use rescind_domain::{
    Account, AccountId, Cluster, ClusterId, Database, DatabaseId, DatabaseName, DatabaseToken,
    DatabaseTokenId, DeviceRequest, Email, Invitation, InvitationId, LastClient, ManagementToken,
    ManagementTokenId, SecretHash, Session, SessionId, Table, TableId, TableName, User, UserCode, UserId,
};

use crate::{
    Catalog, Error, LoadedGrant, Transaction, accounts, databases, devices, grants, invitations, sessions,
    tables, tokens, usage, users,
};

macro_rules! reads {
    ($via:ident: $($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) -> $out:ty = $find:path;)*) => {
        impl Catalog {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`Error::Unavailable`], [`Error::Corrupt`].
                pub async fn $name(&self, $($argument: $kind),*) -> Result<$out, Error> {
                    $find(&mut *self.$via().await?, $($argument),*).await
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
    reader:
    /// The account with this id.
    account(id: AccountId) -> Option<Account> = accounts::find_account;
    /// The cluster with this id.
    cluster(id: ClusterId) -> Option<Cluster> = accounts::find_cluster;
    /// The user of `account` with this id.
    user(account: AccountId, id: UserId) -> Option<User> = users::find_user;
    /// The user with this id, of whatever account.
    user_by_id(id: UserId) -> Option<User> = users::find_user_by_id;
    /// The user with this address, of whatever account; case does not matter.
    user_by_email(email: &Email) -> Option<User> = users::find_user_by_email;
    /// The hash of the user's password, as [`Transaction::set_password`] kept it; `None` until a password is set.
    password_hash(user: UserId) -> Option<String> = users::find_password_hash;
    /// Whether a password is set for the user.
    has_password(user: UserId) -> bool = users::has_password;
    /// How many administrators of `account` can sign in: they are enabled and have a password.
    enabled_admins(account: AccountId) -> u64 = users::count_enabled_admins;
    /// The session with this id, ended or not.
    session(id: SessionId) -> Option<Session> = sessions::find_session;
    /// The session with this secret, ended or not.
    session_of_secret(secret: &SecretHash) -> Option<Session> = sessions::find_session_of_secret;
    /// The invitation to `account` with this id, whatever its state.
    invitation(account: AccountId, id: InvitationId) -> Option<Invitation> = invitations::find_invitation;
    /// The invitation whose link holds this secret, whatever its state.
    invitation_by_secret(secret: &SecretHash) -> Option<Invitation> = invitations::find_invitation_by_secret;
    /// The device request that shows this code, expired or not.
    device_request_by_code(code: &UserCode) -> Option<DeviceRequest> = devices::find_device_request_by_code;
    /// The device request whose device holds this secret, expired or not.
    device_request_by_secret(secret: &SecretHash) -> Option<DeviceRequest> = devices::find_device_request_by_secret;
    /// The database token of `cluster` with this id, revoked or not.
    database_token(cluster: ClusterId, id: DatabaseTokenId) -> Option<DatabaseToken> = tokens::find_database_token;
    /// The database token with this secret, revoked or not, of whatever cluster.
    database_token_of_secret(secret: &SecretHash) -> Option<DatabaseToken> = tokens::find_database_token_of_secret;
    /// The management token of `account` with this id, revoked or not.
    management_token(account: AccountId, id: ManagementTokenId) -> Option<ManagementToken> = tokens::find_management_token;
    /// The management token with this secret, revoked or not, of whatever account.
    management_token_of_secret(secret: &SecretHash) -> Option<ManagementToken> = tokens::find_management_token_of_secret;
    /// Who used a database token last, as far as flushed to the catalog; `None` if nobody is on record.
    last_client(id: DatabaseTokenId) -> Option<LastClient> = usage::find_last_client;
    /// Who used a management token last, as far as flushed to the catalog; `None` if nobody is on record.
    management_token_last_client(id: ManagementTokenId) -> Option<LastClient> = usage::find_management_token_last_client;
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

reads! {
    feed_reader:
    /// What enforcement must know of a database token; `None` when it is revoked or unknown.
    database_grant(id: DatabaseTokenId) -> Option<LoadedGrant> = grants::find_database_grant;
    /// What enforcement must know of a management token; `None` when it is revoked or unknown.
    management_grant(id: ManagementTokenId) -> Option<LoadedGrant> = grants::find_management_grant;
    /// What enforcement must know of a session; `None` when it has ended, is unknown, or its user is disabled.
    session_grant(id: SessionId) -> Option<LoadedGrant> = grants::find_session_grant;
    /// The sessions of `user` that have not ended, expired ones included, in order.
    sessions_of(user: UserId) -> Vec<SessionId> = sessions::find_sessions_of;
}
