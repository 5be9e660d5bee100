//! Databases and tables: their names, their life, and what that means for tokens.

use std::time::Duration;

use rescind_authority::{CreateTable, DatabaseQuery, Error};
use rescind_domain::{Action, DatabaseName, TableName};

use crate::house::House;

fn name(text: &str) -> DatabaseName {
    text.parse().expect("a name")
}

fn table(text: &str) -> TableName {
    text.parse().expect("a name")
}

#[tokio::test]
async fn permissions_go_by_name_through_rename_and_re_creation() {
    let house = House::new().await;
    house.database("a").await;
    let token = house.token(&[("write", "a")]).await;
    let view = |database: &str| {
        let admission = house.admit(&token.secret, Action::Write, database).ok()?;
        house
            .authority
            .database_view(admission.permit())
            .map(|view| view.id)
    };
    let first = view("a").expect("opens a");
    let (authority, caller, place) = (&house.authority, &house.caller, house.place);
    authority
        .rename_database(caller, place, name("a"), name("b"))
        .await
        .expect("renamed");
    assert_eq!(view("a"), None, "the old name is gone");
    assert_eq!(view("b"), None, "the token names the old name");
    house.database("a").await;
    let second = view("a").expect("a new database of the old name is opened");
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_deleted_database_comes_back_within_seven_days_only() {
    let house = House::new().await;
    let (authority, caller, place) = (&house.authority, &house.caller, house.place);
    house.database("a").await;
    let token = house.token(&[("read", "a")]).await;
    let admission = house.admit(&token.secret, Action::Read, "a").expect("admitted");
    let id = authority.database_view(admission.permit()).expect("there").id;
    authority
        .delete_database(caller, place, name("a"))
        .await
        .expect("deleted");
    assert!(authority.database_view(admission.permit()).is_none());
    house.clock.advance(Duration::from_secs(6 * 86_400));
    authority
        .undelete_database(caller, place, id)
        .await
        .expect("restored");
    assert_eq!(authority.database_view(admission.permit()).expect("there").id, id);
    let again = authority.undelete_database(caller, place, id).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "it is active");

    authority
        .delete_database(caller, place, name("a"))
        .await
        .expect("deleted");
    assert!(authority.databases_to_purge().await.expect("listed").is_empty());
    house.clock.advance(Duration::from_secs(7 * 86_400 + 1));
    assert!(matches!(
        authority.undelete_database(caller, place, id).await,
        Err(Error::Conflict(_))
    ));
    assert!(authority.databases_to_purge().await.expect("listed").is_empty());
    house.clock.advance(Duration::from_secs(3_600));
    let purgeable = authority.databases_to_purge().await.expect("listed");
    assert_eq!(purgeable.len(), 1);
    for database in purgeable {
        authority.note_database_purged(database).await.expect("noted");
    }
    assert!(authority.databases_to_purge().await.expect("listed").is_empty());
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let house = House::new().await;
    house.database("a").await;
    house.database("b").await;
    let (authority, caller, place) = (&house.authority, &house.caller, house.place);
    let renamed = authority
        .rename_database(caller, place, name("a"), name("b"))
        .await;
    assert_eq!(
        renamed.expect_err("refused").to_string(),
        "a database named b already exists"
    );
    let all = authority
        .databases(caller, place, &DatabaseQuery::default())
        .await
        .expect("listed");
    assert_eq!(all.items.len(), 2);
}

#[tokio::test]
async fn a_renamed_table_is_reached_by_both_names_until_the_old_one_is_reused() {
    let house = House::new().await;
    let (authority, caller, place) = (&house.authority, &house.caller, house.place);
    house.database("d").await;
    let token = house.token(&[("write", "d")]).await;
    let tables = || {
        let admission = house.admit(&token.secret, Action::Write, "d").expect("admitted");
        let view = authority.database_view(admission.permit()).expect("there");
        let mut names: Vec<(String, i64)> = view
            .tables
            .iter()
            .map(|(n, t)| (n.to_string(), t.id.get()))
            .collect();
        names.sort();
        names
    };
    let request = |text: &str| CreateTable {
        name: table(text),
        partition_template: None,
    };
    authority
        .create_table(caller, place, name("d"), request("t"))
        .await
        .expect("made");
    authority
        .rename_table(caller, place, name("d"), table("t"), table("u"))
        .await
        .expect("renamed");
    let [(_, by_old), (_, by_new)] = tables().try_into().expect("two names");
    assert_eq!(by_old, by_new);
    authority
        .create_table(caller, place, name("d"), request("t"))
        .await
        .expect("the old name is free");
    let [(_, first), (_, second)] = tables().try_into().expect("two tables");
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_write_makes_the_tables_it_names_up_to_the_limit() {
    let house = House::new().await;
    let (authority, caller, place) = (&house.authority, &house.caller, house.place);
    house.database("d").await;
    let limit = rescind_authority::UpdateDatabase {
        max_tables: rescind_domain::MaxTables::new(2),
        ..Default::default()
    };
    authority
        .update_database(caller, place, name("d"), limit)
        .await
        .expect("limited");
    let token = house.token(&[("write", "d")]).await;
    let admission = house.admit(&token.secret, Action::Write, "d").expect("admitted");
    let make = |names: &[&str]| {
        authority.create_written_tables(admission.permit(), names.iter().map(|n| table(n)).collect())
    };
    let view = make(&["x", "y"]).await.expect("made");
    assert_eq!(view.tables.len(), 2);
    make(&["x"]).await.expect("already there");
    let full = make(&["z"]).await.expect_err("full");
    assert!(
        full.to_string()
            .starts_with("database d has its maximum of 2 tables"),
        "{full}"
    );
}
