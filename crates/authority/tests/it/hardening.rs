//! What keeps strangers from guessing, from filling the memory and from staying where they were shut out.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rescind_authority::{
    AskDevice, Authority, Caller, Error, NodeSettings, RedeemError, Refusal, SessionLimits, Settings,
    SignInError,
};
use rescind_domain::{Act, Actor, Agent, Client, Role, UserCode};
use rescind_testkit::{FrozenStopwatch, SeededRng};

use crate::house::{House, PASSWORD, client};

const OTHER: &str = "another lamp ferry onion";
const HOUR: Duration = Duration::from_secs(60 * 60);

fn is_conflict<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Conflict(_)))
}

/// Another process's view of the same file, with limits of its own.
async fn with_limits(house: &House, session_limits: SessionLimits) -> Arc<Authority> {
    let settings = Settings {
        node: NodeSettings::alone("node-1"),
        stopwatch: Arc::new(FrozenStopwatch::default()),
        clock: Arc::clone(&house.clock) as _,
        rng: Arc::new(SeededRng::new(3)),
        session_limits,
    };
    let authority = Authority::open(house.catalog().await, settings).await;
    authority.expect("an authority")
}

#[tokio::test]
async fn an_approved_device_gets_nothing_once_its_user_is_signed_out_everywhere() {
    let house = House::new().await;
    let (authority, account) = (&house.authority, house.place.account);
    let ada = house.ada().await;
    for way in ["itself", "itself but here", "an administrator", "a new password"] {
        let signed_in = house
            .sign_in("ada@example.com", PASSWORD)
            .await
            .expect("signed in");
        let caller = house.recognise(&signed_in.secret).expect("recognised");
        let started = house.ask_device().await;
        authority
            .answer_device(&caller, &started.request.user_code, true)
            .await
            .expect("approved");
        match way {
            "itself" => drop(authority.end_sessions(&caller, false).await.expect(way)),
            "itself but here" => drop(authority.end_sessions(&caller, true).await.expect(way)),
            "an administrator" => {
                drop(
                    authority
                        .end_user_sessions(&house.caller, account, ada.user.id)
                        .await
                        .expect(way),
                );
            }
            _ => {
                let (current, new) = (PASSWORD.to_owned(), OTHER.to_owned());
                drop(
                    authority
                        .change_password(&caller, current, new, client(1))
                        .await
                        .expect(way),
                );
            }
        }
        let redeemed = authority
            .redeem_device(started.secret.expose().as_bytes(), "influxctl", client(2))
            .await;
        assert!(matches!(redeemed, Err(RedeemError::Denied)), "{way}");
    }
}

#[tokio::test]
async fn other_links_of_an_address_work_no_more_once_its_user_has_a_new_password() {
    let house = House::new().await;
    let ada = house.ada().await;
    let link = house.invite("ADA@example.com", Role::Admin).await;
    let caller = house.recognise(&ada.secret).expect("recognised");
    let (current, new) = (PASSWORD.to_owned(), OTHER.to_owned());
    house
        .authority
        .change_password(&caller, current, new, client(1))
        .await
        .expect("changed");
    assert!(matches!(
        house.accept(&link.secret, PASSWORD).await,
        Err(Error::NotFound { .. })
    ));

    let (one, two) = (
        house.invite("ada@example.com", Role::Admin).await,
        house.invite("ada@example.com", Role::Admin).await,
    );
    house.accept(&one.secret, PASSWORD).await.expect("accepted");
    assert!(matches!(
        house.accept(&two.secret, OTHER).await,
        Err(Error::NotFound { .. })
    ));
}

/// Not before its pace: what was found out by then cannot be told from the time.
#[tokio::test]
async fn every_failed_sign_in_is_answered_at_the_same_pace() {
    let house = House::new().await;
    house.ada().await;
    let disabled = house.person("grace@example.com", Role::Member).await;
    let (caller, account) = (&house.caller, house.place.account);
    house
        .authority
        .disable_user(caller, account, disabled.user.id)
        .await
        .expect("disabled");
    house.person("alan@example.com", Role::Member).await;
    let pace = Duration::from_secs(3);
    let limits = SessionLimits {
        failure_pace: pace,
        ..SessionLimits::default()
    };
    let authority = with_limits(&house, limits).await;
    let attempts = [
        ("ada@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("grace@example.com", PASSWORD),
        ("no address", PASSWORD),
    ];
    let attempts = attempts.map(|(email, password)| {
        let authority = Arc::clone(&authority);
        tokio::spawn(async move {
            let began = Instant::now();
            let answer = authority.sign_in(email, password.to_owned(), client(1)).await;
            (email, matches!(answer, Err(SignInError::Wrong)), began.elapsed())
        })
    });
    for attempt in attempts {
        let (email, is_wrong, took) = attempt.await.expect("ran");
        assert!(is_wrong && took >= pace, "{email}: {took:?}");
    }
    authority
        .sign_in("alan@example.com", PASSWORD.to_owned(), client(1))
        .await
        .expect("signed in");
}

#[tokio::test]
async fn what_is_no_address_counts_as_one_and_the_same() {
    let house = House::new().await;
    let limits = SessionLimits {
        failure_pace: Duration::ZERO,
        ..SessionLimits::default()
    };
    let authority = with_limits(&house, limits).await;
    for n in 0..6 {
        let text = format!("{n} no address {}", "x".repeat(10_000));
        let answer = authority.sign_in(&text, "wrong".to_owned(), client(1)).await;
        match n {
            5 => assert!(matches!(answer, Err(SignInError::Throttled { .. }))),
            _ => assert!(matches!(answer, Err(SignInError::Wrong)), "{n}"),
        }
    }
}

#[tokio::test]
async fn of_more_than_fifty_sessions_of_a_user_the_one_longest_unused_ends() {
    let house = House::new().await;
    let grace = house.person("grace@example.com", Role::Member).await;
    let ada = house.ada().await;
    let caller = house.recognise(&ada.secret).expect("recognised");
    let mut devices = Vec::new();
    for _ in 0..49 {
        house.clock.advance(Duration::from_secs(1));
        devices.push(house.device(&caller).await);
    }
    house.recognise(&ada.secret).expect("in use");
    house.authority.record_uses().await.expect("recorded");
    for device in &devices {
        house.bearer(&device.secret).expect("fifty may live");
    }
    house.clock.advance(Duration::from_secs(1));
    let last = house.device(&caller).await;
    assert_eq!(
        house.bearer(&devices[0].secret).expect_err("one too many"),
        Refusal::Revoked
    );
    house.recognise(&ada.secret).expect("was used since");
    for device in devices[1..].iter().chain([&last]) {
        house.bearer(&device.secret).expect("goes on");
    }
    house.recognise(&grace.secret).expect("another user's");
    let event = house
        .events()
        .await
        .into_iter()
        .find(|event| event.act == Act::SessionCreate);
    let details = event.expect("recorded").details;
    assert!(
        details.contains(&("ended_sessions".to_owned(), devices[0].session.id.to_string())),
        "{details:?}"
    );
}

#[tokio::test]
async fn whoever_guesses_codes_waits_even_with_the_right_one() {
    let house = House::new().await;
    let (ada, grace) = (
        house.ada().await,
        house.person("grace@example.com", Role::Member).await,
    );
    let (ada, grace) = (
        house.recognise(&ada.secret).expect("ada"),
        house.recognise(&grace.secret).expect("grace"),
    );
    let started = house.ask_device().await;
    let code = &started.request.user_code;
    let rng = SeededRng::new(99);
    let authority = &house.authority;
    for n in 0..10 {
        let guess = UserCode::mint(&rng);
        let found = match n % 2 {
            0 => authority.device_request(&ada, &guess).await,
            _ => authority.answer_device(&ada, &guess, true).await,
        };
        assert!(matches!(found, Err(Error::NotFound { .. })), "{n}");
        authority
            .device_request(&grace, code)
            .await
            .expect("right codes are not counted");
    }
    assert!(is_conflict(authority.device_request(&ada, code).await));
    assert!(is_conflict(authority.answer_device(&ada, code, true).await));
    authority
        .answer_device(&grace, code, true)
        .await
        .expect("others need not wait");
}

async fn ask_from(house: &House, address: IpAddr) -> Result<Caller, Error> {
    let ask = AskDevice {
        client_id: "influxctl".to_owned(),
        host: String::new(),
        client: Client {
            address,
            agent: Agent::new("a test"),
        },
    };
    house.authority.ask_device(ask).await.map(|_| house.caller)
}

#[tokio::test]
async fn one_network_cannot_take_all_places_of_waiting_devices() {
    let house = House::new().await;
    let v6 = |network, host| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host));
    for host in 0..20 {
        ask_from(&house, v6(1, host)).await.expect("taken");
        ask_from(&house, client(1).address).await.expect("taken");
    }
    assert!(is_conflict(ask_from(&house, v6(1, 99)).await));
    assert!(is_conflict(ask_from(&house, client(1).address).await));
    ask_from(&house, v6(2, 1)).await.expect("another network");
    ask_from(&house, client(2).address)
        .await
        .expect("another address");
    house.clock.advance(HOUR);
    ask_from(&house, v6(1, 99)).await.expect("nobody waits for ever");
}

/// Of many at once none slips through between looking and taking.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_network_cannot_take_all_places_at_once() {
    let house = Arc::new(House::new().await);
    let asking: Vec<_> = (0..60)
        .map(|_| {
            let house = Arc::clone(&house);
            tokio::spawn(async move { ask_from(&house, client(1).address).await.is_ok() })
        })
        .collect();
    let taken = futures::future::join_all(asking).await;
    assert_eq!(
        taken
            .into_iter()
            .filter(|taken| *taken.as_ref().expect("ran"))
            .count(),
        20
    );
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_begins_one() {
    let house = House::new().await;
    let ada = house.ada().await;
    let caller = house.recognise(&ada.secret).expect("recognised");
    let elsewhere = house
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect("signed in");
    let device = house.device(&caller).await;
    let change = |current: &str, new: &str| {
        house
            .authority
            .change_password(&caller, current.to_owned(), new.to_owned(), client(7))
    };
    assert!(matches!(change("wrong", OTHER).await, Err(SignInError::Wrong)));
    house.recognise(&ada.secret).expect("nothing has changed");
    let changed = change(PASSWORD, OTHER).await.expect("changed");
    for ended in [&ada.secret, &elsewhere.secret] {
        assert_eq!(house.recognise(ended).expect_err("ended"), Refusal::Revoked);
    }
    assert_eq!(house.bearer(&device.secret).expect_err("ended"), Refusal::Revoked);
    let renewed = house.recognise(&changed.secret).expect("goes on by the new one");
    assert_eq!(
        (renewed.user(), renewed.session()),
        (Some(ada.user.id), Some(changed.session.id))
    );
    house
        .sign_in("ada@example.com", OTHER)
        .await
        .expect("the new password");
    let again = change(OTHER, PASSWORD).await;
    assert!(
        matches!(again, Err(SignInError::Failed(Error::Refused(Refusal::Revoked)))),
        "by the old session"
    );
}

#[tokio::test]
async fn an_administrator_ends_the_sessions_of_a_user_who_may_sign_in_again() {
    let house = House::new().await;
    let account = house.place.account;
    let (ada, grace) = (
        house.ada().await,
        house.person("grace@example.com", Role::Member).await,
    );
    let device = house
        .device(&house.recognise(&grace.secret).expect("grace"))
        .await;
    let member = house.recognise(&grace.secret).expect("grace");
    let refused = house
        .authority
        .end_user_sessions(&member, account, ada.user.id)
        .await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    house.recognise(&ada.secret).expect("goes on");

    let admin = house.recognise(&ada.secret).expect("ada");
    house
        .authority
        .end_user_sessions(&admin, account, grace.user.id)
        .await
        .expect("ended");
    assert_eq!(
        house.recognise(&grace.secret).expect_err("ended"),
        Refusal::Revoked
    );
    assert_eq!(house.bearer(&device.secret).expect_err("ended"), Refusal::Revoked);
    house.recognise(&ada.secret).expect("goes on");
    let event = house.events().await.swap_remove(0);
    assert_eq!(
        (event.act, event.actor),
        (Act::SessionEnd, Actor::User(ada.user.id))
    );
    assert_eq!(event.subject, grace.user.id.to_string());
    house
        .sign_in("grace@example.com", PASSWORD)
        .await
        .expect("signs in again");
    let nobody = house
        .authority
        .end_user_sessions(&admin, account, rescind_domain::UserId::from_bytes([9; 16]))
        .await;
    assert!(matches!(nobody, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn what_a_page_asks_on_its_own_keeps_no_session_alive() {
    let house = House::new().await;
    let (quiet, used) = (
        house.ada().await,
        house.person("grace@example.com", Role::Member).await,
    );
    for _ in 0..2 {
        house.clock.advance(HOUR - Duration::from_secs(1));
        let caller = house
            .authority
            .authenticate_session_quietly(quiet.secret.expose().as_bytes());
        assert_eq!(caller.expect("not idle yet").user(), Some(quiet.user.id));
        house.recognise(&used.secret).expect("in use");
    }
    house.clock.advance(Duration::from_secs(60));
    let quietly = house
        .authority
        .authenticate_session_quietly(quiet.secret.expose().as_bytes());
    assert_eq!(quietly.expect_err("idle"), Refusal::Expired);
    assert_eq!(
        house.recognise(&quiet.secret).expect_err("idle"),
        Refusal::Expired
    );
    house.recognise(&used.secret).expect("in use");
}

#[tokio::test]
async fn a_link_that_replaces_a_password_works_for_a_day_others_for_three() {
    let house = House::new().await;
    let first = house.invitation_secret.expose().as_bytes();
    house.authority.open_invitation(first).await.expect("pending");
    house.clock.advance(71 * HOUR);
    house
        .authority
        .open_invitation(first)
        .await
        .expect("over a weekend");
    house.ada().await;
    let reset = house.invite("Ada@example.com", Role::Admin).await;
    let new = house.invite("grace@example.com", Role::Member).await;
    for (link, hours) in [(&reset.item, 24), (&new.item, 72)] {
        assert_eq!(
            link.expires_at.micros() - link.created_at.micros(),
            hours * 3_600_000_000
        );
    }
    house.clock.advance(24 * HOUR);
    assert!(matches!(
        house.accept(&reset.secret, OTHER).await,
        Err(Error::NotFound { .. })
    ));
    house.accept(&new.secret, PASSWORD).await.expect("still good");
}

#[tokio::test]
async fn users_are_told_what_failed_since_they_last_signed_in() {
    let house = House::new().await;
    let ada = house.ada().await;
    house.person("grace@example.com", Role::Member).await;
    let caller = house.recognise(&ada.secret).expect("recognised");
    let fail =
        |email: &'static str, number| house.authority.sign_in(email, "wrong".to_owned(), client(number));
    assert!(fail("ada@example.com", 8).await.is_err());
    house.clock.advance(HOUR);
    // A program tells nobody.
    house.device(&caller).await;
    assert!(fail("ada@example.com", 9).await.is_err());
    let at = house.clock_now();
    assert!(fail("grace@example.com", 5).await.is_err());
    assert!(fail("nobody@example.com", 5).await.is_err());
    house.clock.advance(HOUR);
    let signed_in = house
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect("signed in");
    let failed = signed_in.failed_attempts.expect("some failed");
    assert_eq!(
        (failed.count, failed.last.at, failed.last.client),
        (2, at, client(9))
    );
    let again = house
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect("signed in");
    assert_eq!(again.failed_attempts, None);

    let caller = house.recognise(&again.secret).expect("recognised");
    let wrong = house
        .authority
        .change_password(&caller, "wrong".to_owned(), OTHER.to_owned(), client(6));
    assert!(matches!(wrong.await, Err(SignInError::Wrong)));
    let told = house
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect("signed in");
    let failed = told.failed_attempts.expect("a wrong current password is one");
    assert_eq!((failed.count, failed.last.client), (1, client(6)));
}
