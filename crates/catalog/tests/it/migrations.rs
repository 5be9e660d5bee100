//! Catalogs that earlier versions left behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rescind_catalog::{
    AuditPlace, AuditVerdict, Catalog, Change, ChangeKind, Error, Feed, FeedPlace, Grant, Location,
    ServerFault, TokenQuery,
};
use rescind_domain::{
    Act, Actor, AuditEvent, AuditHash, DatabaseTokenId, NodeId, Revision, Role, SecretHash, SessionKind,
    UserId,
};

use crate::stage::{NOW, Stage};

/// What earlier versions were released with.
const VERSIONS: [&str; 3] = [
    include_str!("../../migrations/0001_foundation.sql"),
    include_str!("../../migrations/0002_people.sql"),
    include_str!("../../migrations/0003_nodes.sql"),
];

struct Held {
    token: DatabaseTokenId,
    user: UserId,
    head: AuditHash,
}

/// Puts an empty catalog of this version in the place of the stage's. Returns how bytes are written.
async fn put(stage: &Stage, version: usize) -> Result<String, sqlx::Error> {
    stage.catalog.close().await;
    let (words, bytes) = match &stage.location {
        Location::Sqlite(path) => {
            std::fs::write(path, b"").expect("emptied");
            (
                ["INTEGER", "TEXT", "BLOB", "STRICT"],
                format!("x'{}'", "07".repeat(64)),
            )
        }
        Location::Postgres(_) => {
            stage
                .tamper("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                .await?;
            (
                ["BIGINT", "TEXT COLLATE \"C\"", "BYTEA", ""],
                format!("'\\x{}'", "07".repeat(64)),
            )
        }
    };
    let marks = ["{integer}", "{text}", "{bytes}", "{strict}"];
    let mut schema =
        "CREATE TABLE schema_versions (version {integer} NOT NULL PRIMARY KEY) {strict};".to_owned();
    for (number, text) in (1..).zip(&VERSIONS[..version]) {
        schema.push_str(&format!("{text} INSERT INTO schema_versions VALUES ({number});"));
    }
    let schema = marks
        .into_iter()
        .zip(words)
        .fold(schema, |schema, (mark, word)| schema.replace(mark, word));
    stage.tamper(&schema).await?;
    Ok(bytes)
}

/// Puts a catalog of version 1 that holds something in the place of the stage's.
async fn put_version_1(stage: &Stage) -> Result<Held, sqlx::Error> {
    let bytes = put(stage, 1).await?;
    let held = Held {
        token: DatabaseTokenId::mint(&stage.rng),
        user: UserId::mint(&stage.rng),
        head: AuditHash::GENESIS.then(&event(stage)),
    };
    fill(stage, &held, &bytes).await?;
    Ok(held)
}

fn event(stage: &Stage) -> AuditEvent {
    AuditEvent {
        sequence: 1,
        at: NOW,
        revision: None,
        actor: Actor::System,
        account: stage.account,
        act: Act::AccountCreate,
        subject: stage.account.to_string(),
        details: vec![],
    }
}

async fn fill(stage: &Stage, held: &Held, bytes: &str) -> Result<(), sqlx::Error> {
    let Held { token, user, head } = held;
    let (account, cluster, now) = (stage.account, stage.cluster, NOW.micros());
    let statements = format!(
        "INSERT INTO accounts VALUES ('{account}', 'home', {now});
         INSERT INTO clusters VALUES ('{cluster}', '{account}', 'one', {now}, NULL);
         INSERT INTO databases VALUES (1, '{cluster}', 'home', 500, 250, 0, NULL, {now}, NULL, NULL);
         INSERT INTO tables VALUES (1, 1, 'rooms', 'rooms', 250, NULL, {now}, NULL, NULL);
         INSERT INTO database_tokens VALUES ('{token}', '{cluster}', 'Old', 'old', '[[\"read\",\"home\"]]', {bytes},
             'apiv1_abc', {now}, 'system', NULL, NULL, {now});
         INSERT INTO users VALUES ('{user}', '{account}', 'Ada@example.com', 'ada@example.com', 'Ada', 'Lovelace',
             'admin', 'hash', {now}, NULL);
         INSERT INTO changes VALUES (1, 'database_token', '{token}'), (2, 'database', '1'), (2, 'user', '{user}');
         INSERT INTO audit_events VALUES (1, {now}, NULL, 'system', '{account}', 'account.create', '{account}', '[]',
             '{head}');
         UPDATE ledger SET revision = 2, audit_sequence = 1, audit_head = '{head}', last_database_id = 1,
             last_table_id = 1"
    );
    stage.tamper(&statements).await.map(|_| ())
}

pub(crate) async fn a_catalog_of_version_1_keeps_everything(mut stage: Stage) -> Result<(), Error> {
    let held = put_version_1(&stage).await?;
    stage.catalog = Catalog::open(&stage.location).await?;
    let catalog = &stage.catalog;

    let grants = stage.grants().await;
    let [loaded] = &grants[..] else {
        panic!("one token")
    };
    assert_eq!(loaded.secret, SecretHash::from_bytes([7; 64]));
    assert!(matches!(&loaded.grant, Grant::Database(grant) if grant.token == held.token));
    let listed = catalog
        .database_tokens(stage.cluster, None, &TokenQuery::all(NOW))
        .await?;
    assert_eq!(listed.items[0].description.as_str(), "Old");
    assert_eq!(catalog.last_client(held.token).await?, None);
    let directory = catalog.load_directory().await?;
    assert_eq!(directory.entries[0].view.tables.len(), 1);
    let address = "ada@EXAMPLE.com".parse().expect("an address");
    let user = catalog.user_by_email(&address).await?.expect("kept");
    assert_eq!((user.id, user.role), (held.user, Role::Admin));
    assert!(catalog.has_password(held.user).await?);
    assert_eq!(
        catalog.verify_audit().await?,
        AuditVerdict::Intact {
            events: 1,
            head: held.head
        }
    );
    let database = directory.entries[0].view.id;
    let changes = [
        (1, ChangeKind::DatabaseToken(held.token)),
        (2, ChangeKind::Database(database)),
        (2, ChangeKind::User(held.user)),
    ];
    let changes = changes.map(|(revision, what)| Change {
        revision: Revision::new(revision),
        what,
        is_gone: false,
    });
    let feed = Feed::Changes {
        changes: changes.into(),
        through: FeedPlace {
            audit: AuditPlace {
                sequence: 1,
                head: held.head,
            },
            ..Revision::new(2).into()
        },
        more: false,
    };
    assert_eq!(catalog.changes_after(Revision::new(0), 9).await?, feed);

    // And lives on.
    let (session, _) = stage.create_session(held.user, SessionKind::Browser).await;
    let Feed::Changes { changes, .. } = catalog.changes_after(Revision::new(2), 9).await? else {
        panic!("nothing was pruned")
    };
    assert_eq!(changes[0].what, ChangeKind::Session(session.id));
    catalog.close().await;
    let reopened = Catalog::open(&stage.location).await?;
    assert!(reopened.session_grant(session.id).await?.is_some());
    reopened.close().await;
    Ok(())
}

/// On a file there are no other nodes.
pub(crate) async fn no_schema_is_upgraded_below_nodes_that_run(stage: Stage) -> Result<(), Error> {
    put(&stage, 3).await?;
    let tamper = async |statement: &str| stage.tamper(statement).await.expect("tampers");
    for (name, is_lapsed) in [("alive", 0), ("dead", 0), ("gone", 1)] {
        let id = NodeId::mint(&stage.rng);
        tamper(&format!(
            "INSERT INTO nodes VALUES ('{id}', '{name}', 'http://{name}:8181', '0.0.9', 0, 1, 1000000, {is_lapsed}, 0, 0)"
        ))
        .await;
    }
    let is_stopped = AtomicBool::new(false);
    let renewed = async {
        while !is_stopped.load(Ordering::SeqCst) {
            tamper("UPDATE nodes SET lease = lease + 1 WHERE name = 'alive'").await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let opened = async {
        let opened = Catalog::open(&stage.location).await;
        is_stopped.store(true, Ordering::SeqCst);
        opened
    };
    let (refused, ()) = tokio::join!(opened, renewed);
    let Err(Error::Server(fault)) = refused else {
        panic!("{refused:?}")
    };
    let ServerFault::NodesRunning { found: 3, known, .. } = fault else {
        panic!("{fault:?}")
    };
    assert_eq!(
        fault.to_string(),
        format!(
            "the catalog must be upgraded from schema 3 to {known}, but nodes of an older release are running on it: \
             alive (release 0.0.9 at http://alive:8181). Stop them all, then start this one again"
        )
    );
    assert_eq!(
        tamper("UPDATE schema_versions SET version = version WHERE version > 3").await,
        0
    );

    // It has been killed: nobody says so, but its lease is over.
    let catalog = Catalog::open(&stage.location).await?;
    let nodes = catalog.nodes().await?;
    assert_eq!(nodes.iter().filter(|node| node.is_lapsed).count(), 3);
    catalog.close().await;
    Ok(())
}
