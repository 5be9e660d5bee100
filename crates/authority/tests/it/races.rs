//! Admission beside changes: what a single node may get wrong under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rescind_authority::UpdateDatabaseToken;
use rescind_domain::{Action, Ask};

use crate::house::{House, set};

/// G1 under fire: whoever asks after a revoke returned is refused, however many ask beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_admission_begins_after_a_revoke_returned() {
    let house = Arc::new(House::new().await);
    for _ in 0..40 {
        let token = house.token(&[("read", "a")]).await;
        let is_revoked = Arc::new(AtomicBool::new(false));
        let asking = {
            let (house, is_revoked) = (Arc::clone(&house), Arc::clone(&is_revoked));
            let secret = token.secret.expose().to_owned();
            tokio::task::spawn_blocking(move || {
                let database = "a".parse().expect("a name");
                let ask = Ask {
                    action: Action::Read,
                    database: &database,
                };
                loop {
                    let was_revoked = is_revoked.load(Ordering::SeqCst);
                    let admitted = house.authority.admit(secret.as_bytes(), ask).is_ok();
                    assert!(
                        !(was_revoked && admitted),
                        "admitted after the revoke had returned"
                    );
                    if was_revoked {
                        break;
                    }
                }
            })
        };
        house
            .authority
            .revoke_database_token(&house.caller, house.place, token.item.id)
            .await
            .expect("revoked");
        is_revoked.store(true, Ordering::SeqCst);
        asking.await.expect("never admitted");
    }
}

/// A revocation is not undone by an update that was applied late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_updates_never_revive_a_token() {
    let house = Arc::new(House::new().await);
    for round in 0..20 {
        let token = house.token(&[("read", "a")]).await;
        let id = token.item.id;
        let updates: Vec<_> = (0..8)
            .map(|n| {
                let house = Arc::clone(&house);
                tokio::spawn(async move {
                    let update = UpdateDatabaseToken {
                        permissions: Some(set(&[("read", if n % 2 == 0 { "a" } else { "*" })])),
                        ..Default::default()
                    };
                    // Refused once the token is revoked: both outcomes are right.
                    let _ = house
                        .authority
                        .update_database_token(&house.caller, house.place, id, update)
                        .await;
                })
            })
            .collect();
        house
            .authority
            .revoke_database_token(&house.caller, house.place, id)
            .await
            .expect("revoked");
        house
            .admit(&token.secret, Action::Read, "a")
            .expect_err("refused at once");
        for update in updates {
            update.await.expect("ran");
        }
        house
            .admit(&token.secret, Action::Read, "a")
            .expect_err(&format!("refused for good, round {round}"));
    }
}

/// A client that goes away in the middle of a revoke does not leave it half done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_revoke_is_finished_all_the_same() {
    let house = Arc::new(House::new().await);
    let token = house.token(&[("read", "a")]).await;
    let abandoned = {
        let house = Arc::clone(&house);
        let id = token.item.id;
        tokio::spawn(async move {
            let revoke = house
                .authority
                .revoke_database_token(&house.caller, house.place, id);
            // Polled once, so that the act has begun, then dropped.
            let _ = tokio::time::timeout(std::time::Duration::from_nanos(1), revoke).await;
        })
    };
    abandoned.await.expect("dropped");
    // The next act queues behind the abandoned one.
    house.token(&[]).await;
    house
        .admit(&token.secret, Action::Read, "a")
        .expect_err("revoked all the same");
}
