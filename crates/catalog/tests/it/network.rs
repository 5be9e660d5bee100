//! What becomes of a catalog when the network or the server fails. On PostgreSQL alone.

use std::time::Duration;

use rescind_catalog::{Catalog, ChangeKind, Error, Feed, Location, Signal, Signals};
use rescind_domain::{Act, NodeId, Revision, SessionKind};
use rescind_testkit::{Ending, FrozenClock, Postgres};
use tokio::time::timeout;

use crate::nodes::node;
use crate::proxy::Proxy;
use crate::stage::{NOW, Stage};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn url(stage: &Stage) -> &str {
    match &stage.location {
        Location::Postgres(url) => url,
        Location::Sqlite(_) => panic!("not for a file"),
    }
}

/// The same catalog, behind a proxy.
async fn behind_proxy(stage: &Stage) -> (Proxy, Catalog) {
    let url = url(stage);
    let (before, rest) = url.rsplit_once(':').expect("a port");
    let (port, database) = rest.split_once('/').expect("a database");
    let server = format!("127.0.0.1:{port}").parse().expect("an address");
    let proxy = Proxy::to(server).await;
    let location = Location::Postgres(format!("{before}:{}/{database}", proxy.port));
    let catalog = Catalog::open(&location).await.expect("opens");
    (proxy, catalog)
}

async fn soon<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("it does not hang")
}

async fn until(signals: &mut Signals, wanted: Signal) {
    soon(async {
        while signals.next().await.ok() != Some(wanted) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// What a commit tells for which nobody waits.
const CHANGED: Signal = Signal::Changed { asker: None };

pub(crate) async fn signals_are_heard_and_losses_told(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let (proxy, other) = behind_proxy(&stage).await;
    let (node, asker) = (node(&stage, "one").id, NodeId::from_bytes([7; 16]));
    let mut signals = other.signals(asker).await?.expect("others may act");
    assert_eq!(
        signals.next().await?,
        Signal::Lost,
        "what was before was not heard"
    );
    let act = stage.begin().await;
    stage.commit(act, Act::UserUpdate, "nobody", None).await;
    let home = stage.create_database("home").await;
    assert_eq!(
        soon(signals.next()).await?,
        CHANGED,
        "what nothing comes of is not told"
    );
    let act = stage.begin().await.asked_by(asker);
    let change = Some(ChangeKind::Database(home.id));
    stage.commit(act, Act::DatabaseUpdate, home.id, change).await;
    assert_eq!(
        soon(signals.next()).await?,
        Signal::Changed { asker: Some(asker) }
    );

    // Those who wait are told, and nobody else; of what was known, too.
    let through = Revision::new(2);
    catalog.acknowledge(node, through, &[]).await?;
    catalog.acknowledge(node, through, &[node]).await?;
    catalog.acknowledge(node, Revision::new(3), &[asker]).await?;
    for askers in [&[asker][..], &[node, asker]] {
        catalog.acknowledge(node, through, askers).await?;
        assert_eq!(soon(signals.next()).await?, Signal::Applied { node, through });
    }

    stage
        .tamper("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        .await
        .expect("ended");
    assert_eq!(soon(signals.next()).await?, Signal::Lost);
    stage.create_database("office").await;
    assert_eq!(soon(signals.next()).await?, CHANGED);

    proxy.fall_silent();
    assert!(soon(signals.next()).await.is_err(), "nobody answers");
    proxy.heal();
    until(&mut signals, Signal::Lost).await;
    stage.create_database("attic").await;
    until(&mut signals, CHANGED).await;
    Ok(())
}

pub(crate) async fn whoever_writes_uses_down_waits_for_no_act(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let ada = stage.create_user("ada@example.com").await;
    let (one, _) = stage.create_session(ada.id, SessionKind::Device).await;
    let (other, _) = stage.create_session(ada.id, SessionKind::Device).await;
    let mut act = stage.begin().await;
    assert!(act.end_session(other.id, NOW).await?);
    stage.commit(act, Act::UserUpdate, ada.id, None).await;
    let mut act = stage.begin().await;
    assert!(act.end_session(one.id, NOW).await?);
    let uses = |at| [one.id, other.id].map(|id| (id, NOW.plus_micros(at)));
    soon(catalog.record_last_used(&[], &[], &uses(1))).await?;
    let expired = one.expires_at.plus_micros(1);
    assert_eq!(soon(catalog.purge_sessions(expired)).await?, 1, "the other one");
    act.rollback().await?;
    assert!(catalog.session(other.id).await?.is_none());
    let kept = catalog.session(one.id).await?.expect("kept");
    assert_eq!(kept.last_used_at, None, "it was passed over");
    soon(catalog.record_last_used(&[], &[], &uses(2))).await?;
    let kept = catalog.session(one.id).await?.expect("kept");
    assert_eq!(kept.last_used_at, Some(NOW.plus_micros(2)));
    Ok(())
}

/// PostgreSQL gives the ledger to everybody who is in its queue, also to those of a process that is cut off, for as long
/// as each may be idle.
pub(crate) async fn of_one_process_one_act_waits_for_the_ledger(stage: Stage) -> Result<(), Error> {
    let other = Catalog::open(&stage.location).await.expect("opens");
    let held = stage.begin().await;
    let clock = FrozenClock::at(NOW);
    let waiting = || {
        stage.tamper(
            "SELECT 1 FROM pg_stat_activity
             WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
    };
    let acting = async {
        let begin = async || other.begin(&clock).await?.rollback().await;
        futures::future::try_join_all((0..3).map(|_| begin())).await
    };
    let watching = async {
        soon(async {
            while waiting().await.expect("read") == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        // The others would have come, too.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(waiting().await.expect("read"), 1);
        held.rollback().await
    };
    let (acted, watched) = soon(async { tokio::join!(acting, watching) }).await;
    watched?;
    acted.map(|_| ())
}

pub(crate) async fn a_network_that_swallows_everything_heals(stage: Stage) -> Result<(), Error> {
    let (proxy, catalog) = behind_proxy(&stage).await;
    let node = node(&stage, "one");
    let none = Revision::new(0);
    // Every connection has been used, more than one of the readers at a time.
    catalog.join(&node, 1, none, NOW).await?;
    catalog.acknowledge(node.id, none, &[]).await?;
    catalog.nodes().await?;
    let feed = catalog.changes_after(none, 9).await?;
    let read = async || catalog.cluster(stage.cluster).await;
    futures::future::try_join_all((0..4).map(|_| read())).await?;
    let mut held = catalog.begin(&FrozenClock::at(NOW)).await?;
    held.insert_database(stage.new_database("held")).await?;

    proxy.fall_silent();
    let renewed = async { catalog.renew(node.id, none, NOW).await.map(|_| ()) };
    let followed = async { catalog.changes_after(none, 9).await.map(|_| ()) };
    let looked = async { catalog.nodes().await.map(|_| ()) };
    let told = catalog.acknowledge(node.id, none, &[]);
    let asked = async { read().await.map(|_| ()) };
    let (renewed, followed, looked, told, asked) =
        soon(async { tokio::join!(renewed, followed, looked, told, asked) }).await;
    for result in [renewed, followed, looked, told, asked] {
        assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
    }

    // Whoever is still connected acts as soon as the server takes the ledger back.
    let act = soon(stage.begin()).await;
    act.rollback().await?;
    proxy.heal();
    assert!(
        soon(catalog.renew(node.id, none, NOW)).await?,
        "its lease is as it was"
    );
    assert_eq!(soon(catalog.changes_after(none, 9)).await?, feed);
    assert_eq!(soon(catalog.nodes()).await?[0].lease, 2);
    soon(catalog.acknowledge(node.id, none, &[])).await?;
    for _ in 0..8 {
        assert!(soon(read()).await?.is_some());
    }
    // Of one process one acts at a time.
    drop(held);
    let mut act = soon(catalog.begin(&FrozenClock::at(NOW))).await?;
    act.insert_database(stage.new_database("home")).await?;
    drop(act);
    let database = soon(stage.create_database("home")).await;
    let Feed::Changes { changes, .. } = soon(catalog.changes_after(none, 9)).await? else {
        panic!("nothing was pruned")
    };
    assert_eq!(changes.len(), 1, "what was begun before the silence was not kept");
    assert!(
        soon(catalog.database(stage.cluster, database.id))
            .await?
            .is_some()
    );
    Ok(())
}

/// Again and again until it succeeds.
async fn at_last<T>(mut attempt: impl AsyncFnMut() -> Result<T, Error>) -> T {
    soon(async {
        loop {
            match attempt().await {
                Ok(done) => return done,
                Err(Error::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(other) => panic!("{other:?}"),
            }
        }
    })
    .await
}

pub(crate) async fn a_server_that_restarts_is_found_again(mut server: Postgres) {
    let stage = Stage::on_postgresql(&server.url(), "restarted").await;
    let catalog = &stage.catalog;
    let (node, none) = (node(&stage, "one"), Revision::new(0));
    catalog.join(&node, 1, none, NOW).await.expect("joined");
    let mut signals = catalog
        .signals(node.id)
        .await
        .expect("heard")
        .expect("others may act");
    until(&mut signals, Signal::Lost).await;
    for (name, ending) in [("fast", Ending::Fast), ("immediate", Ending::Immediate)] {
        stage.create_database(name).await;
        let Feed::Changes { through, .. } = catalog.changes_after(none, 9).await.expect("read") else {
            panic!("nothing was pruned")
        };
        catalog.cluster(stage.cluster).await.expect("read");
        server.end(ending);
        let renewed = soon(catalog.renew(node.id, none, NOW)).await;
        assert!(matches!(renewed, Err(Error::Unavailable(_))), "{renewed:?}");
        server.start_again().expect("started");

        // The first to use a connection learns that it is gone; the next has a new one.
        let _ = soon(catalog.changes_after(none, 9)).await;
        let feed = soon(catalog.changes_after(none, 9)).await.expect("read");
        assert!(matches!(feed, Feed::Changes { changes, .. } if !changes.is_empty()));
        assert!(at_last(async || catalog.renew(node.id, through, NOW).await).await);
        let feed = catalog.changes_after(through, 9).await;
        assert!(feed.is_ok(), "what was seen is not forgotten: {feed:?}");
        let kept = at_last(async || {
            let mut act = catalog.begin(&FrozenClock::at(NOW)).await?;
            let kept = act
                .database_by_name(stage.cluster, &name.parse().expect("a name"))
                .await?;
            act.rollback().await?;
            Ok(kept)
        });
        assert!(kept.await.is_some(), "what was committed is there");
        at_last(async || catalog.cluster(stage.cluster).await).await;
        until(&mut signals, Signal::Lost).await;
        stage.create_database(&format!("{name}-again")).await;
        until(&mut signals, CHANGED).await;
    }
}
