//! Very many tokens revoked by one call, while nodes admit and others act.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rescind_authority::{
    Authority, Caller, Catalog, CreateManagementToken, Error, Location, MOST_REVOKED, NodeSettings, Place,
    REVOKED_TOGETHER, Refusal, RevokeOutcome, Revoked,
};
use rescind_domain::{
    Action, Actor, Ask, DatabaseToken, DatabaseTokenId, ManagementToken, ManagementTokenId, NodeState,
    Secret, SecretKind, TokenState,
};
use rescind_testkit::{FrozenClock, Postgres, SeededRng};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::house::{House, set};
use crate::sharing;

/// Tokens whose secrets are known here; the others only count.
const KNOWN: usize = 10;
/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// Nodes that keep their leases.
struct Running {
    nodes: Vec<Arc<Authority>>,
    upkeep: Vec<JoinHandle<()>>,
    shutdown: CancellationToken,
}

impl Running {
    async fn start(location: &Location, count: u64) -> Self {
        let (mut nodes, mut upkeep, shutdown) = (Vec::new(), Vec::new(), CancellationToken::new());
        for number in 0..count {
            let node = open(location, 2 + number).await;
            upkeep.push(tokio::spawn(Arc::clone(&node).run(shutdown.clone())));
            nodes.push(node);
        }
        Self {
            nodes,
            upkeep,
            shutdown,
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        for node in self.upkeep {
            node.await.expect("ran");
        }
    }
}

/// Tokens whose secrets nobody has, written past any authority.
async fn fill(catalog: &Catalog, place: Place, count: usize) -> Vec<DatabaseTokenId> {
    let rng = SeededRng::new(9);
    let mut tx = catalog.begin(&FrozenClock::default()).await.expect("begun");
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        let secret = Secret::mint(SecretKind::Database, &rng);
        let token = DatabaseToken {
            id: DatabaseTokenId::mint(&rng),
            account: place.account,
            cluster: place.cluster,
            description: "one of many".parse().expect("a text"),
            permissions: set(&[("read", "*")]),
            prefix: secret.prefix(),
            created_at: FrozenClock::START,
            created_by: Actor::Operator,
            expires_at: None,
            state: TokenState::Active,
            last_used_at: None,
        };
        ids.push(token.id);
        let inserted = tx.insert_database_token(&token, &secret.hash()).await;
        inserted.expect("inserted");
    }
    tx.commit_all(Vec::new()).await.expect("committed");
    ids
}

/// The same on a server, which makes them up itself.
fn fill_server(server: &Postgres, place: Place, count: usize) -> Vec<DatabaseTokenId> {
    let ids = server.ask(&format!(
        "INSERT INTO database_tokens (id, cluster_id, description, description_folded, permissions, secret_hash,
             prefix, created_at, created_by)
         SELECT gen_random_uuid(), '{}', 'one of many', 'one of many', '[[\"read\",\"*\"]]',
             sha512(convert_to(i::text, 'UTF8')), 'apiv1_abc', 1, 'operator'
         FROM generate_series(1, {count}) AS i RETURNING id",
        place.cluster,
    ));
    let ids = ids.expect("inserted");
    ids.lines().map(|id| id.parse().expect("an id")).collect()
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.unwrap_or_else(|_| panic!("in vain until {what}"));
}

fn are_all<Id>(outcomes: &[Revoked<Id>], outcome: RevokeOutcome) -> bool {
    outcomes.iter().all(|one| one.outcome == outcome)
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

/// One call, many revisions; when it returns, every node refuses every one of them (G1), and no node stopped to admit.
async fn everything_at_once(running: Running, ground: Ground) {
    let nodes = &running.nodes;
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
    let pieces = MOST_REVOKED.div_ceil(REVOKED_TOGETHER) as i64;
    assert_eq!(receipt.revision.get(), before.get() + pieces);
    assert_eq!(receipt.nodes.len(), nodes.len());
    for node in &receipt.nodes {
        assert!(matches!(node.state, NodeState::Applied { .. }), "{receipt:?}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_tokens_are_revoked_by_one_call() {
    let directory = tempfile::tempdir().expect("a directory");
    let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
    let founder = open(&location, 1).await;
    let mut ground = Ground::lay(&founder).await;
    let catalog = Catalog::open(&location).await.expect("a catalog");
    let others = fill(&catalog, ground.place, MOST_REVOKED - KNOWN).await;
    ground.ids.extend(others);
    drop(founder);
    everything_at_once(Running::start(&location, 1).await, ground).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_tokens_are_revoked_on_two_nodes_by_one_call() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let location = Location::Postgres(server.url());
    // Takes no lease that would be waited for.
    let mut ground = Ground::lay(&open_as(&location, 1, false).await).await;
    ground
        .ids
        .extend(fill_server(&server, ground.place, MOST_REVOKED - KNOWN));
    everything_at_once(Running::start(&location, 2).await, ground).await;
}

/// On a file acts queue for the one connection that writes.
#[tokio::test]
async fn another_act_comes_between_two_pieces() {
    let house = House::new().await;
    let ids = fill(&house.catalog().await, house.place, 3 * REVOKED_TOGETHER).await;
    let before = house.authority.revision().get();
    // All in one thread: the first piece has begun when the other act asks for the ledger.
    let (many, other) = tokio::join!(
        house
            .authority
            .revoke_database_tokens(&house.caller, house.place, ids),
        house.token(&[("read", "*")]),
    );
    let (outcomes, receipt) = many.expect("revoked");
    assert!(are_all(&outcomes, RevokeOutcome::Now));
    assert_eq!(other.receipt.revision.get(), before + 2);
    assert_eq!(receipt.revision.get(), before + 4);
}

/// On a server they queue for the ledger's row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_of_another_node_comes_between_two_pieces() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let location = Location::Postgres(server.url());
    let ground = Ground::lay(&open_as(&location, 1, false).await).await;
    let many = fill_server(&server, ground.place, 3 * REVOKED_TOGETHER);
    let running = Running::start(&location, 2).await;
    let before = running.nodes[0].revision().get();
    let caller = Caller::operator(ground.place.account);
    let catalog = Catalog::open(&location).await.expect("a catalog");
    let mut held = catalog.begin(&FrozenClock::default()).await.expect("begun");
    let mut queue = async |waiting: u32| {
        until("they wait for the ledger", async || {
            // Whoever is idle for long loses it.
            let unknown = DatabaseTokenId::from_bytes([9; 16]);
            held.revocable_database_tokens(&[unknown]).await.expect("held");
            let count = server.ask("SELECT count(*) FROM pg_locks WHERE NOT granted");
            count.expect("counted").parse::<u32>().expect("a number") >= waiting
        })
        .await;
    };
    let revoke = tokio::spawn({
        let (node, place) = (Arc::clone(&running.nodes[0]), ground.place);
        async move { node.revoke_database_tokens(&caller, place, many).await }
    });
    queue(1).await;
    let create = tokio::spawn({
        let (node, place) = (Arc::clone(&running.nodes[1]), ground.place);
        async move {
            node.create_database_token(&caller, place, sharing::reader())
                .await
        }
    });
    queue(2).await;
    held.rollback().await.expect("given back");
    let created = create.await.expect("ran").expect("made");
    let (_, receipt) = revoke.await.expect("ran").expect("revoked");
    let between = created.receipt.revision.get() - before;
    assert_eq!(receipt.revision.get(), before + 4);
    assert!((2..4).contains(&between), "{between}");
    running.stop().await;
}

/// Whoever comes alone with one token is one of very many, too, if all of them come at once.
#[tokio::test]
async fn very_many_who_revoke_one_each_share_no_more_than_a_piece() {
    let house = House::new().await;
    let ids = fill(&house.catalog().await, house.place, REVOKED_TOGETHER + 10).await;
    let revoke = |id| {
        house
            .authority
            .revoke_database_token(&house.caller, house.place, id)
    };
    let done = futures::future::join_all(ids.into_iter().map(revoke)).await;
    let mut shared = BTreeMap::new();
    for receipt in done {
        *shared.entry(receipt.expect("revoked").revision).or_insert(0) += 1;
    }
    let shared: Vec<usize> = shared.into_values().collect();
    assert_eq!(shared, [1, REVOKED_TOGETHER, 9]);
}

/// What a caller stands on may be among what it revokes, in any place: all of it is done.
#[tokio::test]
async fn whoever_revokes_its_own_token_with_many_revokes_all_of_them() {
    let house = House::new().await;
    let account = house.place.account;
    let request = CreateManagementToken {
        description: None,
        expires_at: None,
    };
    let own = house
        .authority
        .create_management_token(&house.caller, account, request)
        .await
        .expect("made");
    let caller = house.bearer(&own.secret).expect("known");
    let rng = SeededRng::new(9);
    let catalog = house.catalog().await;
    let mut tx = catalog.begin(&FrozenClock::default()).await.expect("begun");
    let mut ids = vec![ManagementTokenId::mint(&rng), own.item.id];
    for _ in 0..2 * REVOKED_TOGETHER {
        let secret = Secret::mint(SecretKind::Management, &rng);
        let token = ManagementToken {
            id: ManagementTokenId::mint(&rng),
            prefix: secret.prefix(),
            ..own.item.clone()
        };
        ids.push(token.id);
        let inserted = tx.insert_management_token(&token, &secret.hash()).await;
        inserted.expect("inserted");
    }
    tx.commit_all(Vec::new()).await.expect("committed");
    let done = house
        .authority
        .revoke_management_tokens(&caller, account, ids.clone())
        .await;
    let (outcomes, _) = done.expect("revoked");
    let told: Vec<_> = outcomes.iter().map(|one| one.id).collect();
    assert_eq!(told, ids, "in the order given");
    assert_eq!(outcomes[0].outcome, RevokeOutcome::NotFound);
    assert!(are_all(&outcomes[1..], RevokeOutcome::Now));
    let last = &house.events().await[0];
    assert_eq!(last.subject, own.item.id.to_string());
    assert_eq!(house.bearer(&own.secret).expect_err("ended"), Refusal::Revoked);
}

/// A piece asks anew whether the caller may. Those before it hold by then, whatever the caller is told.
#[tokio::test]
async fn a_caller_that_ends_half_way_revokes_no_more() {
    let house = House::new().await;
    let expires_at = FrozenClock::START.plus_micros(1);
    let request = CreateManagementToken {
        description: None,
        expires_at: Some(expires_at),
    };
    let token = house
        .authority
        .create_management_token(&house.caller, house.place.account, request)
        .await
        .expect("made");
    // A use, which is written down below.
    let caller = house.bearer(&token.secret).expect("known");
    let (first, last) = (
        house.token(&[("read", "*")]).await,
        house.token(&[("read", "*")]).await,
    );
    let mut ids = vec![first.item.id];
    ids.extend(fill(&house.catalog().await, house.place, REVOKED_TOGETHER - 1).await);
    ids.push(last.item.id);
    let (many, ()) = tokio::join!(
        house
            .authority
            .revoke_database_tokens(&caller, house.place, ids.clone()),
        async {
            // All in one thread: the first piece has the connection that writes, and this waits for it.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            house.authority.record_uses().await.expect("written");
            house.clock.set(expires_at);
        },
    );
    let Err(Error::Partly(reason)) = many else {
        panic!("{many:?}");
    };
    assert!(matches!(*reason, Error::Refused(Refusal::Expired)), "{reason:?}");
    let refused = house
        .admit(&first.secret, Action::Read, "a")
        .expect_err("refused");
    assert_eq!(refused, Refusal::Revoked);
    house
        .admit(&last.secret, Action::Read, "a")
        .expect("nobody who may asked for it");
    let again = house
        .authority
        .revoke_database_tokens(&house.caller, house.place, ids)
        .await;
    let (outcomes, _) = again.expect("revoked");
    let at = FrozenClock::START;
    assert!(are_all(
        &outcomes[..REVOKED_TOGETHER],
        RevokeOutcome::Before { at }
    ));
    assert_eq!(outcomes[REVOKED_TOGETHER].outcome, RevokeOutcome::Now);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_before_a_failure_holds_everywhere_and_the_rest_is_done_by_a_repetition() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let location = Location::Postgres(server.url());
    let ground = Ground::lay(&open_as(&location, 1, false).await).await;
    let mut ids = vec![ground.ids[0]];
    ids.extend(fill_server(&server, ground.place, REVOKED_TOGETHER));
    ids.push(ground.ids[1]);
    let running = Running::start(&location, 2).await;
    let caller = Caller::operator(ground.place.account);
    let fails = server.ask(&format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE TRIGGER fails BEFORE UPDATE ON database_tokens FOR EACH ROW
         WHEN (NEW.id = '{}' AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION fail()",
        ground.ids[1]
    ));
    fails.expect("a trigger");
    let failed = running.nodes[0]
        .revoke_database_tokens(&caller, ground.place, ids.clone())
        .await
        .expect_err("the second piece cannot be written");
    let Error::Partly(reason) = &failed else {
        panic!("{failed:?}");
    };
    assert!(matches!(**reason, Error::Unavailable(_)), "{reason:?}");
    let told = failed.to_string();
    assert!(told.contains("repeating the call is safe"), "{told}");
    for node in &running.nodes {
        until("the first piece holds", async || {
            admit(node, &ground.secrets[0]).is_err_and(|refusal| refusal == Refusal::Revoked)
        })
        .await;
        admit(node, &ground.secrets[1]).expect("not revoked");
    }
    server
        .ask("DROP TRIGGER fails ON database_tokens")
        .expect("dropped");
    let again = running.nodes[1]
        .revoke_database_tokens(&caller, ground.place, ids)
        .await;
    let (outcomes, receipt) = again.expect("revoked");
    let at = FrozenClock::START;
    let (before, now) = outcomes.split_at(REVOKED_TOGETHER);
    assert!(are_all(before, RevokeOutcome::Before { at }) && are_all(now, RevokeOutcome::Now));
    assert!(receipt.is_complete(), "{receipt:?}");
    for node in &running.nodes {
        assert_eq!(
            admit(node, &ground.secrets[1]).expect_err("refused"),
            Refusal::Revoked
        );
    }
    running.stop().await;
}
