//! Tables and their earlier names.

use std::collections::BTreeMap;

use rescind_catalog::{ChangeKind, Error, NewTable, TableQuery};
use rescind_domain::{Act, DatabaseId, MaxColumns, Table, TableId, TableName, TableState};

use crate::stage::{NOW, Stage};

fn name(text: &str) -> TableName {
    text.parse().expect("a name")
}

async fn create(stage: &Stage, database: DatabaseId, name: TableName) -> Table {
    let mut act = stage.begin().await;
    let new = NewTable {
        database,
        name,
        max_columns: MaxColumns::default(),
        partition_template: None,
    };
    let table = act.insert_table(new).await.expect("table");
    stage
        .commit(
            act,
            Act::TableCreate,
            table.id,
            Some(ChangeKind::Database(database)),
        )
        .await;
    table
}

async fn update(stage: &Stage, table: &Table) {
    let mut act = stage.begin().await;
    act.update_table(table).await.expect("updates");
    stage
        .commit(
            act,
            Act::TableRename,
            table.id,
            Some(ChangeKind::Database(table.database)),
        )
        .await;
}

type Reached = BTreeMap<String, (TableId, bool)>;

/// Every name that reaches a table, with the table and whether the name is its current one.
async fn reached(stage: &Stage, database: DatabaseId) -> Result<Reached, Error> {
    let entry = stage.catalog.directory_entry(database).await?.expect("active");
    let mut reached = BTreeMap::new();
    for (name, view) in entry.view.tables {
        let table = stage.catalog.table_by_name(database, &name).await?;
        assert_eq!(table.expect("as the directory has it").id, view.id);
        reached.insert(name.to_string(), (view.id, view.is_current_name));
    }
    Ok(reached)
}

fn names<const N: usize>(names: [(&str, TableId, bool); N]) -> Reached {
    names
        .map(|(name, id, is_current)| (name.to_owned(), (id, is_current)))
        .into()
}

pub(crate) async fn an_earlier_name_reaches_until_another_takes_it(stage: Stage) -> Result<(), Error> {
    let database = stage.create_database("home").await.id;
    let mut first = create(&stage, database, name("a")).await;
    let id = first.id;
    first.name = name("b");
    update(&stage, &first).await;
    first.name = name("c");
    update(&stage, &first).await;
    let expected = names([("a", id, false), ("b", id, false), ("c", id, true)]);
    assert_eq!(reached(&stage, database).await?, expected);

    let second = create(&stage, database, name("a")).await.id;
    let expected = names([("a", second, true), ("b", id, false), ("c", id, true)]);
    assert_eq!(reached(&stage, database).await?, expected);

    first.name = name("b");
    update(&stage, &first).await;
    let expected = names([("a", second, true), ("b", id, true), ("c", id, false)]);
    assert_eq!(reached(&stage, database).await?, expected);
    Ok(())
}

pub(crate) async fn a_deleted_table_keeps_its_names_until_it_is_purged(stage: Stage) -> Result<(), Error> {
    let (catalog, database) = (&stage.catalog, stage.create_database("home").await.id);
    let mut table = create(&stage, database, name("a")).await;
    let id = table.id;
    table.name = name("b");
    update(&stage, &table).await;
    table.state = TableState::Deleted { at: NOW };
    update(&stage, &table).await;
    assert_eq!(reached(&stage, database).await?, names([]));
    assert_eq!(catalog.table_count(database).await?, 0);
    let deleted = catalog.latest_deleted_table(database, &table.name).await?;
    assert_eq!(deleted.expect("restorable").id, id);

    table.state = TableState::Active;
    update(&stage, &table).await;
    assert_eq!(
        reached(&stage, database).await?,
        names([("a", id, false), ("b", id, true)])
    );
    let listed = catalog.tables(database, &TableQuery::default()).await?.items;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, table.name);

    table.state = TableState::Deleted { at: NOW };
    update(&stage, &table).await;
    assert_eq!(catalog.tables_to_purge(NOW.plus_micros(1)).await?[0].id, id);
    let mut act = stage.begin().await;
    act.purge_table(id).await?;
    stage.commit(act, Act::TablePurge, id, None).await;
    assert!(catalog.table(database, id).await?.is_none());
    assert!(catalog.tables_to_purge(NOW.plus_micros(1)).await?.is_empty());
    assert_eq!(reached(&stage, database).await?, names([]));
    Ok(())
}

pub(crate) async fn names_may_be_very_long(stage: Stage) -> Result<(), Error> {
    let database = stage.create_database("home").await.id;
    let (one, two) = ("€".repeat(20_000), format!("{}x", "€".repeat(20_000)));
    for text in [&one, &two] {
        let name = TableName::written(text).expect("a name");
        let table = create(&stage, database, name.clone()).await;
        let found = stage.catalog.table_by_name(database, &name).await.expect("reads");
        assert_eq!(found.expect("there").id, table.id);
    }
    let entry = stage
        .catalog
        .directory_entry(database)
        .await
        .expect("reads")
        .expect("active");
    assert_eq!(entry.view.tables.len(), 2);
    Ok(())
}
