//! What someone or something else did to the stored data.

use rescind_catalog::{Catalog, Error, Location, TokenQuery};
use rescind_domain::Revision;
use rescind_testkit::FrozenClock;

use crate::stage::{NOW, Stage};

pub(crate) async fn a_newer_schema_is_refused(stage: Stage) -> Result<(), Error> {
    stage.catalog.close().await;
    stage
        .tamper("INSERT INTO schema_versions (version) VALUES (99)")
        .await
        .expect("inserts");
    let refused = Catalog::open(&stage.location).await.expect_err("refused");
    let Error::NewerSchema { found: 99, known } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        refused.to_string(),
        format!(
            "the catalog has schema version 99, and this version of rescind knows versions up to {known}: \
             use a newer rescind"
        )
    );
    Ok(())
}

pub(crate) async fn damaged_values_are_named(stage: Stage) -> Result<(), Error> {
    let (token, secret) = stage.token("t", &[("read", "home")]);
    stage.create_token(&token, &secret).await;
    stage.create_database("home").await;
    let tokens = async || {
        let page = stage
            .catalog
            .database_tokens(stage.cluster, None, &TokenQuery::all(NOW))
            .await;
        page.map(|_| ())
    };
    let grants = async || {
        let take = &mut |_| {};
        let loaded = stage.catalog.load_grants(Revision::new(0), take);
        loaded.await.map(|_| ())
    };
    let directory = async || stage.catalog.load_directory().await.map(|_| ());
    tokens().await.expect("sound");
    grants().await.expect("sound");
    directory().await.expect("sound");

    let named = |result: Result<(), Error>| match result {
        Err(Error::Corrupt {
            table, column, row, ..
        }) => (table, column, row),
        other => panic!("damage was expected to be found, not {other:?}"),
    };
    let id = token.id.to_string();
    for (column, value) in [
        ("created_by", "'nobody'"),
        ("permissions", "'[[\"fly\",\"home\"]]'"),
        ("permissions", "'{'"),
    ] {
        let statement = format!("UPDATE database_tokens SET {column} = {value}");
        stage.tamper(&statement).await.expect("updates");
        assert_eq!(named(tokens().await), ("database_tokens", column, id.clone()));
        if column == "permissions" {
            assert_eq!(named(grants().await), ("database_tokens", column, id.clone()));
        }
        stage
            .tamper("UPDATE database_tokens SET created_by = 'system'")
            .await
            .expect("updates");
    }
    for (column, value) in [
        ("name", "'a b'"),
        ("max_tables", "100001"),
        ("max_columns", "1001"),
    ] {
        let statement = format!(
            "UPDATE databases SET name = 'a', max_tables = 1, max_columns = 1; UPDATE databases SET {column} = {value}"
        );
        stage.tamper(&statement).await.expect("updates");
        assert_eq!(named(directory().await), ("databases", column, "1".to_owned()));
    }
    stage
        .tamper("UPDATE ledger SET audit_head = replace(audit_head, substr(audit_head, 1, 1), 'z')")
        .await
        .expect("updates");
    assert_eq!(
        named(stage.catalog.begin(&FrozenClock::at(NOW)).await.map(|_| ())),
        ("ledger", "audit_head", "1".to_owned())
    );
    assert_eq!(
        named(stage.catalog.verify_audit().await.map(|_| ())),
        ("ledger", "audit_head", "1".to_owned())
    );
    Ok(())
}

pub(crate) async fn the_schema_refuses_nonsense(stage: Stage) -> Result<(), Error> {
    let (token, secret) = stage.token("t", &[]);
    stage.create_token(&token, &secret).await;
    stage.create_database("home").await;
    for statement in [
        "INSERT INTO ledger SELECT 2, 0, 0, 0, audit_head, 0, 0, 0 FROM ledger",
        "UPDATE ledger SET revision = -1",
        "UPDATE database_tokens SET id = 'short'",
        "UPDATE database_tokens SET description = NULL",
        "UPDATE database_tokens SET created_at = 'yesterday'",
        "UPDATE database_tokens SET cluster_id = '00000000-0000-4000-8000-000000000000'",
        "UPDATE databases SET purged_at = 1",
        "UPDATE databases SET retention_nanos = -1",
        "INSERT INTO changes VALUES (1, 'weather', 'x')",
        "INSERT INTO token_usage VALUES ('t', 1, 'home', 'fly', 1)",
        "INSERT INTO token_usage VALUES ('t', 1, 'home', 'read', 0)",
        "DELETE FROM clusters",
    ] {
        stage.tamper(statement).await.expect_err(statement);
    }
    if let Location::Sqlite(path) = &stage.location {
        use std::os::unix::fs::PermissionsExt;
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("{}{suffix}", path.display());
            let mode = std::fs::metadata(&file)
                .expect("there while open")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
    Ok(())
}

/// At once: a pool would try again for ten seconds.
pub(crate) async fn a_file_that_is_no_database_is_named_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("catalog.sqlite");
    let location = Location::Sqlite(path.clone());
    let refused = async || {
        let refused = Catalog::open(&location).await.expect_err("refused");
        assert!(
            matches!(&refused, Error::NotADatabase { path: named, .. } if *named == path),
            "{refused:?}"
        );
    };
    std::fs::write(&path, "Dear diary, ".repeat(1_000)).expect("written");
    refused().await;
    std::fs::remove_file(&path).expect("removed");
    Catalog::open(&location).await.expect("a new one").close().await;
    let mut bytes = std::fs::read(&path).expect("readable");
    // Behind the header of the first page (SQLite, "Database File Format", section 1.6).
    bytes[100..4_096].fill(0xff);
    std::fs::write(&path, bytes).expect("written");
    refused().await;
}
