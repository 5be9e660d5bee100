//! Nodes and their leases.

use std::time::Duration;

use rescind_catalog::{Catalog, Error, Feed, FeedPlace, NodeInfo, NodeLease};
use rescind_domain::{NodeId, Revision};
use rescind_testkit::FrozenClock;

use crate::stage::{NOW, Stage};

pub(crate) fn node(stage: &Stage, name: &str) -> NodeInfo {
    NodeInfo {
        id: NodeId::mint(&stage.rng),
        name: name.to_owned(),
        address: format!("http://{name}:8181"),
        version: "1.2.3".to_owned(),
        ttl: Duration::from_millis(4_500),
    }
}

async fn find(catalog: &Catalog, id: NodeId) -> Option<NodeLease> {
    let nodes = catalog.nodes().await.expect("reads");
    nodes.into_iter().find(|lease| lease.node.id == id)
}

/// Applied, lease, whether lapsed.
async fn seen(stage: &Stage, id: NodeId) -> (i64, i64, bool) {
    let lease = find(&stage.catalog, id).await.expect("known");
    (lease.applied.get(), lease.lease, lease.is_lapsed)
}

pub(crate) async fn a_node_joins_renews_lapses_and_leaves(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    for name in ["a", "b", "c"] {
        stage.create_database(name).await;
    }
    let (one, other) = (node(&stage, "one"), node(&stage, "other"));
    let of = Revision::new;
    assert!(!catalog.renew(one.id, of(1), NOW).await?, "it never joined");
    catalog.join(&other, 1, of(3), NOW).await?;
    catalog.join(&one, 1, of(1), NOW).await?;
    let lease = find(catalog, one.id).await.expect("known");
    assert_eq!((lease.node.name.as_str(), lease.node.ttl), ("one", one.ttl));
    assert_eq!(
        (lease.node.address.as_str(), lease.node.version.as_str()),
        ("http://one:8181", "1.2.3")
    );
    assert_eq!(seen(&stage, one.id).await, (1, 1, false));

    // A renewal acknowledges, and never takes back.
    let later = NOW.plus_micros(7);
    assert!(catalog.renew(one.id, of(2), later).await?);
    assert_eq!(seen(&stage, one.id).await, (2, 2, false));
    assert!(catalog.renew(one.id, of(1), later).await?);
    assert_eq!(seen(&stage, one.id).await, (2, 3, false));
    let lease = find(catalog, one.id).await.expect("known");
    assert_eq!((lease.joined_at, lease.renewed_at), (NOW, later));
    // An acknowledgement renews nothing.
    catalog.acknowledge(one.id, of(3), &[]).await?;
    catalog.acknowledge(one.id, of(2), &[]).await?;
    assert_eq!(seen(&stage, one.id).await, (3, 3, false));

    // Whoever looked before the renewal marks nothing.
    assert!(!catalog.mark_lapsed(one.id, 2).await?);
    assert!(catalog.mark_lapsed(one.id, 3).await?);
    assert!(!catalog.mark_lapsed(one.id, 3).await?, "it is marked");
    assert_eq!(seen(&stage, one.id).await, (3, 3, true));
    assert!(!catalog.renew(one.id, of(3), later).await?, "it has lapsed");
    catalog.join(&one, 1, of(2), later).await?;
    assert_eq!(seen(&stage, one.id).await, (2, 4, false));

    catalog.leave(one.id).await?;
    assert_eq!(seen(&stage, one.id).await, (2, 5, true));
    assert_eq!(seen(&stage, other.id).await, (3, 1, false), "as it was");
    assert_eq!(catalog.forget_nodes(later).await?, 0, "it renewed then");
    assert_eq!(catalog.forget_nodes(later.plus_micros(1)).await?, 1);
    assert!(find(catalog, one.id).await.is_none());
    assert!(
        find(catalog, other.id).await.is_some(),
        "a lease that has not lapsed stays"
    );
    Ok(())
}

pub(crate) async fn a_catalog_that_went_back_knows_no_node_that_saw_more(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    for name in ["a", "b"] {
        stage.create_database(name).await;
    }
    let node = node(&stage, "one");
    catalog.join(&node, 1, Revision::new(2), NOW).await?;
    // As a back-up of before the second database would be.
    stage
        .tamper("UPDATE ledger SET revision = 1; UPDATE nodes SET applied = 1")
        .await
        .expect("set back");
    let went_back = |result: Result<(), Error>| match result {
        Err(Error::Rewound { seen, found }) => (seen.get(), found.get()),
        other => panic!("{other:?}"),
    };
    let feed = catalog.changes_after(Revision::new(2), 9).await;
    assert_eq!(went_back(feed.map(|_| ())), (2, 1));
    assert!(!catalog.renew(node.id, Revision::new(2), NOW).await?);
    assert_eq!(
        went_back(catalog.join(&node, 1, Revision::new(2), NOW).await),
        (2, 1)
    );
    catalog.acknowledge(node.id, Revision::new(2), &[]).await?;
    assert_eq!(
        seen(&stage, node.id).await,
        (1, 1, false),
        "it vouches for nothing that it saw elsewhere"
    );
    catalog.join(&node, 1, Revision::new(1), NOW).await?;
    assert_eq!(seen(&stage, node.id).await, (1, 2, false));
    Ok(())
}

/// Where a node is that has just read everything.
async fn here(catalog: &Catalog) -> FeedPlace {
    match catalog.changes_after(Revision::new(0), 99).await {
        Ok(Feed::Changes { through, .. }) => through,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_catalog_that_went_back_and_on_is_not_the_same(stage: Stage) -> Result<(), Error> {
    let (catalog, clock) = (&stage.catalog, FrozenClock::at(NOW));
    stage.create_database("a").await;
    let common = here(catalog).await;
    stage.create_database("b").await;
    let seen = here(catalog).await;
    let node = node(&stage, "one");
    catalog.join(&node, 1, seen, NOW).await?;
    // As a back-up of before the second database would be, and two acts later.
    stage
        .tamper(
            "UPDATE ledger SET revision = 1, audit_sequence = audit_sequence - 1,
                 audit_head = (SELECT hash FROM audit_events WHERE sequence = audit_sequence - 1);
             DELETE FROM audit_events WHERE sequence > (SELECT audit_sequence FROM ledger);
             DELETE FROM changes WHERE revision > 1",
        )
        .await
        .expect("set back");
    for name in ["c", "d"] {
        stage.create_database(name).await;
    }
    let of = Revision::new;
    assert!(
        matches!(catalog.changes_after(seen.revision, 9).await?, Feed::Changes { changes, .. } if changes.len() == 1),
        "by its revision it cannot be told"
    );
    let went_back = |result: Result<(), Error>| match result {
        Err(Error::Rewound { seen, found }) => assert_eq!((seen, found), (of(2), of(3))),
        other => panic!("{other:?}"),
    };
    went_back(catalog.changes_after(seen, 9).await.map(|_| ()));
    went_back(catalog.load_grants(seen, &mut |_| {}).await.map(|_| ()));
    went_back(catalog.begin_after(&clock, seen).await.map(|_| ()));
    assert!(!catalog.renew(node.id, seen, NOW).await?);
    went_back(catalog.join(&node, 1, seen, NOW).await);

    // Whoever saw no more than what is there, or all of it, is where he was.
    for seen in [common, here(catalog).await] {
        catalog.changes_after(seen, 9).await?;
        assert_eq!(catalog.load_grants(seen, &mut |_| {}).await?, here(catalog).await);
        catalog.begin_after(&clock, seen).await?.rollback().await?;
        assert!(catalog.renew(node.id, seen, NOW).await?);
        catalog.join(&node, 1, seen, NOW).await?;
    }
    Ok(())
}

pub(crate) async fn a_schema_that_changed_meanwhile_is_noticed(stage: Stage) -> Result<(), Error> {
    stage
        .tamper("UPDATE ledger SET schema_version = 99")
        .await
        .expect("updates");
    let feed = stage.catalog.changes_after(Revision::new(0), 9).await;
    assert!(
        matches!(feed, Err(Error::NewerSchema { found: 99, .. })),
        "{feed:?}"
    );
    let act = stage.catalog.begin(&FrozenClock::at(NOW)).await;
    assert!(
        matches!(act, Err(Error::NewerSchema { found: 99, .. })),
        "{act:?}"
    );
    Ok(())
}
