//! Databases: create, list, update, rename, delete, undelete, and what becomes of the deleted.

use std::sync::Arc;

use rescind_catalog::{ChangeKind, DatabaseQuery, Entry, NewDatabase, Paged, Transaction};
use rescind_domain::{
    Act, Actor, Database, DatabaseId, DatabaseLimits, DatabaseName, DatabaseState, DatabaseView, MaxColumns,
    MaxTables, PartitionTemplate, Receipt, RetentionPeriod, Subject, Verb,
};

use crate::waits::Wait;
use crate::{Authority, Caller, Error, Place};

/// What a new database shall be.
#[derive(Debug, Clone)]
pub struct CreateDatabase {
    /// What requests will call it.
    pub name: DatabaseName,
    /// What bounds it.
    pub limits: DatabaseLimits,
    /// How its tables are partitioned unless they say otherwise; never changes.
    pub partition_template: Option<PartitionTemplate>,
}

/// What shall change about a database.
#[derive(Debug, Clone, Copy, Default)]
pub struct UpdateDatabase {
    /// The new table limit, if any.
    pub max_tables: Option<MaxTables>,
    /// The new column limit, if any; existing tables keep theirs.
    pub max_columns: Option<MaxColumns>,
    /// The new retention period, if any.
    pub retention: Option<RetentionPeriod>,
}

const WHAT: &str = "database";

impl Authority {
    /// Makes a database.
    ///
    /// # Errors
    /// [`Error::Conflict`] when an active database has the name, and what every act may return.
    pub async fn create_database(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        request: CreateDatabase,
    ) -> Result<(Database, Receipt), Error> {
        self.check(caller, place, Verb::Create, Subject::Database)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let mut tx = this.begin(standing).await?;
            refuse_taken_name(&mut tx, place, &request.name).await?;
            let new = NewDatabase {
                cluster: place.cluster,
                name: request.name,
                limits: request.limits,
                partition_template: request.partition_template,
            };
            let database = tx.insert_database(new).await?;
            this.finish(tx, actor, Act::DatabaseCreate, database, limits_in_words, wait)
                .await
        })
        .await
    }

    /// One page of a cluster's databases.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn databases(
        &self,
        caller: &Caller,
        place: Place,
        query: &DatabaseQuery,
    ) -> Result<Paged<Database>, Error> {
        self.check(caller, place, Verb::Read, Subject::Database)?;
        Ok(self.catalog.databases(place.cluster, query).await?)
    }

    /// One database, deleted or not.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every read may return.
    pub async fn database(&self, caller: &Caller, place: Place, id: DatabaseId) -> Result<Database, Error> {
        self.check(caller, place, Verb::Read, Subject::Database)?;
        let found = self.catalog.database(place.cluster, id).await?;
        found.ok_or_else(|| Error::not_found(WHAT, id))
    }

    /// Changes a database's limits.
    ///
    /// # Errors
    /// [`Error::Invalid`] when nothing shall change, [`Error::NotFound`], and what every act may return.
    pub async fn update_database(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        name: DatabaseName,
        request: UpdateDatabase,
    ) -> Result<(Database, Receipt), Error> {
        self.check(caller, place, Verb::Update, Subject::Database)?;
        let UpdateDatabase {
            max_tables,
            max_columns,
            retention,
        } = request;
        if max_tables.is_none() && max_columns.is_none() && retention.is_none() {
            let reason = "give maxTables, maxColumnsPerTable, retentionPeriod, or several of them";
            return Err(Error::invalid("body", reason));
        }
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let mut tx = this.begin(standing).await?;
            let mut database = active_database(&mut tx, place, &name).await?;
            let limits = &mut database.limits;
            limits.max_tables = max_tables.unwrap_or(limits.max_tables);
            limits.max_columns = max_columns.unwrap_or(limits.max_columns);
            limits.retention = retention.unwrap_or(limits.retention);
            tx.update_database(&database).await?;
            this.finish(tx, actor, Act::DatabaseUpdate, database, limits_in_words, wait)
                .await
        })
        .await
    }

    /// Renames a database. Tokens keep the old name: they no longer open it (contract, influxctl section 7.4).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when an active database has the new name.
    pub async fn rename_database(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        name: DatabaseName,
        new_name: DatabaseName,
    ) -> Result<(Database, Receipt), Error> {
        self.check(caller, place, Verb::Update, Subject::Database)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let mut tx = this.begin(standing).await?;
            let mut database = active_database(&mut tx, place, &name).await?;
            if new_name != name {
                refuse_taken_name(&mut tx, place, &new_name).await?;
            }
            database.name = new_name;
            tx.update_database(&database).await?;
            let words = move |database: &Database| vec![pair("from", &name), pair("name", &database.name)];
            this.finish(tx, actor, Act::DatabaseRename, database, words, wait)
                .await
        })
        .await
    }

    /// Deletes a database; it can be restored for 7 days. Tokens are not touched.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every act may return.
    pub async fn delete_database(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        name: DatabaseName,
    ) -> Result<Receipt, Error> {
        self.check(caller, place, Verb::Delete, Subject::Database)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let now = this.latest_now().await?;
            let mut tx = this.begin(standing).await?;
            let mut database = active_database(&mut tx, place, &name).await?;
            database.state = DatabaseState::Deleted { at: now };
            tx.update_database(&database).await?;
            Ok(this
                .finish(tx, actor, Act::DatabaseDelete, database, name_in_words, wait)
                .await?
                .1)
        })
        .await
    }

    /// Restores a deleted database with its tables and data.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it is not deleted, when the recovery window has passed, or when an
    /// active database has its name.
    pub async fn undelete_database(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        id: DatabaseId,
    ) -> Result<(Database, Receipt), Error> {
        self.check(caller, place, Verb::Update, Subject::Database)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let now = this.earliest_now().await?;
            let mut tx = this.begin(standing).await?;
            let found = tx.database(place.cluster, id).await?;
            let mut database = found.ok_or_else(|| Error::not_found(WHAT, id))?;
            let Some(at) = database.state.deleted_at() else {
                return Err(Error::Conflict(format!("database {id} is not deleted")));
            };
            DatabaseState::check_recoverable(at, now)
                .map_err(|lapsed| Error::Conflict(lapsed.to_string()))?;
            refuse_taken_name(&mut tx, place, &database.name).await?;
            database.state = DatabaseState::Active;
            tx.update_database(&database).await?;
            this.finish(tx, actor, Act::DatabaseUndelete, database, name_in_words, wait)
                .await
        })
        .await
    }

    /// Every active database, for the engine's housekeeping.
    pub fn database_views(&self) -> Vec<Arc<DatabaseView>> {
        self.directory().all_databases()
    }

    /// Databases whose recovery window has long passed, by more than one clock where there is another: remove their data, then call [`Self::note_database_purged`].
    ///
    /// # Errors
    /// What every read may return.
    pub async fn databases_to_purge(&self) -> Result<Vec<Database>, Error> {
        let before = self
            .earliest_now()
            .await?
            .plus_micros(-DatabaseState::KEPT_MICROS);
        Ok(self.catalog.databases_to_purge(before).await?)
    }

    /// Notes that a deleted database's data is gone from disk. Does nothing when another node was quicker.
    ///
    /// # Errors
    /// What every act may return.
    pub async fn note_database_purged(self: &Arc<Self>, database: Database) -> Result<(), Error> {
        self.act(move |this| async move {
            let wait = Wait::to_the_end();
            let mut tx = this.begin(None).await?;
            match tx.purge_database(database.id).await {
                Err(rescind_catalog::Error::Missing { .. }) => return Ok(()),
                purged => purged?,
            }
            this.finish(
                tx,
                Actor::System,
                Act::DatabasePurge,
                database,
                name_in_words,
                wait,
            )
            .await?;
            Ok(())
        })
        .await
    }

    async fn finish(
        &self,
        tx: Transaction,
        actor: Actor,
        act: Act,
        database: Database,
        words: impl FnOnce(&Database) -> Vec<(String, String)>,
        wait: Wait,
    ) -> Result<(Database, Receipt), Error> {
        let entry = Entry {
            actor,
            account: database.account,
            act,
            subject: database.id.to_string(),
            details: words(&database),
            changes: vec![ChangeKind::Database(database.id)],
        };
        let revision = self.commit(tx, entry).await?;
        Ok((database, self.fence(revision, wait).await?))
    }
}

/// The active database of this name.
pub(crate) async fn active_database(
    tx: &mut Transaction,
    place: Place,
    name: &DatabaseName,
) -> Result<Database, Error> {
    tx.database_by_name(place.cluster, name)
        .await?
        .ok_or_else(|| Error::not_found(WHAT, name))
}

async fn refuse_taken_name(tx: &mut Transaction, place: Place, name: &DatabaseName) -> Result<(), Error> {
    match tx.database_by_name(place.cluster, name).await? {
        Some(_) => Err(Error::Conflict(format!("a database named {name} already exists"))),
        None => Ok(()),
    }
}

pub(crate) fn pair(key: &str, value: impl ToString) -> (String, String) {
    (key.to_owned(), value.to_string())
}

fn name_in_words(database: &Database) -> Vec<(String, String)> {
    vec![pair("name", &database.name)]
}

fn limits_in_words(database: &Database) -> Vec<(String, String)> {
    let DatabaseLimits {
        max_tables,
        max_columns,
        retention,
    } = database.limits;
    vec![
        pair("name", &database.name),
        pair("max_tables", max_tables.get()),
        pair("max_columns_per_table", max_columns.get()),
        pair("retention_period", retention),
    ]
}
