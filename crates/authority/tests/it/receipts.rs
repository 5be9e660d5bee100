//! Receipts: what is known of nodes that do not answer, how long that is waited for, and what the audit log keeps.

use std::sync::Arc;
use std::time::Duration;

use rescind_authority::{
    Acceptance, AuditQuery, AuditVerdict, Authority, Caller, Catalog, Created, Error, Location, NodeSettings,
    Place,
};
use rescind_domain::{Act, Action, AuditEvent, DatabaseToken, NodeState, Receipt, Revision};
use rescind_testkit::{FrozenClock, Postgres};
use tokio_util::sync::CancellationToken;

use crate::house::{House, client};
use crate::sharing;

/// Long enough for a busy machine to read the leases within the patience below.
const TERM: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_millis(1_500);

async fn open(location: &Location, number: u64) -> Arc<Authority> {
    let node = NodeSettings {
        lease_ttl: TERM,
        ..NodeSettings::alone("")
    };
    sharing::open(location, &Arc::new(FrozenClock::default()), number, node).await
}

async fn token(authority: &Arc<Authority>, caller: &Caller, place: Place) -> Created<DatabaseToken> {
    let request = sharing::reader();
    let made = authority.create_database_token(caller, place, request).await;
    made.expect("made")
}

fn states(receipt: &Receipt) -> Vec<(&str, &str)> {
    let word = |state| match state {
        NodeState::Applied { .. } => "applied",
        NodeState::Lapsed => "lapsed",
        NodeState::Awaited => "awaited",
    };
    let nodes = receipt.nodes.iter();
    nodes.map(|node| (node.node.as_str(), word(node.state))).collect()
}

/// Events of this act about this subject, the oldest first, once there are so many of them.
async fn events(
    authority: &Arc<Authority>,
    caller: &Caller,
    act: Act,
    subject: &str,
    many: usize,
) -> Vec<AuditEvent> {
    let query = AuditQuery {
        act: Some(act),
        subject: Some(subject.to_owned()),
        newest_first: false,
        ..AuditQuery::all(caller.account())
    };
    loop {
        authority.flush().await;
        let found = authority.audit_events(caller, &query).await.expect("read").items;
        if found.len() >= many {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn detail<'a>(event: &'a AuditEvent, name: &str) -> Option<&'a str> {
    let found = event.details.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_answer_is_awaited_as_long_as_the_caller_waits() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let location = Location::Postgres(server.url());
    let first = open(&location, 1).await;
    let (place, _) = sharing::found(&first).await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&first).run(shutdown.clone()));
    let operator = Caller::operator(place.account);
    let made = token(&first, &operator, place).await;
    let other = token(&first, &operator, place).await;

    // It holds a lease from now on, and nobody acknowledges or renews for it.
    let second = open(&location, 2).await;
    let hurried = operator.waiting_at_most(PATIENCE);
    let receipt = first
        .revoke_database_token(&hurried, place, made.item.id)
        .await
        .expect("done");
    assert_eq!(states(&receipt), [("node-1", "applied"), ("node-2", "awaited")]);
    assert!(
        !receipt.is_complete() && receipt.effective_at.is_none(),
        "{receipt:?}"
    );
    let within = receipt.settled_within.expect("some time");
    assert!(within <= TERM + TERM / 100, "{within:?}");
    let refused = first.admit(
        made.secret.expose().as_bytes(),
        rescind_domain::Ask {
            action: Action::Read,
            database: &"x".parse().expect("a name"),
        },
    );
    assert!(refused.is_err(), "it is done all the same");

    // Waiting again, by either way, ends with the lease.
    let revision = receipt.revision;
    let (again, repeated) = tokio::join!(
        first.wait_again(&operator, revision),
        first.revoke_database_token(&operator, place, made.item.id)
    );
    for receipt in [again.expect("known"), repeated.expect("done")] {
        assert_eq!(states(&receipt), [("node-1", "applied"), ("node-2", "lapsed")]);
        assert!(
            receipt.is_complete() && receipt.settled_within.is_none(),
            "{receipt:?}"
        );
    }
    assert!(!second.is_current(), "it has stopped by itself");

    // From then on nobody waits for it.
    let receipt = first.revoke_database_token(&hurried, place, other.item.id).await;
    assert_eq!(states(&receipt.expect("done")), [("node-1", "applied")]);

    // The audit log has what the caller was told, and what came of it.
    let subject = made.item.id.to_string();
    let events = events(&first, &operator, Act::DatabaseTokenReceipt, &subject, 2).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let nodes = detail(event, "nodes").expect("nodes");
            let last = nodes.split(", ").last().expect("one");
            (
                detail(event, "revision"),
                detail(event, "effective_at").is_some(),
                last,
            )
        })
        .collect();
    let number = revision.to_string();
    assert_eq!(
        told,
        [
            (Some(number.as_str()), false, "node-2 awaited"),
            (Some(number.as_str()), true, "node-2 lapsed")
        ]
    );
    shutdown.cancel();
    running.await.expect("ended");
}

/// A page that logs somebody in ends the browser's former session, and cannot keep people waiting for a term.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_ended_by_its_secret_in_the_time_that_somebody_has() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let location = Location::Postgres(server.url());
    let first = open(&location, 1).await;
    let (_, invitation) = sharing::found(&first).await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&first).run(shutdown.clone()));
    let acceptance = Acceptance {
        first_name: "Ada".to_owned(),
        last_name: "Byron".to_owned(),
        password: "correct lamp ferry onion".to_owned(),
    };
    let signed_in = first
        .accept_invitation(invitation.expose().as_bytes(), acceptance, client(1))
        .await
        .expect("accepted");
    let secret = signed_in.secret.expose().as_bytes();

    // It holds a lease from now on, and nobody acknowledges or renews for it.
    let _second = open(&location, 2).await;
    // The second time the session has ended already: what is known of the nodes is the same.
    for _ in 0..2 {
        let receipt = first.end_by_secret_within(secret, PATIENCE).await;
        let receipt = receipt.expect("done").expect("a session's secret");
        assert_eq!(states(&receipt), [("node-1", "applied"), ("node-2", "awaited")]);
        assert!(!receipt.is_complete(), "{receipt:?}");
        assert!(
            first.authenticate_session(secret).is_err(),
            "it is done all the same"
        );
    }
    let receipt = first.end_by_secret(secret).await.expect("done").expect("one");
    assert!(receipt.is_complete(), "{receipt:?}");
    shutdown.cancel();
    running.await.expect("ended");
}

#[tokio::test]
async fn a_revision_to_come_is_not_waited_for() {
    let house = House::new().await;
    let next = Revision::new(house.authority.revision().get() + 1);
    let waited = house.authority.wait_again(&house.caller, next).await;
    assert!(matches!(waited, Err(Error::NotFound { .. })), "{waited:?}");
    let waited = house
        .authority
        .wait_again(&house.caller, house.authority.revision())
        .await;
    assert!(waited.expect("known").is_complete());
}

#[tokio::test]
async fn every_revocation_has_its_receipt_in_the_audit_log_and_the_chain_holds() {
    let house = House::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(house.token(&[("read", "*")]).await.item.id);
    }
    let several = ids.split_off(2);
    for id in &ids {
        let one = house
            .authority
            .revoke_database_token(&house.caller, house.place, *id);
        one.await.expect("revoked");
        // What changes nothing has none.
        let again = house
            .authority
            .revoke_database_token(&house.caller, house.place, *id);
        again.await.expect("revoked");
    }
    let at_once = house
        .authority
        .revoke_database_tokens(&house.caller, house.place, several)
        .await;
    let (_, receipt) = at_once.expect("revoked");
    let grace = house
        .person("grace@example.com", rescind_domain::Role::Member)
        .await;
    let disabled = house
        .authority
        .disable_user(&house.caller, house.place.account, grace.user.id)
        .await;
    disabled.expect("disabled");
    let before = house.authority.revision();

    for id in &ids {
        let events = events(
            &house.authority,
            &house.caller,
            Act::DatabaseTokenReceipt,
            &id.to_string(),
            1,
        )
        .await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0].actor, house.caller.actor());
        assert!(detail(&events[0], "nodes").is_some_and(|nodes| nodes.starts_with("node-1 applied ")));
    }
    let revision = receipt.revision.to_string();
    let of_all = events(
        &house.authority,
        &house.caller,
        Act::DatabaseTokenReceipt,
        &revision,
        1,
    )
    .await;
    assert_eq!(detail(&of_all[0], "revision"), Some(revision.as_str()));
    let of_user = grace.user.id.to_string();
    events(&house.authority, &house.caller, Act::UserReceipt, &of_user, 1).await;
    assert_eq!(
        house.authority.revision(),
        before,
        "receipts change nothing for nodes"
    );

    let file = house.directory.path().join("catalog.sqlite");
    let catalog = Catalog::open(&Location::Sqlite(file)).await.expect("a catalog");
    let verdict = catalog.verify_audit().await.expect("read");
    assert!(matches!(verdict, AuditVerdict::Intact { .. }), "{verdict:?}");
}
