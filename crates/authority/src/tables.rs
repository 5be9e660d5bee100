//! Tables: made by an administrator or by the first write; renamed, deleted, undeleted.

use std::sync::Arc;

use rescind_catalog::{ChangeKind, Entry, NewTable, Paged, TableQuery, Transaction};
use rescind_domain::{
    Act, Actor, Database, DatabaseId, DatabaseName, DatabaseState, DatabaseView, PartitionTemplate, Permit,
    Receipt, Subject, Table, TableId, TableName, TableState, Verb,
};

use crate::callers::Standing;
use crate::databases::{active_database, pair};
use crate::grants::TokenRef;
use crate::waits::Wait;
use crate::{Authority, Caller, Error, Place};

/// What a new table shall be.
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// What requests will call it.
    pub name: TableName,
    /// How it is partitioned; as its database says when absent.
    pub partition_template: Option<PartitionTemplate>,
}

/// A table with the database that holds it, as the faces show it.
#[derive(Debug, Clone)]
pub struct TableOf {
    /// The table.
    pub table: Table,
    /// Its database.
    pub database: Database,
}

const WHAT: &str = "table";

impl Authority {
    /// Makes a table.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the database, [`Error::Conflict`] when an active table has the name or the database is
    /// full.
    pub async fn create_table(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        database: DatabaseName,
        request: CreateTable,
    ) -> Result<(TableOf, Receipt), Error> {
        self.check(caller, place, Verb::Create, Subject::Table)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let mut tx = this.begin(standing).await?;
            let database = active_database(&mut tx, place, &database).await?;
            refuse_taken_name(&mut tx, &database, &request.name).await?;
            refuse_full_database(&mut tx, &database).await?;
            let table = Self::insert_table(&mut tx, &database, request).await?;
            let details = vec![pair("database", &database.name), pair("name", &table.name)];
            let entry = entry(actor, Act::TableCreate, &database, &table, details);
            let receipt = this.finish_table(tx, entry, wait).await?;
            Ok((TableOf { table, database }, receipt))
        })
        .await
    }

    /// Makes the tables that an admitted write names and that do not exist; returns the database with them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the database is gone meanwhile, [`Error::Conflict`] when it is full.
    pub async fn create_written_tables(
        self: &Arc<Self>,
        permit: &Permit,
        names: Vec<TableName>,
    ) -> Result<Arc<DatabaseView>, Error> {
        let actor = Actor::DatabaseToken(permit.token());
        let standing = Some(Standing {
            token: TokenRef::Database(permit.token()),
            role: None,
        });
        let gone = || Error::not_found("database", permit.database());
        let view = self.database_view(permit).ok_or_else(gone)?;
        let cluster = permit.cluster();
        self.act(move |this| async move {
            let wait = Wait::to_the_end();
            let mut tx = this.begin(standing).await?;
            let database = tx
                .database(cluster, view.id)
                .await?
                .filter(|d| d.state == DatabaseState::Active);
            let database = database.ok_or_else(|| Error::not_found("database", &view.name))?;
            let mut entries = Vec::new();
            for name in names {
                if tx.table_by_name(database.id, &name).await?.is_some() {
                    continue;
                }
                refuse_full_database(&mut tx, &database).await?;
                let request = CreateTable {
                    name,
                    partition_template: None,
                };
                let table = Self::insert_table(&mut tx, &database, request).await?;
                let details = vec![pair("database", &database.name), pair("name", &table.name)];
                entries.push(entry(actor, Act::TableCreate, &database, &table, details));
            }
            let revision = if entries.is_empty() {
                tx.rollback().await?;
                this.catalog.revision().await?
            } else {
                this.commit_all(tx, entries).await?
            };
            this.fence(revision, wait).await?;
            let current = this.directory().database(database.cluster, &database.name);
            current.ok_or_else(|| Error::not_found("database", &database.name))
        })
        .await
    }

    /// One page of a database's tables.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the database, and what every read may return.
    pub async fn tables(
        &self,
        caller: &Caller,
        place: Place,
        database: &DatabaseName,
        query: &TableQuery,
    ) -> Result<Paged<Table>, Error> {
        self.check(caller, place, Verb::Read, Subject::Table)?;
        let found = self.catalog.database_by_name(place.cluster, database).await?;
        let database = found.ok_or_else(|| Error::not_found("database", database))?;
        Ok(self.catalog.tables(database.id, query).await?)
    }

    /// One table, deleted or not, and its database.
    ///
    /// # Errors
    /// [`Error::NotFound`] for either, and what every read may return.
    pub async fn table(
        &self,
        caller: &Caller,
        place: Place,
        database: DatabaseId,
        id: TableId,
    ) -> Result<TableOf, Error> {
        self.check(caller, place, Verb::Read, Subject::Table)?;
        let found = self.catalog.database(place.cluster, database).await?;
        let database = found.ok_or_else(|| Error::not_found("database", database))?;
        let table = self.catalog.table(database.id, id).await?;
        let table = table.ok_or_else(|| Error::not_found(WHAT, id))?;
        Ok(TableOf { table, database })
    }

    /// Renames a table. The old name still reaches it (contract, management-api section 5.3).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when an active table has the new name.
    pub async fn rename_table(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        database: DatabaseName,
        name: TableName,
        new_name: TableName,
    ) -> Result<(TableOf, Receipt), Error> {
        self.check(caller, place, Verb::Update, Subject::Table)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let mut tx = this.begin(standing).await?;
            let database = active_database(&mut tx, place, &database).await?;
            let mut table = active_table(&mut tx, &database, &name).await?;
            if table.name != new_name {
                refuse_taken_name(&mut tx, &database, &new_name).await?;
                table.name = new_name;
                tx.update_table(&table).await?;
            }
            let details = vec![
                pair("database", &database.name),
                pair("from", &name),
                pair("name", &table.name),
            ];
            let entry = entry(actor, Act::TableRename, &database, &table, details);
            let receipt = this.finish_table(tx, entry, wait).await?;
            Ok((TableOf { table, database }, receipt))
        })
        .await
    }

    /// Deletes a table; it can be restored for 7 days.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every act may return.
    pub async fn delete_table(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        database: DatabaseName,
        name: TableName,
    ) -> Result<Receipt, Error> {
        self.check(caller, place, Verb::Delete, Subject::Table)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let now = this.latest_now().await?;
            let mut tx = this.begin(standing).await?;
            let database = active_database(&mut tx, place, &database).await?;
            let mut table = active_table(&mut tx, &database, &name).await?;
            table.state = TableState::Deleted { at: now };
            tx.update_table(&table).await?;
            let details = vec![pair("database", &database.name), pair("name", &table.name)];
            let entry = entry(actor, Act::TableDelete, &database, &table, details);
            this.finish_table(tx, entry, wait).await
        })
        .await
    }

    /// Restores a deleted table with its data.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it is not deleted, when the recovery window has passed, or when an
    /// active table has its name.
    pub async fn undelete_table(
        self: &Arc<Self>,
        caller: &Caller,
        place: Place,
        database: DatabaseName,
        id: TableId,
    ) -> Result<(TableOf, Receipt), Error> {
        self.check(caller, place, Verb::Update, Subject::Table)?;
        let (actor, standing, wait) = (caller.actor(), caller.standing(), caller.wait());
        self.act(move |this| async move {
            let now = this.earliest_now().await?;
            let mut tx = this.begin(standing).await?;
            let database = active_database(&mut tx, place, &database).await?;
            let found = tx.table(database.id, id).await?;
            let mut table = found.ok_or_else(|| Error::not_found(WHAT, id))?;
            let Some(at) = table.state.deleted_at() else {
                return Err(Error::Conflict(format!("table {id} is not deleted")));
            };
            DatabaseState::check_recoverable(at, now)
                .map_err(|lapsed| Error::Conflict(lapsed.to_string()))?;
            refuse_taken_name(&mut tx, &database, &table.name).await?;
            table.state = TableState::Active;
            tx.update_table(&table).await?;
            let details = vec![pair("database", &database.name), pair("name", &table.name)];
            let entry = entry(actor, Act::TableUndelete, &database, &table, details);
            let receipt = this.finish_table(tx, entry, wait).await?;
            Ok((TableOf { table, database }, receipt))
        })
        .await
    }

    /// Tables whose recovery window has long passed, as in [`Self::databases_to_purge`]: remove their data, then call [`Self::note_table_purged`].
    ///
    /// # Errors
    /// What every read may return.
    pub async fn tables_to_purge(&self) -> Result<Vec<TableOf>, Error> {
        let before = self
            .earliest_now()
            .await?
            .plus_micros(-DatabaseState::KEPT_MICROS);
        let mut purgeable = Vec::new();
        for table in self.catalog.tables_to_purge(before).await? {
            // Tables of a deleted database go with it.
            let Some(cluster) = self.directory().cluster_of(table.database) else {
                continue;
            };
            if let Some(database) = self.catalog.database(cluster, table.database).await? {
                purgeable.push(TableOf { table, database });
            }
        }
        Ok(purgeable)
    }

    /// Those of `tables` whose data is to be gone from every disk: another node may have purged them.
    ///
    /// # Errors
    /// What every read may return.
    pub async fn purged_tables(&self, tables: &[TableId]) -> Result<Vec<TableId>, Error> {
        Ok(self.catalog.purged_tables(tables).await?)
    }

    /// Notes that a deleted table's data is gone from disk. Does nothing when another node was quicker.
    ///
    /// # Errors
    /// What every act may return.
    pub async fn note_table_purged(
        self: &Arc<Self>,
        TableOf { table, database }: TableOf,
    ) -> Result<(), Error> {
        self.act(move |this| async move {
            let mut tx = this.begin(None).await?;
            match tx.purge_table(table.id).await {
                Err(rescind_catalog::Error::Missing { .. }) => return Ok(()),
                purged => purged?,
            }
            let details = vec![pair("database", &database.name), pair("name", &table.name)];
            let entry = entry(Actor::System, Act::TablePurge, &database, &table, details);
            this.finish_table(tx, entry, Wait::to_the_end()).await?;
            Ok(())
        })
        .await
    }

    async fn insert_table(
        tx: &mut Transaction,
        database: &Database,
        request: CreateTable,
    ) -> Result<Table, Error> {
        let new = NewTable {
            database: database.id,
            name: request.name,
            max_columns: database.limits.max_columns,
            partition_template: request.partition_template,
        };
        Ok(tx.insert_table(new).await?)
    }

    async fn finish_table(&self, tx: Transaction, entry: Entry, wait: Wait) -> Result<Receipt, Error> {
        let revision = self.commit(tx, entry).await?;
        self.fence(revision, wait).await
    }
}

fn entry(
    actor: Actor,
    act: Act,
    database: &Database,
    table: &Table,
    details: Vec<(String, String)>,
) -> Entry {
    Entry {
        actor,
        account: database.account,
        act,
        subject: table.id.to_string(),
        details,
        changes: vec![ChangeKind::Database(database.id)],
    }
}

async fn active_table(tx: &mut Transaction, database: &Database, name: &TableName) -> Result<Table, Error> {
    tx.table_by_name(database.id, name)
        .await?
        .ok_or_else(|| Error::not_found(WHAT, name))
}

/// A name that a table had before a rename may be taken: the alias yields.
async fn refuse_taken_name(tx: &mut Transaction, database: &Database, name: &TableName) -> Result<(), Error> {
    match tx.table_by_name(database.id, name).await? {
        Some(table) if table.name == *name => Err(Error::Conflict(format!(
            "a table named {name} already exists in database {}",
            database.name
        ))),
        _ => Ok(()),
    }
}

async fn refuse_full_database(tx: &mut Transaction, database: &Database) -> Result<(), Error> {
    let max = u64::try_from(database.limits.max_tables.get()).unwrap_or(u64::MAX);
    if tx.table_count(database.id).await? >= max {
        let reason = format!(
            "database {} has its maximum of {max} tables; raise max tables or use fewer",
            database.name
        );
        return Err(Error::Conflict(reason));
    }
    Ok(())
}
