//! Sessions: who is signed in, for how long, and what ends it.

use std::time::Duration;

use rescind_authority::{Refusal, SignInError, SignedIn, UpdateUser};
use rescind_domain::{Act, Role, SessionKind};

use crate::house::{House, PASSWORD, client, invite};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn is_wrong(result: Result<SignedIn, SignInError>) -> bool {
    matches!(result, Err(SignInError::Wrong))
}

#[tokio::test]
async fn only_the_right_password_of_an_enabled_user_signs_in() {
    let house = House::new().await;
    assert!(
        is_wrong(house.sign_in("ada@example.com", PASSWORD).await),
        "none is set yet"
    );
    let ada = house.ada().await;
    let signed_in = house
        .sign_in(" ADA@example.com ", PASSWORD)
        .await
        .expect("signed in");
    assert_eq!(signed_in.user.id, ada.user.id);
    assert_eq!(signed_in.session.kind, SessionKind::Browser);
    assert_ne!(signed_in.secret.expose(), ada.secret.expose());
    let caller = house.recognise(&signed_in.secret).expect("recognised");
    assert_eq!(caller.user(), Some(ada.user.id));
    assert_eq!(caller.session(), Some(signed_in.session.id));
    assert_eq!(caller.role(), Role::Admin);

    for wrong in ["", "correct lamp ferry oniom", "correct lamp ferry onion "] {
        assert!(
            is_wrong(house.sign_in("ada@example.com", wrong).await),
            "{wrong:?}"
        );
    }
    for nobody in ["grace@example.com", "no address", ""] {
        assert!(is_wrong(house.sign_in(nobody, PASSWORD).await), "{nobody:?}");
    }
    let member = house.person("grace@example.com", Role::Member).await;
    house
        .authority
        .disable_user(&house.caller, house.place.account, member.user.id)
        .await
        .expect("disabled");
    assert!(is_wrong(house.sign_in("grace@example.com", PASSWORD).await));
    house
        .authority
        .enable_user(&house.caller, house.place.account, member.user.id)
        .await
        .expect("enabled");
    house
        .sign_in("grace@example.com", PASSWORD)
        .await
        .expect("signs in again");
}

#[tokio::test]
async fn whoever_fails_five_times_waits_even_with_the_right_password() {
    let house = House::new().await;
    house.ada().await;
    for _ in 0..5 {
        assert!(is_wrong(house.sign_in("ada@example.com", "wrong").await));
    }
    let sixth = house.sign_in("ada@example.com", PASSWORD).await;
    let Err(SignInError::Throttled { retry_after }) = sixth else {
        panic!("not throttled");
    };
    assert!(retry_after <= Duration::from_secs(5), "{retry_after:?}");
    let elsewhere = house
        .authority
        .sign_in("ada@example.com", PASSWORD.to_owned(), client(9));
    elsewhere.await.expect("the person elsewhere is not locked out");
    for _ in 0..5 {
        assert!(is_wrong(house.sign_in("nobody@example.com", PASSWORD).await));
    }
    let unknown = house.sign_in("nobody@example.com", PASSWORD).await;
    assert!(
        matches!(unknown, Err(SignInError::Throttled { .. })),
        "unknown addresses as well"
    );
}

/// What is told of a failure never says whether there is such a user, but administrators see it.
#[tokio::test]
async fn a_failed_attempt_of_a_user_is_in_the_audit_log() {
    let house = House::new().await;
    house.ada().await;
    assert!(is_wrong(house.sign_in("nobody@example.com", "wrong").await));
    assert!(is_wrong(house.sign_in("ada@example.com", "wrong").await));
    let failure = loop {
        let found = house
            .events()
            .await
            .into_iter()
            .find(|event| event.act == Act::SignInFailure);
        match found {
            Some(event) => break event,
            None => tokio::task::yield_now().await,
        }
    };
    let details: Vec<_> = failure
        .details
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        details,
        ["email=ada@example.com", "address=192.0.2.1", "agent=a test"]
    );
}

#[tokio::test]
async fn a_session_left_alone_ends_and_one_in_use_goes_on() {
    let house = House::new().await;
    let (used, alone) = (
        house.ada().await,
        house.sign_in("ada@example.com", PASSWORD).await.expect("in"),
    );
    house.clock.advance(HOUR);
    house.recognise(&used.secret).expect("in use");
    house.clock.advance(HOUR);
    house.recognise(&alone.secret).expect("two hours to the moment");
    house.clock.advance(HOUR);
    house.recognise(&used.secret).expect("in use");
    house.clock.advance(HOUR + Duration::from_micros(1));
    assert_eq!(
        house.recognise(&alone.secret).expect_err("left alone"),
        Refusal::Expired
    );
    let caller = house.recognise(&used.secret).expect("in use");
    house.authority.record_uses().await.expect("flushed");
    let own = house.authority.own_sessions(&caller).await.expect("listed");
    assert_eq!(
        own.iter().map(|session| session.id).collect::<Vec<_>>(),
        [used.session.id]
    );
}

/// When it was last used is known to a few seconds after a restart.
#[tokio::test]
async fn a_restart_wakes_no_session_that_lay_idle() {
    let house = House::new().await;
    let (used, alone) = (
        house.ada().await,
        house.sign_in("ada@example.com", PASSWORD).await.expect("in"),
    );
    house.clock.advance(HOUR);
    house.recognise(&used.secret).expect("in use");
    house.authority.record_uses().await.expect("flushed");
    house.clock.advance(HOUR + Duration::from_secs(1));
    let house = house.reopened().await;
    assert_eq!(
        house.recognise(&alone.secret).expect_err("idle"),
        Refusal::Expired
    );
    house.recognise(&used.secret).expect("used an hour ago");
}

#[tokio::test]
async fn no_session_lasts_longer_than_its_time_however_much_it_is_used() {
    let house = House::new().await;
    let ada = house.ada().await;
    let device = house.device(&house.recognise(&ada.secret).expect("ada")).await;
    assert_eq!(device.session.kind, SessionKind::Device);
    for minutes in 1..60 {
        house.clock.advance(Duration::from_secs(60));
        house
            .bearer(&device.secret)
            .unwrap_or_else(|refusal| panic!("{minutes}: {refusal}"));
    }
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(
        house.bearer(&device.secret).expect_err("one hour"),
        Refusal::Expired
    );
    for _ in 1..11 {
        house.recognise(&ada.secret).expect("within its time");
        house.clock.advance(HOUR);
    }
    house.recognise(&ada.secret).expect("eleven hours");
    house.clock.advance(HOUR);
    assert_eq!(
        house.recognise(&ada.secret).expect_err("twelve hours"),
        Refusal::Expired
    );
}

/// Every way to end sessions.
#[derive(Debug, Clone, Copy)]
enum End {
    One,
    Others,
    All,
    BySecret,
    Disabling,
    Deleting,
    ByOperator,
    ByLink,
}

/// G1: when an act that ends sessions returns, they are refused, and after a restart, too.
#[tokio::test]
async fn when_sessions_are_ended_they_are_refused_for_good() {
    // Of the session that asks, another browser's and a device's: which go on.
    for (end, kept) in [
        (End::One, [false, true, true]),
        (End::Others, [true, false, false]),
        (End::All, [false, false, false]),
        (End::BySecret, [false, true, true]),
        (End::Disabling, [false, false, false]),
        (End::Deleting, [false, false, false]),
        (End::ByOperator, [false, false, false]),
        (End::ByLink, [false, false, false]),
    ] {
        let house = House::new().await;
        house.ada().await;
        let own = house.person("grace@example.com", Role::Admin).await;
        let other = house
            .sign_in("grace@example.com", PASSWORD)
            .await
            .expect("signed in");
        let device = house.device(&house.recognise(&own.secret).expect("own")).await;
        let link = house.invite("grace@example.com", Role::Admin).await;
        finish(&house, end, &own, &link.secret).await;
        let check = |house: &House, when: &str| {
            let recognised = [
                house.recognise(&own.secret).is_ok(),
                house.recognise(&other.secret).is_ok(),
                house.bearer(&device.secret).is_ok(),
            ];
            assert_eq!(recognised, kept, "{end:?}, {when}");
        };
        check(&house, "at once");
        if !kept[0] {
            assert_eq!(house.recognise(&own.secret).expect_err("ended"), Refusal::Revoked);
        }
        let house = house.reopened().await;
        check(&house, "after a restart");
    }
}

async fn finish(house: &House, end: End, own: &SignedIn, link: &rescind_domain::Secret) {
    let (authority, account, user) = (&house.authority, house.place.account, own.user.id);
    let caller = house.recognise(&own.secret).expect("recognised");
    match end {
        End::One => drop(
            authority
                .end_session(&caller, own.session.id)
                .await
                .expect("ended"),
        ),
        End::Others => drop(authority.end_sessions(&caller, true).await.expect("ended")),
        End::All => drop(authority.end_sessions(&caller, false).await.expect("ended")),
        End::BySecret => drop(
            authority
                .end_by_secret(own.secret.expose().as_bytes())
                .await
                .expect("ended"),
        ),
        End::Disabling => drop(
            authority
                .disable_user(&house.caller, account, user)
                .await
                .expect("disabled"),
        ),
        End::Deleting => drop(
            authority
                .delete_user(&house.caller, account, user)
                .await
                .expect("deleted"),
        ),
        End::ByOperator => {
            let password = "another lamp ferry onion".to_owned();
            let operator = authority.operator().await.expect("the operator");
            authority
                .set_password(&operator, user, password)
                .await
                .expect("set");
        }
        End::ByLink => drop(
            house
                .accept(link, "another lamp ferry onion")
                .await
                .expect("accepted"),
        ),
    }
}

#[tokio::test]
async fn ending_a_session_again_changes_nothing_and_nobody_ends_anothers() {
    let house = House::new().await;
    let (ada, grace) = (
        house.ada().await,
        house.person("grace@example.com", Role::Member).await,
    );
    let other = house
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect("signed in");
    let (ada_caller, grace_caller) = (
        house.recognise(&ada.secret).expect("ada"),
        house.recognise(&grace.secret).expect("grace"),
    );
    let stolen = house.authority.end_session(&grace_caller, ada.session.id).await;
    assert!(matches!(stolen, Err(rescind_authority::Error::NotFound { .. })));
    let first = house
        .authority
        .end_session(&ada_caller, other.session.id)
        .await
        .expect("ended");
    let again = house
        .authority
        .end_session(&ada_caller, other.session.id)
        .await
        .expect("ended before");
    assert_eq!(first.revision, again.revision);
    house.recognise(&ada.secret).expect("goes on");
    let token = house.authority.own_sessions(&house.caller).await;
    assert!(
        matches!(token, Err(rescind_authority::Error::Forbidden(_))),
        "a token has no sessions"
    );
}

/// RFC 7009 section 2.2: what is unknown or ended is no error, and secrets of other kinds end nothing.
#[tokio::test]
async fn ending_by_a_secret_ends_what_it_carries_and_nothing_else() {
    let house = House::new().await;
    let ada = house.ada().await;
    let device = house.device(&house.recognise(&ada.secret).expect("ada")).await;
    let token = house.token(&[("read", "*")]).await;
    for secret in [&house.management_secret, &token.secret, &house.invitation_secret] {
        house
            .authority
            .end_by_secret(secret.expose().as_bytes())
            .await
            .expect("no error");
    }
    house.authority.end_by_secret(b"garbage").await.expect("no error");
    house.bearer(&house.management_secret).expect("goes on");
    house.recognise(&ada.secret).expect("goes on");
    for _ in 0..2 {
        house
            .authority
            .end_by_secret(device.secret.expose().as_bytes())
            .await
            .expect("ended");
        assert_eq!(house.bearer(&device.secret).expect_err("ended"), Refusal::Revoked);
    }
    house.recognise(&ada.secret).expect("the browser goes on");
}

/// G1: refused, for what was still waiting for its turn when its session ended.
#[tokio::test]
async fn an_act_whose_session_ended_while_it_waited_is_not_done() {
    let house = House::new().await;
    let (ada, account) = (house.ada().await, house.place.account);
    let waiting = house.recognise(&ada.secret).expect("recognised in time");
    house
        .authority
        .end_session(&waiting, ada.session.id)
        .await
        .expect("ended");
    let late = house
        .authority
        .invite(&waiting, account, invite("eve@example.com", Role::Admin))
        .await;
    assert!(matches!(
        late,
        Err(rescind_authority::Error::Refused(Refusal::Revoked))
    ));
}

/// G1: refused, for a role taken away while an act waited for its turn.
#[tokio::test]
async fn an_act_whose_users_role_changed_while_it_waited_is_not_done() {
    let house = House::new().await;
    let account = house.place.account;
    house.ada().await;
    let grace = house.person("grace@example.com", Role::Admin).await;
    let waiting = house.recognise(&grace.secret).expect("recognised in time");
    let demotion = UpdateUser {
        role: Some(Role::Auditor),
        ..Default::default()
    };
    house
        .authority
        .update_user(&house.caller, account, grace.user.id, demotion)
        .await
        .expect("demoted");
    let late = house
        .authority
        .invite(&waiting, account, invite("eve@example.com", Role::Admin))
        .await;
    assert!(matches!(late, Err(rescind_authority::Error::Forbidden(_))));
    assert!(
        house
            .events()
            .await
            .iter()
            .all(|event| !format!("{:?}", event.details).contains("eve"))
    );
}

#[tokio::test]
async fn what_is_long_past_takes_no_memory() {
    let house = House::new().await;
    let before = house.authority.grant_count();
    let ada = house.ada().await;
    house.device(&house.recognise(&ada.secret).expect("ada")).await;
    assert_eq!(house.authority.grant_count(), before + 2);
    house.clock.advance(24 * HOUR);
    house.authority.forget_the_past().await.expect("forgotten");
    assert_eq!(
        house.authority.grant_count(),
        before + 2,
        "for a day it is known that they expired"
    );
    house.clock.advance(24 * HOUR);
    house.authority.forget_the_past().await.expect("forgotten");
    assert_eq!(house.authority.grant_count(), before);
    house
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect("signs in again");
}
