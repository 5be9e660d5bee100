//! What an installation lives through.

use rescind_catalog::{
    AuditPlace, AuditVerdict, Catalog, Change, ChangeKind, DatabaseFilter, DatabaseQuery, Error, Feed,
    FeedPlace, Grant, NewTable,
};
use rescind_domain::{
    Act, Database, DatabaseState, Email, MaxColumns, PartitionTemplate, Revision, Role, Table, TemplatePart,
    TokenState, UserState,
};

use crate::stage::{NOW, Stage, permissions_of};

pub(crate) async fn a_token_lives_and_dies(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let (mut token, secret) = stage.token("Küche", &[("write", "home"), ("read", "*")]);
    let created = stage.create_token(&token, &secret).await;
    assert_eq!(created.revision, Some(Revision::new(1)));

    let [loaded] = &stage.grants().await[..] else {
        panic!("one grant")
    };
    assert_eq!(loaded.secret, secret);
    let Grant::Database(grant) = &loaded.grant else {
        panic!("of a database token")
    };
    assert_eq!((grant.token, grant.cluster), (token.id, stage.cluster));
    assert_eq!(*grant.permissions, token.permissions);

    token.permissions = permissions_of(&[("read", "home")]);
    token.description = "Kitchen".parse().expect("valid");
    let mut act = stage.begin().await;
    act.update_database_token(&token).await?;
    let seen = act.database_token(stage.cluster, token.id).await?;
    assert_eq!(seen.expect("there").permissions, token.permissions);
    let before = catalog.database_token(stage.cluster, token.id).await?;
    assert_eq!(
        before.expect("there").description.as_str(),
        "Küche",
        "not committed yet"
    );
    let change = Some(ChangeKind::DatabaseToken(token.id));
    stage
        .commit(act, Act::DatabaseTokenUpdate, token.id, change)
        .await;
    let loaded = catalog.database_grant(token.id).await?.expect("there");
    assert!(matches!(loaded.grant, Grant::Database(grant) if *grant.permissions == token.permissions));

    token.state = token.state.revoke(NOW).expect("first");
    let mut act = stage.begin().await;
    act.update_database_token(&token).await?;
    let revoked = stage
        .commit(act, Act::DatabaseTokenRevoke, token.id, change)
        .await;
    assert_eq!(
        (revoked.revision, revoked.current),
        (Some(Revision::new(3)), Revision::new(3))
    );
    assert!(stage.grants().await.is_empty());
    assert!(catalog.database_grant(token.id).await?.is_none());
    let kept = catalog.database_token_of_secret(&secret).await?.expect("kept");
    assert_eq!((kept.id, kept.state), (token.id, TokenState::Revoked { at: NOW }));
    assert_eq!(kept.description.as_str(), "Kitchen");

    let change = |revision| Change {
        revision: Revision::new(revision),
        what: ChangeKind::DatabaseToken(token.id),
        is_gone: true,
    };
    let AuditVerdict::Intact { events: 5, head } = catalog.verify_audit().await? else {
        panic!("three acts after two")
    };
    assert_eq!(
        catalog.changes_after(Revision::new(1), 100).await?,
        Feed::Changes {
            changes: vec![change(2), change(3)],
            through: FeedPlace {
                audit: AuditPlace { sequence: 5, head },
                ..Revision::new(3).into()
            },
            more: false
        }
    );
    Ok(())
}

pub(crate) async fn everything_survives_a_restart(stage: Stage) -> Result<(), Error> {
    let (token, secret) = stage.token("kept", &[("read", "home")]);
    stage.create_token(&token, &secret).await;
    let (management, management_secret) = stage.management_token("kept, too");
    let mut act = stage.begin().await;
    act.insert_management_token(&management, &management_secret)
        .await?;
    let change = Some(ChangeKind::ManagementToken(management.id));
    stage
        .commit(act, Act::ManagementTokenCreate, management.id, change)
        .await;
    let database = stage.create_database("home").await;
    let before = stage.catalog.verify_audit().await?;
    stage.catalog.close().await;

    let catalog = Catalog::open(&stage.location).await?;
    assert!(!catalog.is_empty().await?);
    assert_eq!(catalog.revision().await?, Revision::new(3));
    let mut secrets = Vec::new();
    catalog
        .load_grants(Revision::new(0), &mut |loaded| secrets.push(loaded.secret))
        .await?;
    assert_eq!(secrets, [secret, management_secret]);
    let found = catalog.management_token_of_secret(&management_secret).await?;
    assert_eq!(found.expect("kept").description.as_str(), "kept, too");
    let directory = catalog.load_directory().await?;
    assert_eq!(directory.revision, Revision::new(3));
    assert_eq!(directory.entries[0].view.id, database.id);
    let after = catalog.verify_audit().await?;
    assert!(matches!(after, AuditVerdict::Intact { events: 5, .. }));
    assert_eq!(before, after);
    catalog.close().await;
    Ok(())
}

async fn set_state(stage: &Stage, database: &mut Database, state: DatabaseState) -> Result<(), Error> {
    database.state = state;
    let mut act = stage.begin().await;
    act.update_database(database).await?;
    let change = Some(ChangeKind::Database(database.id));
    stage.commit(act, Act::DatabaseUpdate, database.id, change).await;
    Ok(())
}

/// A database with a table.
async fn create(stage: &Stage) -> Result<(Database, Table), Error> {
    let catalog = &stage.catalog;
    let mut new = stage.new_database("home");
    let parts = vec![
        TemplatePart::Tag("room".to_owned()),
        TemplatePart::Time("%Y-%m".to_owned()),
    ];
    new.partition_template = Some(PartitionTemplate::new(parts).expect("a template"));
    let mut act = stage.begin().await;
    let database = act.insert_database(new.clone()).await?;
    let table = NewTable {
        database: database.id,
        name: "rooms".parse().expect("a name"),
        max_columns: MaxColumns::default(),
        partition_template: None,
    };
    let table = act.insert_table(table).await?;
    let change = Some(ChangeKind::Database(database.id));
    stage.commit(act, Act::DatabaseCreate, database.id, change).await;
    let found = catalog.database_by_name(stage.cluster, &database.name).await?;
    assert_eq!(found.expect("there").partition_template, new.partition_template);
    Ok((database, table))
}

pub(crate) async fn a_deleted_database_is_restored(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let (mut database, table) = create(&stage).await?;
    set_state(&stage, &mut database, DatabaseState::Deleted { at: NOW }).await?;
    assert!(catalog.directory_entry(database.id).await?.is_none());
    assert!(
        catalog
            .database_by_name(stage.cluster, &database.name)
            .await?
            .is_none()
    );
    let deleted = catalog
        .latest_deleted_database(stage.cluster, &database.name)
        .await?;
    assert_eq!(deleted.expect("restorable").id, database.id);
    assert!(catalog.databases_to_purge(NOW).await?.is_empty());

    set_state(&stage, &mut database, DatabaseState::Active).await?;
    let entry = catalog.directory_entry(database.id).await?.expect("restored");
    assert_eq!(entry.view.tables[&table.name].id, table.id);
    Ok(())
}

pub(crate) async fn a_purged_database_is_gone(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let (mut database, table) = create(&stage).await?;
    set_state(&stage, &mut database, DatabaseState::Deleted { at: NOW }).await?;
    let due = catalog.databases_to_purge(NOW.plus_micros(1)).await?;
    assert_eq!(due[0].id, database.id);
    let mut act = stage.begin().await;
    act.purge_database(database.id).await?;
    stage.commit(act, Act::DatabasePurge, database.id, None).await;
    assert!(catalog.databases_to_purge(NOW.plus_micros(1)).await?.is_empty());
    assert!(catalog.tables_to_purge(NOW.plus_micros(1)).await?.is_empty());
    assert!(catalog.database(stage.cluster, database.id).await?.is_none());
    assert!(catalog.table(database.id, table.id).await?.is_none());
    let all = DatabaseQuery {
        filter: DatabaseFilter::All,
        ..DatabaseQuery::default()
    };
    assert!(catalog.databases(stage.cluster, &all).await?.items.is_empty());
    assert_ne!(
        stage.create_database("home").await.id,
        database.id,
        "ids are never used again"
    );
    Ok(())
}

pub(crate) async fn users_sign_in_by_address(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let mut user = stage.user("Ada@Example.com");
    let mut act = stage.begin().await;
    act.insert_user(&user).await?;
    assert_eq!(act.password_hash(user.id).await?, None);
    act.set_password(user.id, "$argon2id$hash").await?;
    let change = Some(ChangeKind::User(user.id));
    stage.commit(act, Act::UserCreate, user.id, change).await;

    let other_case: Email = "aDA@example.COM".parse().expect("an address");
    let found = catalog.user_by_email(&other_case).await?.expect("found");
    assert_eq!(
        (found.id, found.email.as_str(), found.role),
        (user.id, "Ada@Example.com", Role::Admin)
    );
    let hash = catalog.password_hash(user.id).await?;
    assert_eq!(hash.as_deref(), Some("$argon2id$hash"));

    user.state = UserState::Disabled { at: NOW };
    user.role = Role::Auditor;
    let mut act = stage.begin().await;
    act.update_user(&user).await?;
    stage.commit(act, Act::UserDisable, user.id, change).await;
    let found = catalog.user(stage.account, user.id).await?.expect("found");
    assert_eq!((found.state, found.role), (user.state, Role::Auditor));
    let page = catalog
        .users(stage.account, &rescind_catalog::Page::default())
        .await?;
    assert_eq!(page.items.len(), 1);
    Ok(())
}
