//! The audit chain.

use rescind_catalog::{AuditFault, AuditQuery, AuditVerdict, ChangeKind, Error};
use rescind_domain::{Act, Actor, UserId};
use rescind_testkit::FrozenClock;

use crate::stage::{NOW, Stage};

/// A statement, what undoes it, and which event must show it.
const TAMPERINGS: &[(&str, &str, i64, AuditFault)] = &[
    (
        "UPDATE audit_events SET sequence = 99 WHERE sequence = 3",
        "UPDATE audit_events SET sequence = 3 WHERE sequence = 99",
        3,
        AuditFault::Missing,
    ),
    (
        "UPDATE audit_events SET at = at + 1 WHERE sequence = 3",
        "UPDATE audit_events SET at = at - 1 WHERE sequence = 3",
        3,
        AuditFault::Altered,
    ),
    (
        "UPDATE audit_events SET revision = NULL WHERE sequence = 3",
        "UPDATE audit_events SET revision = 1 WHERE sequence = 3",
        3,
        AuditFault::Altered,
    ),
    (
        "UPDATE audit_events SET actor = 'operator' WHERE sequence = 3",
        "UPDATE audit_events SET actor = 'system' WHERE sequence = 3",
        3,
        AuditFault::Altered,
    ),
    (
        "UPDATE audit_events SET actor = 'nobody' WHERE sequence = 3",
        "UPDATE audit_events SET actor = 'system' WHERE sequence = 3",
        3,
        AuditFault::Altered,
    ),
    (
        "INSERT INTO accounts VALUES ('00000000-0000-4000-8000-000000000000', 'other', 1);
         UPDATE audit_events SET account_id = '00000000-0000-4000-8000-000000000000' WHERE sequence = 3",
        "UPDATE audit_events SET account_id =
             (SELECT account_id FROM audit_events WHERE sequence = 2) WHERE sequence = 3",
        3,
        AuditFault::Altered,
    ),
    (
        "UPDATE audit_events SET act = 'database_token.revoke' WHERE sequence = 3",
        "UPDATE audit_events SET act = 'database_token.create' WHERE sequence = 3",
        3,
        AuditFault::Altered,
    ),
    (
        "UPDATE audit_events SET subject = subject || 'x' WHERE sequence = 3",
        "UPDATE audit_events SET subject = replace(subject, 'x', '') WHERE sequence = 3",
        3,
        AuditFault::Altered,
    ),
    (
        "UPDATE audit_events SET details = '[]' WHERE sequence = 3",
        "UPDATE audit_events SET details = '[[\"because\",\"of a test\"]]' WHERE sequence = 3",
        3,
        AuditFault::Altered,
    ),
    (
        "UPDATE audit_events SET hash = replace(replace(hash, '0', '1'), '2', '1') WHERE sequence = 5",
        "",
        5,
        AuditFault::Altered,
    ),
];

pub(crate) async fn every_tampering_shows(stage: Stage) -> Result<(), Error> {
    for name in ["one", "two", "three"] {
        let (token, secret) = stage.token(name, &[]);
        stage.create_token(&token, &secret).await;
    }
    let intact = stage.catalog.verify_audit().await.expect("verifies");
    assert!(
        matches!(intact, AuditVerdict::Intact { events: 5, .. }),
        "{intact:?}"
    );
    for (statement, undo, sequence, fault) in TAMPERINGS {
        stage.tamper(statement).await.expect(statement);
        let verdict = stage.catalog.verify_audit().await.expect("verifies");
        let (sequence, fault) = (*sequence, *fault);
        assert_eq!(verdict, AuditVerdict::Broken { sequence, fault }, "{statement}");
        if !undo.is_empty() {
            assert_eq!(stage.tamper(undo).await.expect(undo), 1);
            assert_eq!(
                stage.catalog.verify_audit().await.expect("verifies"),
                intact,
                "{undo}"
            );
        }
    }
    // The last event was altered for good; without it, it is the tail that is missing.
    stage
        .tamper("DELETE FROM audit_events WHERE sequence = 5")
        .await
        .expect("deletes");
    let missing_tail = AuditVerdict::Broken {
        sequence: 5,
        fault: AuditFault::Missing,
    };
    assert_eq!(
        stage.catalog.verify_audit().await.expect("verifies"),
        missing_tail
    );
    stage
        .tamper("UPDATE ledger SET audit_sequence = 4")
        .await
        .expect("updates");
    let other_head = AuditVerdict::Broken {
        sequence: 4,
        fault: AuditFault::Altered,
    };
    assert_eq!(stage.catalog.verify_audit().await.expect("verifies"), other_head);
    stage
        .tamper("UPDATE ledger SET audit_sequence = 3")
        .await
        .expect("updates");
    let unexpected = AuditVerdict::Broken {
        sequence: 4,
        fault: AuditFault::Unexpected,
    };
    assert_eq!(stage.catalog.verify_audit().await.expect("verifies"), unexpected);
    Ok(())
}

/// Ten tokens made a minute apart, every other one by the user returned.
async fn make_tokens(stage: &Stage) -> Actor {
    let user = Actor::User(UserId::mint(&stage.rng));
    for minute in 0..10 {
        let (token, secret) = stage.token("t", &[]);
        let at = NOW.plus_micros(minute * 60_000_000);
        let mut act = stage.catalog.begin(&FrozenClock::at(at)).await.expect("begins");
        act.insert_database_token(&token, &secret).await.expect("token");
        let mut entry = stage.entry(
            Act::DatabaseTokenCreate,
            token.id,
            vec![ChangeKind::DatabaseToken(token.id)],
        );
        if minute % 2 == 0 {
            entry.actor = user;
        }
        act.commit(entry).await.expect("commits");
    }
    user
}

pub(crate) async fn events_are_found_by_what_they_say(stage: Stage) -> Result<(), Error> {
    let user = make_tokens(&stage).await;
    let all = AuditQuery::all(stage.account);
    let find = async |query: AuditQuery| {
        let page = stage.catalog.audit_events(&query).await.expect("reads");
        page.items
            .into_iter()
            .map(|event| event.sequence)
            .collect::<Vec<_>>()
    };
    assert_eq!(find(all.clone()).await, (1..=12).rev().collect::<Vec<_>>());
    let oldest_first = AuditQuery {
        newest_first: false,
        actor: Some(user),
        ..all.clone()
    };
    assert_eq!(find(oldest_first).await, [3, 5, 7, 9, 11]);
    let by_act = AuditQuery {
        act: Some(Act::ClusterCreate),
        ..all.clone()
    };
    assert_eq!(find(by_act).await, [2]);
    let by_prefix = async |prefix: &str| {
        let act_prefix = Some(prefix.to_owned());
        let query = AuditQuery {
            act_prefix,
            ..all.clone()
        };
        find(query).await
    };
    assert_eq!(by_prefix("database_token.").await.len(), 10);
    assert_eq!(by_prefix("account.").await, [1]);
    assert_eq!(by_prefix("Account.").await, Vec::<i64>::new());
    assert_eq!(by_prefix("%").await, Vec::<i64>::new());
    let by_subject = AuditQuery {
        subject: Some(stage.account.to_string()),
        ..all.clone()
    };
    assert_eq!(find(by_subject).await, [1]);
    let by_time = AuditQuery {
        from: Some(NOW.plus_micros(60_000_000)),
        to: Some(NOW.plus_micros(180_000_000)),
        ..all.clone()
    };
    assert_eq!(find(by_time).await, [5, 4]);
    let elsewhere = AuditQuery::all(rescind_domain::AccountId::mint(&stage.rng));
    assert_eq!(find(elsewhere).await, Vec::<i64>::new());

    let mut query = all;
    query.page.limit = 5;
    query.page.count = true;
    let mut walked = Vec::new();
    loop {
        let page = stage.catalog.audit_events(&query).await.expect("reads");
        assert_eq!(page.total, Some(12));
        walked.extend(page.items.iter().map(|event| event.sequence));
        match page.next {
            Some(next) => query.page.after = Some(next),
            None => break,
        }
    }
    assert_eq!(walked, (1..=12).rev().collect::<Vec<_>>());
    Ok(())
}
