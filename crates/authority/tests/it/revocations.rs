//! Revocations of many, and edits that meet each other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use rescind_authority::{CreateManagementToken, Error, Refusal, RevokeOutcome, UpdateDatabaseToken};
use rescind_domain::{Act, Action, DatabaseTokenId, Role};
use rescind_testkit::FrozenClock;

use crate::house::{House, set};

/// G1 and G6, for many at once: one revision, and every one refused and told.
#[tokio::test]
async fn many_tokens_are_revoked_in_one_act() {
    let house = House::new().await;
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(house.token(&[("read", "*")]).await);
    }
    let kept = house.token(&[("read", "*")]).await;
    house
        .authority
        .revoke_database_token(&house.caller, house.place, tokens[3].item.id)
        .await
        .expect("one before");
    let unknown = DatabaseTokenId::from_bytes([9; 16]);
    let mut ids: Vec<_> = tokens.iter().map(|token| token.item.id).collect();
    ids.extend([unknown, tokens[0].item.id]);
    let before = house.authority.revision();
    let done = house
        .authority
        .revoke_database_tokens(&house.caller, house.place, ids.clone())
        .await;
    let (outcomes, receipt) = done.expect("revoked");
    for token in &tokens {
        assert_eq!(
            house
                .admit(&token.secret, Action::Read, "a")
                .expect_err("refused"),
            Refusal::Revoked
        );
    }
    house.admit(&kept.secret, Action::Read, "a").expect("goes on");
    assert_eq!(receipt.revision.get(), before.get() + 1);
    assert_eq!(
        outcomes.iter().map(|one| one.id).collect::<Vec<_>>(),
        ids[..21],
        "in order, each once"
    );
    for one in &outcomes {
        let expected = match one.id {
            id if id == unknown => RevokeOutcome::NotFound,
            id if id == tokens[3].item.id => RevokeOutcome::Before {
                at: FrozenClock::START,
            },
            _ => RevokeOutcome::Now,
        };
        assert_eq!(one.outcome, expected);
    }
    let told = house
        .events()
        .await
        .into_iter()
        .filter(|event| event.act == Act::DatabaseTokenRevoke);
    let told: Vec<_> = told.map(|event| event.subject).collect();
    assert_eq!(told.len(), 20);
    assert!(
        tokens
            .iter()
            .all(|token| told.contains(&token.item.id.to_string()))
    );
}

/// G2, for many at once.
#[tokio::test]
async fn the_work_of_each_of_many_has_ended_when_their_revocation_returns() {
    let house = House::new().await;
    let tokens = [
        house.token(&[("read", "*")]).await,
        house.token(&[("read", "*")]).await,
    ];
    let running = house
        .admit(&tokens[1].secret, Action::Read, "a")
        .expect("admitted");
    let has_ended = Arc::new(AtomicBool::new(false));
    let work = tokio::spawn({
        let has_ended = Arc::clone(&has_ended);
        async move {
            running.cut().await;
            // Winding up takes its time, and the revoke waits for it.
            tokio::time::sleep(Duration::from_millis(50)).await;
            has_ended.store(true, Ordering::SeqCst);
        }
    });
    tokio::task::yield_now().await;
    let ids = tokens.iter().map(|token| token.item.id).collect();
    let done = house
        .authority
        .revoke_database_tokens(&house.caller, house.place, ids)
        .await;
    done.expect("revoked");
    assert!(
        has_ended.load(Ordering::SeqCst),
        "it returned before the work had ended"
    );
    work.await.expect("ran");
}

#[tokio::test]
async fn revoking_many_again_changes_nothing_and_holds_after_a_restart() {
    let house = House::new().await;
    let tokens = [
        house.token(&[("read", "*")]).await,
        house.token(&[("read", "*")]).await,
    ];
    let ids: Vec<_> = tokens.iter().map(|token| token.item.id).collect();
    let (_, first) = house
        .authority
        .revoke_database_tokens(&house.caller, house.place, ids.clone())
        .await
        .expect("revoked");
    let (again, second) = house
        .authority
        .revoke_database_tokens(&house.caller, house.place, ids)
        .await
        .expect("again");
    assert_eq!(second.revision, first.revision, "nothing was left to do");
    let at = FrozenClock::START;
    assert!(
        again
            .iter()
            .all(|one| one.outcome == RevokeOutcome::Before { at })
    );
    let house = house.reopened().await;
    for token in &tokens {
        house
            .admit(&token.secret, Action::Read, "a")
            .expect_err("for good");
    }
}

#[tokio::test]
async fn a_member_revokes_its_own_among_many() {
    let house = House::new().await;
    let grace = house.person("grace@example.com", Role::Member).await;
    let caller = house.recognise(&grace.secret).expect("grace");
    let foreign = house.token(&[("read", "*")]).await;
    let request = rescind_authority::CreateDatabaseToken {
        description: "own".parse().expect("a text"),
        permissions: set(&[("read", "*")]),
        expires_at: None,
    };
    let own = house
        .authority
        .create_database_token(&caller, house.place, request)
        .await
        .expect("made");
    let ids = vec![foreign.item.id, own.item.id];
    let (outcomes, _) = house
        .authority
        .revoke_database_tokens(&caller, house.place, ids)
        .await
        .expect("done");
    let outcomes: Vec<_> = outcomes.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [RevokeOutcome::NotYours, RevokeOutcome::Now]);
    house.admit(&foreign.secret, Action::Read, "a").expect("not hers");
    house.admit(&own.secret, Action::Read, "a").expect_err("hers");
}

#[tokio::test]
async fn many_management_tokens_are_revoked_in_one_act() {
    let house = House::new().await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let request = CreateManagementToken {
            description: None,
            expires_at: None,
        };
        let account = house.place.account;
        tokens.push(
            house
                .authority
                .create_management_token(&house.caller, account, request)
                .await
                .expect("made"),
        );
    }
    let ids: Vec<_> = tokens.iter().map(|token| token.item.id).collect();
    let done = house
        .authority
        .revoke_management_tokens(&house.caller, house.place.account, ids)
        .await;
    let (outcomes, _) = done.expect("revoked");
    assert!(outcomes.iter().all(|one| one.outcome == RevokeOutcome::Now));
    for token in &tokens {
        assert_eq!(
            house.bearer(&token.secret).expect_err("refused"),
            Refusal::Revoked
        );
    }
    house.bearer(&house.management_secret).expect("goes on");
}

#[tokio::test]
async fn one_act_revokes_a_bounded_number() {
    let house = House::new().await;
    let ids = |count: u32| {
        let id = |number: u32| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            DatabaseTokenId::from_bytes(bytes)
        };
        (0..count).map(id).collect::<Vec<_>>()
    };
    for count in [0, 100_001] {
        let refused = house
            .authority
            .revoke_database_tokens(&house.caller, house.place, ids(count))
            .await;
        assert!(
            matches!(refused, Err(Error::Invalid { field: "ids", .. })),
            "{count}"
        );
    }
    house
        .authority
        .revoke_database_tokens(&house.caller, house.place, ids(100_000))
        .await
        .expect("none is there");
}

/// They share transactions, and each is told of its own.
#[tokio::test]
async fn many_who_revoke_at_once_are_each_told() {
    let house = House::new().await;
    let mut tokens = Vec::new();
    for _ in 0..50 {
        tokens.push(house.token(&[("read", "*")]).await);
    }
    let mut ids: Vec<_> = tokens.iter().map(|token| token.item.id).collect();
    let unknown = DatabaseTokenId::from_bytes([9; 16]);
    ids.extend([tokens[0].item.id, unknown]);
    let revoke = |id| {
        house
            .authority
            .revoke_database_token(&house.caller, house.place, id)
    };
    let mut done = join_all(ids.into_iter().map(revoke)).await;
    let last = done.pop().expect("52 of them");
    assert!(matches!(last, Err(Error::NotFound { .. })), "{last:?}");
    let revisions: BTreeSet<_> = done
        .iter()
        .map(|receipt| receipt.as_ref().expect("revoked").revision)
        .collect();
    assert!(revisions.len() < 50, "each had a transaction of its own");
    for token in &tokens {
        let refusal = house.admit(&token.secret, Action::Read, "a");
        assert_eq!(refusal.expect_err("refused"), Refusal::Revoked);
    }
    let told = house.events().await;
    let told = told.iter().filter(|event| event.act == Act::DatabaseTokenRevoke);
    assert_eq!(told.count(), 50);
}

/// G1, within one transaction: whichever comes first, the other one's token has ended then.
#[tokio::test]
async fn of_two_tokens_that_revoke_each_other_one_does() {
    let house = House::new().await;
    let account = house.place.account;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let request = CreateManagementToken {
            description: None,
            expires_at: None,
        };
        let made = house
            .authority
            .create_management_token(&house.caller, account, request);
        tokens.push(made.await.expect("made"));
    }
    let callers: Vec<_> = tokens
        .iter()
        .map(|token| house.bearer(&token.secret).expect("known"))
        .collect();
    let busy = house.token(&[("read", "*")]).await;
    // The first has the turn, so that the two others wait for it and share the next.
    let (_, one, other) = tokio::join!(
        house
            .authority
            .revoke_database_token(&house.caller, house.place, busy.item.id),
        house
            .authority
            .revoke_management_token(&callers[0], account, tokens[1].item.id),
        house
            .authority
            .revoke_management_token(&callers[1], account, tokens[0].item.id),
    );
    one.expect("it came first");
    assert!(
        matches!(other, Err(Error::Refused(Refusal::Revoked))),
        "{other:?}"
    );
    house.bearer(&tokens[0].secret).expect("goes on");
}

/// Two administrators edit one token: the second learns of the first's edit instead of undoing it.
#[tokio::test]
async fn an_edit_of_what_has_changed_meanwhile_is_not_done() {
    let house = House::new().await;
    let token = house.token(&[("read", "a")]).await.item;
    let seen = Some((token.description.clone(), token.permissions.clone()));
    let edit = |permissions: &[(&str, &str)]| UpdateDatabaseToken {
        permissions: Some(set(permissions)),
        if_unchanged: seen.clone(),
        ..Default::default()
    };
    let update = |request| {
        house
            .authority
            .update_database_token(&house.caller, house.place, token.id, request)
    };
    update(edit(&[("read", "b")])).await.expect("the first");
    let Err(Error::Changed(current)) = update(edit(&[("read", "*")])).await else {
        panic!("the second was done");
    };
    assert_eq!(current.permissions, set(&[("read", "b")]));
    let kept = house
        .authority
        .database_token(&house.caller, house.place, token.id)
        .await
        .expect("read");
    assert_eq!(kept.permissions, set(&[("read", "b")]));
    let decided = UpdateDatabaseToken {
        if_unchanged: Some((current.description, current.permissions)),
        ..edit(&[("read", "*")])
    };
    update(decided).await.expect("having seen it");
}
