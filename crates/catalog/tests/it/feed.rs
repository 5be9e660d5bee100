//! Revisions and the feed of changes.

use std::collections::BTreeSet;

use rescind_catalog::{AuditVerdict, ChangeKind, Error, Feed, FeedPlace, Location};
use rescind_domain::{Act, DatabaseTokenId, Revision, TokenState};
use sqlx::Connection as _;

use crate::stage::{NOW, Stage};

const WRITERS: usize = 8;
const COMMITS: usize = 12;

pub(crate) async fn commit_order_is_revision_order(stage: Stage) -> Result<(), Error> {
    let total = (WRITERS * COMMITS) as i64;
    let follow = async {
        let (mut through, mut seen) = (FeedPlace::from(Revision::new(0)), Vec::new());
        while through.revision.get() < total {
            let feed = stage.catalog.changes_after(through, 7).await.expect("reads");
            let Feed::Changes {
                changes,
                through: next,
                ..
            } = feed
            else {
                panic!("nothing was pruned")
            };
            // A later revision must never become visible before an earlier one: the earlier would be missed.
            let revisions: Vec<i64> = changes.iter().map(|change| change.revision.get()).collect();
            let read = |place: FeedPlace| place.revision.get() + i64::from(place.within.is_some());
            assert_eq!(revisions, (read(through) + 1..=read(next)).collect::<Vec<_>>());
            seen.extend(changes.into_iter().map(|change| change.what));
            through = next;
            tokio::task::yield_now().await;
        }
        seen
    };
    let write = async |_| {
        let mut written = Vec::new();
        for _ in 0..COMMITS {
            let (token, secret) = stage.token("t", &[]);
            let committed = stage.create_token(&token, &secret).await;
            written.push((committed.revision.expect("taken"), committed.sequence, token.id));
        }
        written
    };
    let (seen, written) = futures::join!(follow, futures::future::join_all((0..WRITERS).map(write)));
    let mut written: Vec<(Revision, i64, DatabaseTokenId)> = written.into_iter().flatten().collect();
    written.sort();
    let expected: Vec<ChangeKind> = written
        .iter()
        .map(|(_, _, id)| ChangeKind::DatabaseToken(*id))
        .collect();
    assert_eq!(seen, expected);
    let sequences: Vec<i64> = written.iter().map(|(_, sequence, _)| *sequence).collect();
    assert_eq!(sequences, (3..total + 3).collect::<Vec<_>>());
    let verdict = stage.catalog.verify_audit().await.expect("verifies");
    assert!(matches!(verdict, AuditVerdict::Intact { events, .. } if events == total + 2));
    Ok(())
}

/// And counts only when all of it was read, for what comes of its start alone is no state that there ever was.
pub(crate) async fn a_large_revision_comes_in_pieces(stage: Stage) -> Result<(), Error> {
    let ids: BTreeSet<DatabaseTokenId> = (0..10).map(|_| DatabaseTokenId::mint(&stage.rng)).collect();
    stage.create_database("home").await;
    let act = stage.begin().await;
    let entries = ids.iter().map(|id| {
        let changes = vec![ChangeKind::DatabaseToken(*id)];
        stage.entry(Act::DatabaseTokenRevoke, id, changes)
    });
    let committed = act.commit_all(entries.collect()).await?;
    assert_eq!(
        (committed.revision, committed.sequence),
        (Some(Revision::new(2)), 13)
    );
    stage.create_database("work").await;

    let (mut place, mut seen, mut pieces) = (FeedPlace::from(Revision::new(0)), BTreeSet::new(), Vec::new());
    loop {
        let Feed::Changes {
            changes,
            through,
            more,
        } = stage.catalog.changes_after(place, 4).await?
        else {
            panic!("nothing was pruned")
        };
        pieces.push((changes.len(), through.revision.get(), through.within.is_some()));
        for change in changes {
            assert!(seen.insert(change.what), "{change:?} came twice");
        }
        place = through;
        if !more {
            break;
        }
    }
    assert_eq!(
        pieces,
        [(4, 1, true), (4, 1, true), (4, 2, true), (0, 3, false)],
        "how many, and up to which revision everything was read"
    );
    assert_eq!(seen.len(), 12);
    assert!(
        ids.iter()
            .all(|id| seen.contains(&ChangeKind::DatabaseToken(*id)))
    );
    // What is forgotten is said to be, in the middle of a revision, too.
    let within = FeedPlace {
        within: ids.first().copied().map(ChangeKind::DatabaseToken),
        ..Revision::new(1).into()
    };
    stage.catalog.prune_changes(Revision::new(2)).await?;
    assert_eq!(stage.catalog.changes_after(within, 4).await?, Feed::Pruned);
    Ok(())
}

pub(crate) async fn what_is_pruned_is_said_to_be(stage: Stage) -> Result<(), Error> {
    for name in ["a", "b", "c"] {
        stage.create_database(name).await;
    }
    let feed = async |after| {
        stage
            .catalog
            .changes_after(Revision::new(after), 10)
            .await
            .expect("reads")
    };
    assert_eq!(
        stage
            .catalog
            .prune_changes(Revision::new(2))
            .await
            .expect("prunes"),
        2
    );
    assert_eq!(
        stage
            .catalog
            .prune_changes(Revision::new(1))
            .await
            .expect("prunes"),
        0
    );
    assert_eq!(feed(0).await, Feed::Pruned);
    assert_eq!(feed(1).await, Feed::Pruned);
    assert!(matches!(feed(2).await, Feed::Changes { changes, .. } if changes.len() == 1));

    // Beyond the last revision there is nothing to prune, and nothing later may count as pruned.
    assert_eq!(
        stage
            .catalog
            .prune_changes(Revision::new(99))
            .await
            .expect("prunes"),
        1
    );
    stage.create_database("d").await;
    assert!(matches!(feed(3).await, Feed::Changes { changes, .. } if changes.len() == 1));
    Ok(())
}

/// Every node forgets the same, and at about the same time.
pub(crate) async fn whoever_forgets_changes_waits_for_nobody_who_does(stage: Stage) -> Result<(), Error> {
    for name in ["a", "b", "c"] {
        stage.create_database(name).await;
    }
    let Location::Postgres(url) = &stage.location else {
        panic!("on PostgreSQL alone")
    };
    let mut other = sqlx::AnyConnection::connect(url).await.expect("a connection");
    sqlx::raw_sql("BEGIN; DELETE FROM changes WHERE revision = 2")
        .execute(&mut other)
        .await
        .expect("deleted");
    assert_eq!(stage.catalog.prune_changes(Revision::new(3)).await?, 2);
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut other)
        .await
        .expect("undone");
    assert_eq!(stage.catalog.prune_changes(Revision::new(3)).await?, 1);
    other.close().await.expect("closed");
    Ok(())
}

pub(crate) async fn searches_do_not_delay_the_feed(stage: Stage) -> Result<(), Error> {
    let (token, secret) = stage.token("t", &[]);
    stage.create_token(&token, &secret).await;
    let readers = match stage.location {
        Location::Sqlite(_) => 4,
        Location::Postgres(_) => 10,
    };
    // Each of these keeps a reader until it is released, and more wait for one.
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let (mut held, mut releases) = (Vec::new(), Vec::new());
    for _ in 0..2 * readers {
        let (release, released) = std::sync::mpsc::channel::<()>();
        releases.push(release);
        let (catalog, arrived) = (stage.catalog.clone(), arrived.clone());
        let runtime = tokio::runtime::Handle::current();
        held.push(tokio::task::spawn_blocking(move || {
            let hold = &mut move |_| {
                arrived.send(()).expect("awaited");
                // Fails when the other end is dropped: that is the release.
                let _released = released.recv();
            };
            runtime
                .block_on(catalog.load_grants(Revision::new(0), hold))
                .map(|_| ())
        }));
    }
    for _ in 0..readers {
        arrivals.recv().await.expect("arrives");
    }
    // Without readers of its own, each of these would fail for the lack of one after ten seconds.
    let mut act = stage.begin().await;
    let mut revoked = token.clone();
    revoked.state = TokenState::Revoked { at: NOW };
    act.update_database_token(&revoked).await?;
    let change = ChangeKind::DatabaseToken(token.id);
    stage
        .commit(act, Act::DatabaseTokenRevoke, token.id, Some(change))
        .await;
    assert_eq!(stage.catalog.revision().await?, Revision::new(2));
    let Feed::Changes { changes, .. } = stage.catalog.changes_after(Revision::new(1), 9).await? else {
        panic!("nothing was pruned")
    };
    assert_eq!(changes[0].what, change);
    assert!(stage.catalog.database_grant(token.id).await?.is_none());
    drop(releases);
    for one in held {
        one.await.expect("ends")?;
    }
    Ok(())
}
