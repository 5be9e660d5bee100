//! Nodes that missed something.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rescind_authority::{
    Acceptance, Admission, Authority, Caller, Catalog, CreateDatabase, Created, Error, Location,
    NodeSettings, Place, Refusal, SessionLimits, TokenSearch,
};
use rescind_domain::{Action, Ask, DatabaseLimits, DatabaseToken, NodeState, Secret};
use rescind_testkit::{FrozenClock, Postgres};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::house::{PASSWORD, client};
use crate::sharing;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

async fn open(location: &Location, clock: &Arc<FrozenClock>, number: u64) -> Arc<Authority> {
    sharing::open(location, clock, number, NodeSettings::alone("")).await
}

/// Until the test ends.
fn run(authority: &Arc<Authority>) {
    tokio::spawn(Arc::clone(authority).run(CancellationToken::new()));
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

struct Ground {
    place: Place,
    caller: Caller,
    invitation: Secret,
}

impl Ground {
    async fn lay(authority: &Arc<Authority>) -> Self {
        let (place, invitation) = sharing::found(authority).await;
        Self {
            place,
            caller: Caller::operator(place.account),
            invitation,
        }
    }

    async fn token(&self, authority: &Arc<Authority>) -> Result<Created<DatabaseToken>, Error> {
        authority
            .create_database_token(&self.caller, self.place, sharing::reader())
            .await
    }
}

fn admit(authority: &Authority, token: &Created<DatabaseToken>) -> Result<Admission, Refusal> {
    let database = "late".parse().expect("a name");
    let ask = Ask {
        action: Action::Read,
        database: &database,
    };
    authority.admit(token.secret.expose().as_bytes(), ask)
}

/// A node does not hear of `here` for so long that what happened is forgotten. Both are served by one catalog.
async fn away_and_back(location: &Location, [here, away]: [&Arc<Authority>; 2], ground: &Ground) {
    let gone = ground.token(away).await.expect("made");
    let kept = ground.token(away).await.expect("made");
    let running = admit(away, &gone).expect("admitted");

    let revoked = here.revoke_database_token(&ground.caller, ground.place, gone.item.id);
    let receipt = revoked.await.expect("revoked");
    let lapsed = receipt
        .nodes
        .iter()
        .filter(|node| node.state == NodeState::Lapsed);
    assert_eq!(
        lapsed.count(),
        usize::from(matches!(location, Location::Postgres(_)))
    );
    let request = CreateDatabase {
        name: "late".parse().expect("a name"),
        limits: DatabaseLimits::default(),
        partition_template: None,
    };
    let made = here.create_database(&ground.caller, ground.place, request).await;
    made.expect("a database");
    let new = ground.token(here).await.expect("made");
    let catalog = Catalog::open(location).await.expect("a catalog");
    catalog.prune_changes(here.revision()).await.expect("forgotten");

    // Whatever makes it look again, it finds that it cannot follow, and admits nothing.
    let acted = ground.token(away).await;
    assert!(catalog.is_shared() || matches!(acted, Err(Error::Unavailable(_))));
    for token in [&kept, &gone] {
        assert_eq!(admit(away, token).expect_err("closed"), Refusal::Unavailable);
    }

    run(away);
    until("it admits again", || admit(away, &kept).is_ok()).await;
    assert_eq!(away.revision(), catalog.revision().await.expect("read"));
    assert_eq!(admit(away, &gone).expect_err("revoked"), Refusal::Revoked);
    let admitted = admit(away, &new).expect("admitted");
    assert!(
        away.database_view(admitted.permit()).is_some(),
        "the database is known"
    );
    timeout(PATIENCE, running.cut())
        .await
        .expect("what ran under the token is cut");
    let search = TokenSearch::default();
    let listed = away.search_database_tokens(&ground.caller, ground.place, &search);
    assert_eq!(listed.await.expect("listed").total, 4);

    // And it follows from there.
    let another = ground.token(here).await.expect("made");
    ground.token(away).await.expect("made");
    admit(away, &another).expect("it knows the newest token");
    assert_eq!(
        away.grant_count(),
        here.grant_count() + usize::from(!catalog.is_shared())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_missed_forgotten_changes_loads_everything() {
    let directory = tempfile::tempdir().expect("a directory");
    let location = Location::Sqlite(directory.path().join("catalog.sqlite"));
    let clock = Arc::new(FrozenClock::default());
    let away = open(&location, &clock, 1).await;
    let ground = Ground::lay(&away).await;
    let here = open(&location, &clock, 2).await;
    away_and_back(&location, [&here, &away], &ground).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_share_a_catalog() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let location = Location::Postgres(server.url());
    let clock = Arc::new(FrozenClock::default());
    let here = open(&location, &clock, 1).await;
    run(&here);
    let ground = Ground::lay(&here).await;
    // Not before it is needed: it keeps no lease.
    let away = open(&location, &clock, 2).await;
    away_and_back(&location, [&here, &away], &ground).await;
    what_is_used_on_one_is_not_idle_on_the_other([&here, &away], &clock, &ground).await;
    whoever_sees_the_catalog_go_back_closes(&server, &here, &ground).await;
}

async fn what_is_used_on_one_is_not_idle_on_the_other(
    [one, other]: [&Arc<Authority>; 2],
    clock: &FrozenClock,
    ground: &Ground,
) {
    let acceptance = Acceptance {
        first_name: "Grace".to_owned(),
        last_name: "Hopper".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let secret = ground.invitation.expose().as_bytes();
    let signed_in = one.accept_invitation(secret, acceptance, client(1)).await;
    let signed_in = signed_in.expect("signed in");
    let secret = signed_in.secret.expose().as_bytes();
    other.authenticate_session(secret).expect("recognised");
    let idle = SessionLimits::default().idle;
    clock.advance(idle / 4 * 3);
    one.authenticate_session(secret).expect("in use");
    one.record_uses().await.expect("written down");
    clock.advance(idle / 2);
    // It last saw a use longer ago than a session may lie idle.
    until("the other node hears of the use", || {
        other.authenticate_session_quietly(secret).is_ok()
    })
    .await;
    clock.advance(idle);
    for node in [one, other] {
        let refused = node.authenticate_session_quietly(secret).expect_err("idle");
        assert_eq!(refused, Refusal::Expired);
    }
}

/// As if the catalog had been restored from a back-up, however much is done on it since.
async fn whoever_sees_the_catalog_go_back_closes(server: &Postgres, node: &Arc<Authority>, ground: &Ground) {
    let token = ground.token(node).await.expect("made");
    admit(node, &token).expect("admitted");
    let ask = |sql: &str| server.ask(sql).expect("done");
    ask("UPDATE ledger SET revision = revision - 2");
    // Be it that it hears of it by an act of its own.
    let acted = ground.token(node).await;
    assert!(matches!(acted, Err(Error::Unavailable(_))));
    assert_eq!(admit(node, &token).expect_err("closed"), Refusal::Closed);
    ask("UPDATE ledger SET revision = revision + 100");
    for _ in 0..20 {
        assert_eq!(admit(node, &token).expect_err("closed"), Refusal::Closed);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
