//! The promises of DESIGN section 1 that a single node can break.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rescind_authority::{Caller, CreateManagementToken, Error, Refusal, UpdateDatabaseToken, UpdateUser};
use rescind_domain::{Action, NodeState, Role, UserId};

use rescind_testkit::FrozenClock;

use crate::house::{House, PASSWORD, set};

/// G1: refused.
#[tokio::test]
async fn when_revoke_returns_the_token_is_refused() {
    let house = House::new().await;
    let token = house.token(&[("read", "*")]).await;
    house
        .admit(&token.secret, Action::Read, "a")
        .expect("admitted before");
    let receipt = house
        .authority
        .revoke_database_token(&house.caller, house.place, token.item.id)
        .await;
    assert_eq!(
        house
            .admit(&token.secret, Action::Read, "a")
            .expect_err("refused"),
        Refusal::Revoked
    );
    let receipt = receipt.expect("a receipt");
    assert_eq!(receipt.revision, house.authority.revision());
    assert_eq!(receipt.nodes.len(), 1);
    assert!(receipt.is_complete());
    assert!(matches!(receipt.nodes[0].state, NodeState::Applied { .. }));
}

/// G1: refused, for a permission taken away.
#[tokio::test]
async fn when_update_returns_a_permission_taken_away_is_refused() {
    let house = House::new().await;
    let token = house.token(&[("read", "a"), ("write", "a")]).await;
    let update = UpdateDatabaseToken {
        permissions: Some(set(&[("read", "a")])),
        ..Default::default()
    };
    house
        .authority
        .update_database_token(&house.caller, house.place, token.item.id, update)
        .await
        .expect("updated");
    house.admit(&token.secret, Action::Read, "a").expect("kept");
    assert!(matches!(
        house.admit(&token.secret, Action::Write, "a"),
        Err(Refusal::Forbidden(_))
    ));
}

/// G1: refused, for management tokens.
#[tokio::test]
async fn a_revoked_management_token_is_refused_even_when_it_revoked_itself() {
    let house = House::new().await;
    let own = match house.caller.actor() {
        rescind_domain::Actor::ManagementToken(id) => id,
        other => panic!("{other}"),
    };
    house
        .authority
        .revoke_management_token(&house.caller, house.place.account, own)
        .await
        .expect("revoked");
    let again = house
        .authority
        .authenticate(house.management_secret.expose().as_bytes());
    assert_eq!(again.expect_err("refused"), Refusal::Revoked);
}

/// G1: refused, for what was still waiting for its turn or its body when the token was revoked.
#[tokio::test]
async fn an_act_that_begins_after_its_token_was_revoked_is_not_done() {
    let house = House::new().await;
    let request = CreateManagementToken {
        description: None,
        expires_at: None,
    };
    let account = house.place.account;
    let leaked = house
        .authority
        .create_management_token(&house.caller, account, request.clone())
        .await
        .expect("made");
    let holder = house
        .authority
        .authenticate(leaked.secret.expose().as_bytes())
        .expect("authenticated in time");
    house
        .authority
        .revoke_management_token(&house.caller, account, leaked.item.id)
        .await
        .expect("revoked");
    let late = house
        .authority
        .create_management_token(&holder, account, request)
        .await;
    assert!(matches!(late, Err(Error::Refused(Refusal::Revoked))));
}

/// G2: cut.
#[tokio::test]
async fn running_work_is_cut_before_revoke_returns() {
    let house = House::new().await;
    let token = house.token(&[("read", "*")]).await;
    let running = house.admit(&token.secret, Action::Read, "a").expect("admitted");
    assert!(!running.permit().is_cut());
    let has_ended = Arc::new(AtomicBool::new(false));
    let work = tokio::spawn({
        let has_ended = Arc::clone(&has_ended);
        async move {
            running.cut().await;
            let was_cut = running.permit().is_cut();
            // Winding up takes its time, and the revoke waits for it.
            tokio::time::sleep(Duration::from_millis(50)).await;
            has_ended.store(true, Ordering::SeqCst);
            was_cut
        }
    });
    tokio::task::yield_now().await;
    house
        .authority
        .revoke_database_token(&house.caller, house.place, token.item.id)
        .await
        .expect("revoked");
    assert!(
        has_ended.load(Ordering::SeqCst),
        "the revoke returned before the work had ended"
    );
    assert!(work.await.expect("ran"));
}

/// G2: cut, when work was admitted under a former set of permissions.
#[tokio::test]
async fn work_admitted_before_an_update_is_cut_by_a_later_revoke() {
    let house = House::new().await;
    let token = house.token(&[("read", "a")]).await;
    let running = house.admit(&token.secret, Action::Read, "a").expect("admitted");
    let update = UpdateDatabaseToken {
        permissions: Some(set(&[("read", "*")])),
        ..Default::default()
    };
    house
        .authority
        .update_database_token(&house.caller, house.place, token.item.id, update)
        .await
        .expect("updated");
    assert!(!running.permit().is_cut(), "more rights end nothing");
    let work = tokio::spawn(async move { running.cut().await });
    house
        .authority
        .revoke_database_token(&house.caller, house.place, token.item.id)
        .await
        .expect("revoked");
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("cut")
        .expect("ran");
}

/// G1 and G2, for a token whose time is up: what it had running ends, though nobody revoked it.
#[tokio::test]
async fn running_work_is_cut_when_the_token_expires() {
    let house = House::new().await;
    let end = FrozenClock::START.plus_micros(60_000_000);
    let token = house.token_until(&[("write", "*")], Some(end)).await;
    let running = house.admit(&token.secret, Action::Write, "a").expect("admitted");
    house.clock.advance(Duration::from_secs(59));
    assert!(!running.permit().is_cut());
    let waiting = tokio::spawn({
        let running = running.clone();
        async move { running.cut().await }
    });
    house.clock.advance(Duration::from_secs(1));
    assert!(running.permit().is_cut(), "a commit that asks now is refused");
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("woken")
        .expect("ran");
    drop(running);
}

/// G4: active.
#[tokio::test]
async fn when_create_returns_the_token_is_admitted() {
    let house = House::new().await;
    let token = house.token(&[("write", "a")]).await;
    house
        .admit(&token.secret, Action::Write, "a")
        .expect("no waiting");
}

/// G5: kept, across a restart from the file.
#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let house = House::new().await;
    let (kept, revoked) = (
        house.token(&[("read", "a")]).await,
        house.token(&[("read", "a")]).await,
    );
    house
        .authority
        .revoke_database_token(&house.caller, house.place, revoked.item.id)
        .await
        .expect("revoked");
    let revision = house.authority.revision();
    let house = house.reopened().await;
    assert_eq!(house.authority.revision(), revision);
    house.admit(&kept.secret, Action::Read, "a").expect("kept");
    house
        .admit(&revoked.secret, Action::Read, "a")
        .expect_err("refused");
}

/// G6: told, and no secret with it.
#[tokio::test]
async fn every_act_is_in_the_audit_log_and_no_secret_is_on_disk() {
    let house = House::new().await;
    house.database("weather").await;
    let token = house.token(&[("read", "weather")]).await;
    house
        .authority
        .revoke_database_token(&house.caller, house.place, token.item.id)
        .await
        .expect("revoked");
    insta::assert_snapshot!(log(&house).await);
    assert_none_on_disk(&house, &[token.secret.expose(), house.management_secret.expose()]);
}

/// G6: told, and no secret with it: what people do and what is done to them.
#[tokio::test]
async fn every_act_on_people_is_in_the_audit_log_and_no_secret_is_on_disk() {
    let house = House::new().await;
    let (authority, account) = (&house.authority, house.place.account);
    let ada = house.ada().await;
    let caller = house.recognise(&ada.secret).expect("ada");
    let withdrawn = house.invite("eve@example.com", Role::Auditor).await;
    authority
        .revoke_invitation(&caller, account, withdrawn.item.id)
        .await
        .expect("withdrawn");
    let invited = house.invite("grace@example.com", Role::Member).await;
    let grace = house.accept(&invited.secret, PASSWORD).await.expect("accepted");
    let link = house.invite("grace@example.com", Role::Member).await;
    let browser = house
        .sign_in("grace@example.com", PASSWORD)
        .await
        .expect("signed in");
    let grace_caller = house.recognise(&browser.secret).expect("grace");
    let device = house.device(&grace_caller).await;
    let refused = house.ask_device().await;
    authority
        .answer_device(&grace_caller, &refused.request.user_code, false)
        .await
        .expect("refused");
    authority
        .end_session(&grace_caller, grace.session.id)
        .await
        .expect("ended");
    let other = "another lamp ferry onion";
    act_on(&house, &caller, grace.user.id, other).await;
    authority.end_sessions(&caller, false).await.expect("ended");
    insta::assert_snapshot!(log(&house).await);
    let secrets = [
        &ada.secret,
        &withdrawn.secret,
        &invited.secret,
        &link.secret,
        &browser.secret,
        &device.secret,
        &refused.secret,
        &house.invitation_secret,
    ];
    let mut secrets: Vec<&str> = secrets.iter().map(|secret| secret.expose()).collect();
    secrets.extend([PASSWORD, other]);
    assert_none_on_disk(&house, &secrets);
}

/// All that is done to a user, up to its end.
async fn act_on(house: &House, caller: &Caller, id: UserId, password: &str) {
    let (authority, account) = (&house.authority, house.place.account);
    let promotion = UpdateUser {
        role: Some(Role::Admin),
        ..Default::default()
    };
    authority
        .update_user(caller, account, id, promotion)
        .await
        .expect("promoted");
    authority
        .disable_user(caller, account, id)
        .await
        .expect("disabled");
    authority.enable_user(caller, account, id).await.expect("enabled");
    authority
        .set_password(caller, id, password.to_owned())
        .await
        .expect("set");
    let program = house
        .sign_in("grace@example.com", password)
        .await
        .expect("signed in");
    authority
        .end_by_secret(program.secret.expose().as_bytes())
        .await
        .expect("ended");
    authority.delete_user(caller, account, id).await.expect("deleted");
}

/// The whole audit log, the oldest event first, with the kinds of actors but not their ids.
async fn log(house: &House) -> String {
    let mut lines: Vec<String> = Vec::new();
    for event in house.events().await.iter().rev() {
        let details = event.details.iter().map(|(key, value)| format!("{key}={value}"));
        let revision = event
            .revision
            .map_or_else(|| "-".to_owned(), |revision| revision.to_string());
        let actor = event.actor.to_string();
        lines.push(format!(
            "{} r{revision} {} {} {}",
            event.sequence,
            actor.split(':').next().unwrap_or_default(),
            event.act,
            details.collect::<Vec<_>>().join(" ")
        ));
    }
    lines.join("\n")
}

fn assert_none_on_disk(house: &House, secrets: &[&str]) {
    for file in std::fs::read_dir(house.directory.path()).expect("listed") {
        let bytes = std::fs::read(file.expect("an entry").path()).expect("read");
        for secret in secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "a secret is on disk");
        }
    }
}

#[tokio::test]
async fn revoking_again_changes_nothing_and_answers_the_same() {
    let house = House::new().await;
    let token = house.token(&[]).await;
    let first = house
        .authority
        .revoke_database_token(&house.caller, house.place, token.item.id)
        .await
        .expect("first");
    house.clock.advance(Duration::from_secs(60));
    let second = house
        .authority
        .revoke_database_token(&house.caller, house.place, token.item.id)
        .await
        .expect("second");
    assert_eq!(first.revision, second.revision);
    let read = house
        .authority
        .database_token(&house.caller, house.place, token.item.id)
        .await
        .expect("read");
    assert_eq!(read.state.revoked_at(), Some(FrozenClock::START));
}

#[tokio::test]
async fn a_revoked_token_cannot_be_changed_back() {
    let house = House::new().await;
    let token = house.token(&[]).await;
    house
        .authority
        .revoke_database_token(&house.caller, house.place, token.item.id)
        .await
        .expect("revoked");
    let update = UpdateDatabaseToken {
        permissions: Some(set(&[("read", "*")])),
        ..Default::default()
    };
    let result = house
        .authority
        .update_database_token(&house.caller, house.place, token.item.id, update)
        .await;
    assert!(matches!(result, Err(Error::Conflict(_))));
}
