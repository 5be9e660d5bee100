//! What is refused, and that refusing leaves nothing behind.

use rescind_catalog::{ChangeKind, Error, NewTable};
use rescind_domain::{Act, ClusterId, DatabaseState, MaxColumns, SessionKind, TokenState, UserId};

use crate::stage::{NOW, Stage};

fn conflict<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Conflict { what }) => what,
        other => panic!("a conflict was expected, not {other:?}"),
    }
}

fn missing<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Missing { what }) => what,
        other => panic!("something missing was expected, not {other:?}"),
    }
}

pub(crate) async fn no_two_tokens_or_users_are_one(stage: Stage) -> Result<(), Error> {
    let (token, secret) = stage.token("first", &[]);
    stage.create_token(&token, &secret).await;
    let (mut twin, other_secret) = stage.token("second", &[]);
    assert_eq!(
        conflict(stage.begin().await.insert_database_token(&twin, &secret).await),
        "database token"
    );
    twin.id = token.id;
    assert_eq!(
        conflict(
            stage
                .begin()
                .await
                .insert_database_token(&twin, &other_secret)
                .await
        ),
        "database token"
    );

    let ada = stage.create_user("ada@example.com").await;
    let mut act = stage.begin().await;
    assert_eq!(
        conflict(act.insert_user(&stage.user("ADA@example.com")).await),
        "user"
    );
    drop(act);
    let (_, secret) = stage.create_session(ada.id, SessionKind::Browser).await;
    let (other, _) = stage.session(ada.id, SessionKind::Device);
    let mut act = stage.begin().await;
    assert_eq!(conflict(act.insert_session(&other, &secret).await), "session");
    drop(act);
    let (nobodys, secret) = stage.session(UserId::mint(&stage.rng), SessionKind::Device);
    let mut act = stage.begin().await;
    assert_eq!(missing(act.insert_session(&nobodys, &secret).await), "owner");
    Ok(())
}

pub(crate) async fn no_two_databases_or_tables_share_a_name(stage: Stage) -> Result<(), Error> {
    let home = stage.create_database("home").await;
    let mut away = stage.create_database("away").await;
    assert_eq!(
        conflict(
            stage
                .begin()
                .await
                .insert_database(stage.new_database("home"))
                .await
        ),
        "database name"
    );
    away.name = home.name.clone();
    assert_eq!(
        conflict(stage.begin().await.update_database(&away).await),
        "database name"
    );
    away.state = DatabaseState::Deleted { at: NOW };
    let mut act = stage.begin().await;
    act.update_database(&away)
        .await
        .expect("a deleted one may have the name");
    stage.commit(act, Act::DatabaseDelete, away.id, None).await;
    away.state = DatabaseState::Active;
    assert_eq!(
        conflict(stage.begin().await.update_database(&away).await),
        "database name"
    );

    let table = NewTable {
        database: home.id,
        name: "rooms".parse().expect("a name"),
        max_columns: MaxColumns::default(),
        partition_template: None,
    };
    let mut act = stage.begin().await;
    act.insert_table(table.clone()).await.expect("table");
    assert_eq!(conflict(act.insert_table(table).await), "table name");
    Ok(())
}

pub(crate) async fn what_is_dropped_leaves_nothing(stage: Stage) -> Result<(), Error> {
    let (token, secret) = stage.token("kept", &[("read", "*")]);
    stage.create_token(&token, &secret).await;
    let picture = async || {
        let mut grants = stage.database_grants().await;
        grants.sort();
        (
            grants,
            stage.catalog.load_directory().await.expect("loads").entries.len(),
            stage.catalog.revision().await.expect("reads"),
            stage.catalog.verify_audit().await.expect("verifies"),
        )
    };
    let before = picture().await;

    let (lost, lost_secret) = stage.token("lost", &[]);
    let mut act = stage.begin().await;
    act.insert_database_token(&lost, &lost_secret)
        .await
        .expect("token");
    let mut revoked = token.clone();
    revoked.state = TokenState::Revoked { at: NOW };
    act.update_database_token(&revoked).await.expect("revokes");
    let dropped = act
        .insert_database(stage.new_database("lost"))
        .await
        .expect("database");
    drop(act);
    assert_eq!(picture().await, before);

    let mut act = stage.begin().await;
    act.insert_database_token(&lost, &lost_secret)
        .await
        .expect("token");
    act.rollback().await.expect("rolls back");
    assert_eq!(picture().await, before);

    // The failing of the audit event takes the act with it.
    let mut act = stage.begin().await;
    act.insert_database_token(&lost, &lost_secret)
        .await
        .expect("token");
    let mut entry = stage.entry(
        Act::DatabaseTokenCreate,
        lost.id,
        vec![ChangeKind::DatabaseToken(lost.id)],
    );
    entry.account = rescind_domain::AccountId::mint(&stage.rng);
    assert_eq!(missing(act.commit(entry).await), "owner");
    assert_eq!(picture().await, before);

    assert_eq!(
        stage.create_database("kept").await.id,
        dropped.id,
        "nobody saw that id"
    );
    Ok(())
}

pub(crate) async fn what_does_not_exist_cannot_be_changed(stage: Stage) -> Result<(), Error> {
    let (mut token, secret) = stage.token("never kept", &[]);
    assert_eq!(
        missing(stage.begin().await.update_database_token(&token).await),
        "database token"
    );
    token.cluster = ClusterId::mint(&stage.rng);
    assert_eq!(
        missing(stage.begin().await.insert_database_token(&token, &secret).await),
        "owner"
    );
    let (management, _) = stage.management_token("never kept");
    assert_eq!(
        missing(stage.begin().await.update_management_token(&management).await),
        "management token"
    );

    let mut database = stage.create_database("home").await;
    assert_eq!(
        missing(stage.begin().await.purge_database(database.id).await),
        "deleted database"
    );
    database.cluster = token.cluster;
    assert_eq!(
        missing(stage.begin().await.update_database(&database).await),
        "database"
    );
    let user = UserId::mint(&stage.rng);
    assert_eq!(
        missing(stage.begin().await.set_password(user, "hash").await),
        "user"
    );
    let account = stage.account;
    assert_eq!(
        missing(stage.begin().await.delete_user(account, user).await),
        "user"
    );
    let (invitation, _) = crate::invitations::invitation(&stage, "ada@example.com");
    assert_eq!(
        missing(stage.begin().await.update_invitation(&invitation).await),
        "invitation"
    );
    let (request, _) = crate::devices::request(&stage);
    assert_eq!(
        missing(stage.begin().await.update_device_request(&request).await),
        "device request"
    );
    Ok(())
}
