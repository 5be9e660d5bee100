//! A hundred thousand tokens revoked by one call, while nodes admit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rescind_authority::{
    Authority, Caller, Catalog, Location, MOST_REVOKED, NodeSettings, Place, Refusal, RevokeOutcome,
};
use rescind_domain::{
    Action, Actor, Ask, DatabaseToken, DatabaseTokenId, NodeState, Secret, SecretKind, TokenState,
};
use rescind_testkit::{FrozenClock, Postgres, SeededRng};
use tokio_util::sync::CancellationToken;

use crate::house::set;
use crate::sharing;

/// Tokens whose secrets are known here; the others only count.
const KNOWN: usize = 10;

async fn open(location: &Location, number: u64) -> Arc<Authority> {
    open_as(location, number, true).await
}

async fn open_as(location: &Location, number: u64, admits: bool) -> Arc<Authority> {
    let node = NodeSettings {
        admits,
        // However busy the machine is.
        lease_ttl: NodeSettings::LONGEST_LEASE,
        ..NodeSettings::alone("")
    };
    sharing::open(location, &Arc::new(FrozenClock::default()), number, node).await
}

/// A new installation, tokens whose secrets are known, and one that goes on.
struct Ground {
    place: Place,
    ids: Vec<DatabaseTokenId>,
    secrets: Vec<Secret>,
    kept: Secret,
}

impl Ground {
    async fn lay(authority: &Arc<Authority>) -> Self {
        let (place, _) = sharing::found(authority).await;
        let mut made = Vec::new();
        for _ in 0..=KNOWN {
            let caller = Caller::operator(place.account);
            let token = authority.create_database_token(&caller, place, sharing::reader());
            made.push(token.await.expect("made"));
        }
        let kept = made.pop().expect("eleven of them").secret;
        Self {
            place,
            ids: made.iter().map(|token| token.item.id).collect(),
            secrets: made.into_iter().map(|token| token.secret).collect(),
            kept,
        }
    }
}

fn admit(authority: &Authority, secret: &Secret) -> Result<(), Refusal> {
    let database = "a".parse().expect("a name");
    let ask = Ask {
        action: Action::Read,
        database: &database,
    };
    authority.admit(secret.expose().as_bytes(), ask).map(drop)
}

/// What goes on meanwhile: each node admits whoever has a token that goes on, without a pause of its lease.
async fn go_on(nodes: Vec<Arc<Authority>>, kept: Secret, is_over: Arc<AtomicBool>, admitted: Arc<AtomicU64>) {
    while !is_over.load(Ordering::Acquire) {
        for node in &nodes {
            admit(node, &kept).expect("a token that goes on is admitted all the time");
            admitted.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// One call, one revision; when it returns, every node refuses every one of them (G1), and no node stopped to admit.
async fn everything_at_once(nodes: &[Arc<Authority>], ground: Ground) {
    let shutdown = CancellationToken::new();
    let upkeep: Vec<_> = nodes
        .iter()
        .map(|node| tokio::spawn(Arc::clone(node).run(shutdown.clone())))
        .collect();
    let (is_over, admitted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let others = tokio::spawn(go_on(
        nodes.to_vec(),
        ground.kept.clone(),
        Arc::clone(&is_over),
        Arc::clone(&admitted),
    ));
    let before = nodes[0].revision();
    let caller = Caller::operator(ground.place.account);
    let (outcomes, receipt) = nodes[0]
        .revoke_database_tokens(&caller, ground.place, ground.ids)
        .await
        .expect("revoked");
    for node in nodes {
        for secret in &ground.secrets {
            assert_eq!(admit(node, secret).expect_err("refused"), Refusal::Revoked);
        }
        assert_eq!(node.grant_count(), nodes[0].grant_count());
    }
    is_over.store(true, Ordering::Release);
    others.await.expect("nobody else was refused");
    assert!(admitted.load(Ordering::Relaxed) > 0, "others go on beside it");
    assert_eq!(outcomes.len(), MOST_REVOKED);
    assert!(outcomes.iter().all(|one| one.outcome == RevokeOutcome::Now));
    assert_eq!(receipt.revision.get(), before.get() + 1);
    assert_eq!(receipt.nodes.len(), nodes.len());
    for node in &receipt.nodes {
        assert!(matches!(node.state, NodeState::Applied { .. }), "{receipt:?}");
    }
    shutdown.cancel();
    for node in upkeep {
        node.await.expect("ran");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_tokens_are_revoked_by_one_call() {
    let directory = tempfile::tempdir().expect("a directory");
    let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
    let founder = open(&location, 1).await;
    let mut ground = Ground::lay(&founder).await;
    let catalog = Catalog::open(&location).await.expect("a catalog");
    let rng = SeededRng::new(9);
    let mut tx = catalog.begin(&FrozenClock::default()).await.expect("begun");
    for _ in KNOWN..MOST_REVOKED {
        let secret = Secret::mint(SecretKind::Database, &rng);
        let token = DatabaseToken {
            id: DatabaseTokenId::mint(&rng),
            account: ground.place.account,
            cluster: ground.place.cluster,
            description: "one of many".parse().expect("a text"),
            permissions: set(&[("read", "*")]),
            prefix: secret.prefix(),
            created_at: FrozenClock::START,
            created_by: Actor::Operator,
            expires_at: None,
            state: TokenState::Active,
            last_used_at: None,
        };
        ground.ids.push(token.id);
        let inserted = tx.insert_database_token(&token, &secret.hash()).await;
        inserted.expect("inserted");
    }
    tx.commit_all(Vec::new()).await.expect("committed");
    drop(founder);
    let node = open(&location, 2).await;
    everything_at_once(&[node], ground).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_tokens_are_revoked_on_two_nodes_by_one_call() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let location = Location::Postgres(server.url());
    // Takes no lease that would be waited for.
    let mut ground = Ground::lay(&open_as(&location, 1, false).await).await;
    let ids = server.ask(&format!(
        "INSERT INTO database_tokens (id, cluster_id, description, description_folded, permissions, secret_hash,
             prefix, created_at, created_by)
         SELECT gen_random_uuid(), '{}', 'one of many', 'one of many', '[[\"read\",\"*\"]]',
             sha512(convert_to(i::text, 'UTF8')), 'apiv1_abc', 1, 'operator'
         FROM generate_series(1, {}) AS i RETURNING id",
        ground.place.cluster,
        MOST_REVOKED - KNOWN
    ));
    let ids = ids.expect("inserted");
    ground.ids.extend(
        ids.lines()
            .map(|id| id.parse::<DatabaseTokenId>().expect("an id")),
    );
    let nodes = [open(&location, 2).await, open(&location, 3).await];
    everything_at_once(&nodes, ground).await;
}
